package read

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/schema"
)

// A source is one field of an annotated struct as it is declared.
type source struct {
	name   *types.Var
	syntax *ast.Field
	pos    token.Pos
}

// fields reads the fields of an annotated struct.
func (r *reader) fields(s *session, syntax *ast.StructType, layout *types.Struct) {
	for _, src := range r.sources(syntax, layout) {
		v := src.name
		s.Layout = append(s.Layout, schema.StructField{
			Name:     v.Name(),
			Type:     r.types.spelling(v.Type()),
			Embedded: v.Embedded(),
		})
		f := r.field(src)
		if f == nil && r.types.unresolved(v.Type()) {
			r.reportRefusal(src, refusal{code: diag.MissingType, path: v.Name(), message: "the type cannot be resolved"})
		}
		if f != nil {
			s.fields = append(s.fields, f)
			s.Fields = append(s.Fields, f.Field)
		}
		if f == nil || f.Type != nil { // a type that is refused already is not told twice
			r.checkLock(src, f != nil)
		}
	}
	if layout.NumFields() == 0 || allOmitted(syntax) {
		r.report(s.pos, diag.NoFields, "add fields with session tags", "%s stores nothing", s.Struct)
	}
}

// checkLock reports a type that must not be copied: the struct and the values of
// its fields are, wherever generated code hands them over.
func (r *reader) checkLock(src source, stored bool) {
	lock, path := r.types.lockIn(src.name.Type(), src.name.Name(), stored)
	if lock == nil {
		return
	}
	w := walk{resolver: r.types}
	r.report(src.syntax.Type.Pos(), diag.CopiedLock, "make it a pointer, or keep it outside of the session",
		"%s: %s must not be copied, and sessions copy what they hold", path, w.text(lock))
}

// sources pairs the fields of a struct type with their declarations. One
// declaration can have several names, or none where it embeds. The type checker
// leaves out a field whose name another one has already.
func (r *reader) sources(syntax *ast.StructType, layout *types.Struct) []source {
	var list []source
	add := func(declared ast.Node, f *ast.Field) {
		if n := len(list); n < layout.NumFields() && within(declared, layout.Field(n).Pos()) {
			list = append(list, source{layout.Field(n), f, declared.Pos()})
			return
		}
		r.report(declared.Pos(), diag.RepeatedField, "give it another name, or remove it", "the struct has a field of this name already")
	}
	for _, f := range syntax.Fields.List {
		if len(f.Names) == 0 {
			add(f.Type, f)
		}
		for _, name := range f.Names {
			add(name, f)
		}
	}
	return list
}

func within(node ast.Node, pos token.Pos) bool { return node.Pos() <= pos && pos < node.End() }

// allOmitted reports whether no field is, or was meant to be, stored.
func allOmitted(syntax *ast.StructType) bool {
	for _, f := range syntax.Fields.List {
		var value located
		var err *problem
		found := false
		if f.Tag != nil {
			value, found, _, err = structTag(f.Tag.Value)
		}
		switch {
		case err != nil || found && value.text != "-":
			return false
		case !found && slices.ContainsFunc(f.Names, (*ast.Ident).IsExported):
			return false
		case !found && len(f.Names) == 0: // it embeds
			return false
		}
	}
	return true
}

// field reads one field. The result is nil where it is left out or cannot be
// one.
func (r *reader) field(src source) *field {
	t, ok := r.tag(src)
	if !ok || t.omit {
		return nil
	}
	if !src.name.Exported() {
		r.report(src.tagPos(), diag.UnexportedTag, "export the field, or remove the tag",
			"%s is not exported and cannot be stored", src.name.Name())
		return nil
	}
	f := &field{
		Field:   &schema.Field{Name: src.name.Name(), Doc: comment(src.syntax), Key: t.key.text, Merge: schema.Last},
		goType:  src.name.Type(),
		pos:     src.pos,
		key:     src.tagPos() + token.Pos(t.key.place()),
		options: map[string]optionPlace{},
	}
	if !wellFormedKey(f.Key) {
		r.report(f.key, diag.BadKey, suggestKey(f.Key, f.Name),
			"%q is not a key: keys consist of lower-case letters, digits and underscores", f.Key)
	}
	for _, o := range t.options {
		r.option(f, o, src.tagPos())
	}
	if r.checkExtent(src) {
		f.Type = r.fieldType(src)
	}
	if f.Type == nil {
		return f
	}
	f.Shape = shape(f.Type, f.Merge)
	r.checkOptions(f)
	return f
}

func (s source) tagPos() token.Pos {
	if s.syntax.Tag == nil {
		return s.pos
	}
	return s.syntax.Tag.Pos()
}

// tag reads the tag of a field, if it has one that makes sense.
func (r *reader) tag(src source) (t tag, ok bool) {
	var value located
	var others []string
	found := false
	if src.syntax.Tag != nil {
		var err *problem
		value, found, others, err = structTag(src.syntax.Tag.Value)
		if err != nil {
			r.problem(src.tagPos(), *err)
			return tag{}, false
		}
	}
	if found && value.text == "-" {
		return tag{omit: true}, true
	}
	if src.name.Embedded() {
		r.report(src.pos, diag.EmbeddedField, "give the field a name, or leave it out with `session:\"-\"`",
			"%s is embedded, and the fields of a session need names", src.name.Name())
		return tag{}, false
	}
	if !found {
		r.untagged(src, others)
		return tag{}, false
	}
	t, problems := parseTag(value)
	for _, p := range problems {
		r.problem(src.tagPos(), p)
	}
	return t, true
}

func (r *reader) untagged(src source, others []string) {
	if !src.name.Exported() {
		return
	}
	hint := suggestKey("", src.name.Name()) + " to store it, or `session:\"-\"` to leave it out"
	for _, key := range others {
		if key == "duckgen" || diag.Nearest(key, []string{tagKey}) != "" {
			hint = fmt.Sprintf("the tag says %s instead of %s", key, tagKey)
		}
	}
	r.report(src.pos, diag.UntaggedField, hint, "%s has no session tag", src.name.Name())
}

func (r *reader) problem(start token.Pos, p problem) {
	r.report(start+token.Pos(p.at), p.code, p.hint, "%s", p.message)
}

// fieldType resolves the type of a field, or reports why it cannot be stored.
func (r *reader) fieldType(src source) *schema.Type {
	resolved, refusals := r.types.resolve(src.name.Type(), src.name.Name())
	for _, refusal := range refusals {
		r.reportRefusal(src, refusal)
	}
	return resolved
}

func (r *reader) reportRefusal(src source, refusal refusal) {
	message, hint := refusal.message, refusal.hint
	if refusal.code == diag.MissingType {
		message, hint = r.missing(src, refusal)
	}
	if refusal.at.IsValid() {
		r.report(refusal.at, refusal.code, hint, "%s", message)
		return
	}
	r.report(src.syntax.Type.Pos(), refusal.code, hint, "%s: %s", refusal.path, message)
}

// shape says how a field of the type is stored.
func shape(t *schema.Type, merge schema.Merge) schema.Shape {
	switch {
	case t.Form == schema.Slice:
		return schema.List
	case t.Form == schema.MapOf && merge == schema.Sum:
		return schema.CounterMap
	case t.Form == schema.MapOf:
		return schema.Map
	case merge == schema.Sum:
		return schema.Counter
	default:
		return schema.Value
	}
}
