package read

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"strconv"
	"strings"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/schema"
)

// A member is a stored field of a struct type, with the places of what its tag
// says.
type member struct {
	schema.Member
	field    *types.Var
	tagged   bool
	key, was token.Pos
}

// structure resolves the exported fields of a struct, embedded ones by the name
// of their type, without those that their tags leave out.
func (w *walk) structure(s *types.Struct, path string) *schema.Type {
	outer, refused := w.part, len(w.refusals)
	members := w.members(s, path)
	w.checkNames(members, path)
	result := &schema.Type{Form: schema.Struct}
	complete := len(w.refusals) == refused
	for _, m := range members {
		w.part = m.field
		m.Type = w.typ(m.field.Type(), path+"."+m.Name)
		complete = complete && m.Type != nil
		result.Members = append(result.Members, m.Member)
	}
	w.part = outer
	switch {
	case !complete:
		return nil
	case len(members) == 0 && s.NumFields() > 0:
		return w.refuseEmpty(s, path)
	}
	return result
}

func (w *walk) refuseEmpty(s *types.Struct, path string) *schema.Type {
	hint := "export what is to be stored, or give the type methods MarshalBinary and UnmarshalBinary"
	if s.Field(0).Pkg() != w.home {
		hint = "use a type of your own that holds what is to be stored"
	}
	for f := range s.Fields() {
		if f.Exported() {
			return w.refuse(diag.NothingStored, path, hint, "a struct whose fields are all left out stores nothing")
		}
	}
	return w.refuse(diag.NothingStored, path, hint, "a struct without exported fields stores nothing")
}

// members reads the tags of a struct's fields. It is without the types.
func (w *walk) members(s *types.Struct, path string) []*member {
	var list []*member
	for i := range s.NumFields() {
		f := s.Field(i)
		w.part = f
		m, stored := w.member(f, s.Tag(i), path+"."+f.Name())
		if stored {
			list = append(list, m)
		}
	}
	return list
}

// member reads the tag of one field. What is wrong with it is refused, and the
// field is taken for a stored one, so that its type is looked at, too.
func (w *walk) member(f *types.Var, text, path string) (m *member, stored bool) {
	m = &member{field: f, Member: schema.Member{
		StructField: schema.StructField{Name: f.Name(), Embedded: f.Embedded()},
		Key:         f.Name(),
	}}
	literal := w.literal(f)
	t, found := w.memberTag(literal, text, path)
	switch {
	case found && t.omit:
		return nil, false
	case !f.Exported():
		if found && literal != nil {
			w.refuseAt(literal.Pos(), diag.UnexportedTag, path, "export it, or remove the tag",
				"%s is not exported and cannot be stored", f.Name())
		}
		return nil, false
	case found:
		w.readMemberTag(m, t, literal, path)
	case reflect.StructTag(text).Get("json") == "-":
		hint := "write `session:\"-\"` to leave it out, or `session:\"" + f.Name() + "\"` to store it"
		if literal == nil {
			hint = "use a type of your own that holds what is to be stored"
		}
		w.refuseAt(f.Pos(), diag.HiddenMember, path, hint,
			"%s is left out of JSON, but would be stored in the session", f.Name())
	}
	return m, true
}

// leftOut reports whether a struct tag leaves out a member.
func leftOut(text string) bool { return reflect.StructTag(text).Get(tagKey) == "-" }

// memberTag returns the session tag of a field, if there is one that makes sense.
// Tags that say nothing to duckgen may be in any form.
func (w *walk) memberTag(literal *ast.BasicLit, text, path string) (t tag, found bool) {
	if !strings.Contains(text, tagKey) {
		return tag{}, false
	}
	source := strconv.Quote(text)
	if literal != nil {
		source = literal.Value
	}
	value, found, _, malformed := structTag(source)
	if malformed != nil {
		w.refuseTag(literal, *malformed, path)
		return tag{}, false
	}
	if !found {
		return tag{}, false
	}
	t, problems := parseTag(value)
	for _, p := range problems {
		w.refuseTag(literal, p, path)
	}
	return t, true
}

// readMemberTag reads the stored name of a member and its earlier one.
func (w *walk) readMemberTag(m *member, t tag, literal *ast.BasicLit, path string) {
	m.tagged, m.Key, m.key = true, t.key.text, inTag(literal, t.key)
	if !isMemberName(m.Key) {
		hint := "write `session:\"" + m.Name + "\"`"
		if strings.Trim(m.Key, " ") == "-" {
			hint = "write `session:\"-\"` alone to leave it out"
		}
		w.refuseAt(m.key, diag.BadKey, path, hint,
			"%q is not the name of a member: names consist of letters, digits and underscores", m.Key)
	}
	for _, o := range t.options {
		w.memberOption(m, o, literal, path)
	}
}

// memberOption reads an option of a member. There is only was=. Those of a struct
// that is a session itself say how its fields are stored there.
func (w *walk) memberOption(m *member, o option, literal *ast.BasicLit, path string) {
	at := inTag(literal, o.name)
	switch {
	case o.name.text != "was" && o.name.text != "secret" && findOption(o.name.text) != nil && w.inSession():
	case o.name.text != "was":
		hint := "members have no option but was="
		if findOption(o.name.text) != nil {
			hint = "it is an option of the field that holds the struct; " + hint
		}
		w.refuseAt(at, diag.UnknownOption, path, hint, "members have no option %q", o.name.text)
	case m.Was != "":
		w.refuseAt(at, diag.OptionValue, path, "remove one of them", "was is given twice")
	case !o.hasValue:
		w.refuseAt(at, diag.OptionValue, path, "write it such as was="+m.Name, "was needs a value")
	case !isMemberName(o.value.text):
		w.refuseAt(inTag(literal, o.value), diag.OptionValue, path, "write it such as was="+m.Name,
			"was: %q is not the name of a member", o.value.text)
	default:
		m.Was, m.was = o.value.text, inTag(literal, o.value)
	}
}

// inSession reports whether the members are fields of a session. Only those of a type
// with a name have options.
func (w *walk) inSession() bool { return w.sessions[w.open[len(w.open)-1].Obj()] }

// checkNames refuses names that are taken, by a name or an earlier name of
// another member.
func (w *walk) checkNames(members []*member, path string) {
	taken := map[string]string{}
	claim := func(m *member, name string, at token.Pos, owner string) {
		if holder, ok := taken[name]; ok && isMemberName(name) {
			w.refuseAt(at, diag.DuplicateKey, path+"."+m.Name, "choose another name", "the name %s is %s", name, holder)
			return
		}
		taken[name] = owner
	}
	for _, m := range members {
		if !m.tagged { // a Go name gives way to what a tag says of another member
			taken[m.Key] = "the name of " + m.Name
		}
	}
	for _, m := range members {
		if m.tagged {
			claim(m, m.Key, m.key, "the name of "+m.Name)
		}
	}
	for _, m := range members {
		if m.Was != "" {
			claim(m, m.Was, m.was, "an earlier name of "+m.Name)
		}
	}
}

func isMemberName(name string) bool {
	return name != "" && strings.IndexFunc(name, func(r rune) bool { return !identifierRune(r) }) < 0
}

// literal returns the tag of a struct's field as it stands in a file of this
// package, or nil.
func (r *resolver) literal(f *types.Var) *ast.BasicLit {
	if f.Pkg() != r.home {
		return nil
	}
	if r.tags == nil {
		r.tags = tagLiterals(r.files)
	}
	return r.tags[f.Pos()]
}

// tagLiterals returns the tags of all struct types by the positions of what they
// belong to.
func tagLiterals(files []*ast.File) map[token.Pos]*ast.BasicLit {
	tags := map[token.Pos]*ast.BasicLit{}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			f, ok := n.(*ast.Field)
			if !ok || f.Tag == nil {
				return true
			}
			for _, name := range f.Names {
				tags[name.Pos()] = f.Tag
			}
			if len(f.Names) == 0 {
				tags[embeddedName(f.Type).Pos()] = f.Tag
			}
			return true
		})
	}
	return tags
}

// embeddedName returns what names an embedded field.
func embeddedName(expr ast.Expr) ast.Expr {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return embeddedName(e.X)
	case *ast.ParenExpr:
		return embeddedName(e.X)
	case *ast.IndexExpr:
		return embeddedName(e.X)
	case *ast.IndexListExpr:
		return embeddedName(e.X)
	case *ast.SelectorExpr:
		return e.Sel
	default:
		return expr
	}
}

// inTag returns the position of a part of a tag. It is none in a tag of another
// package.
func inTag(literal *ast.BasicLit, part located) token.Pos {
	if literal == nil {
		return token.NoPos
	}
	return literal.Pos() + token.Pos(part.place())
}

// refuseTag refuses a member for what its tag says.
func (w *walk) refuseTag(literal *ast.BasicLit, p problem, path string) {
	at := token.NoPos
	if literal != nil {
		at = literal.Pos() + token.Pos(p.at)
	}
	w.refuseAt(at, p.code, path, p.hint, "%s", p.message)
}

// refuseAt refuses something for what stands at a position of this package, or
// elsewhere.
func (w *walk) refuseAt(at token.Pos, code diag.Code, path, hint, format string, args ...any) {
	r := refusal{code: code, path: path, message: fmt.Sprintf(format, args...), hint: hint, part: w.part}
	if w.part.Pkg() == w.home {
		r.at = at
	}
	w.refusals = append(w.refusals, r)
}
