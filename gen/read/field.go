package read

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"

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
		"%s: %s must not be copied, and what a session holds is", path, w.text(lock))
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
			"%q is no key: keys are of lower-case letters, digits and underscores", f.Key)
	}
	for _, o := range t.options {
		r.option(f, o, src.tagPos())
	}
	f.Type = r.fieldType(src)
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
			"%s is embedded, and a session's fields have names of their own", src.name.Name())
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

// comment returns the lines of a field's comment: that above it, or else that
// behind it.
func comment(f *ast.Field) []string {
	group := f.Doc
	if group == nil {
		group = f.Comment
	}
	text := strings.TrimSpace(group.Text())
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	if strings.HasPrefix(group.List[0].Text, "/*") {
		flushLeft(lines[1:])
	}
	return lines
}

// flushLeft removes the indentation that all lines of a block comment share,
// with the stars that some begin them with. Left in place, it would make code
// of prose.
func flushLeft(lines []string) {
	indent := -1
	for _, line := range lines {
		if text := strings.TrimLeft(line, " \t"); text != "" && (indent < 0 || len(line)-len(text) < indent) {
			indent = len(line) - len(text)
		}
	}
	starred := true
	for i, line := range lines {
		if line != "" {
			lines[i] = line[indent:]
			starred = starred && strings.HasPrefix(lines[i], "*")
		}
	}
	if !starred {
		return
	}
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(strings.TrimPrefix(line, "*"), " ")
	}
}

// fieldType resolves the type of a field, or reports why it cannot be stored.
func (r *reader) fieldType(src source) *schema.Type {
	resolved, refusals := r.types.resolve(src.name.Type(), src.name.Name())
	for _, refusal := range refusals {
		message, hint := refusal.message, refusal.hint
		if refusal.code == diag.MissingType {
			message, hint = r.missing(src, refusal)
		}
		r.report(src.syntax.Type.Pos(), refusal.code, hint, "%s: %s", refusal.path, message)
	}
	return resolved
}

// missing explains a type that cannot be resolved by what the type checker said
// about the place.
func (r *reader) missing(src source, refusal refusal) (message, hint string) {
	places := []token.Pos{src.syntax.Type.Pos()}
	if refusal.part != nil {
		places = []token.Pos{refusal.part.Pos()}
	} else {
		places = append(places, r.importsOf(src.syntax.Type)...)
	}
	for _, pos := range places {
		if said := r.pkg.ErrorAt(pos); said != "" {
			return r.explain(src, said)
		}
	}
	return refusal.message, "see what go vet says about the package"
}

// importsOf returns where the packages are imported that a type expression
// mentions.
func (r *reader) importsOf(expr ast.Expr) []token.Pos {
	var places []token.Pos
	ast.Inspect(expr, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if name, ok := r.pkg.Info.Uses[id].(*types.PkgName); ok {
				places = append(places, name.Pos())
			}
		}
		return true
	})
	return places
}

// unimported matches what the type checker says about an import that leads
// nowhere.
var unimported = regexp.MustCompile(`^could not import (\S+) `)

// explain turns what the type checker says into a finding.
func (r *reader) explain(src source, said string) (message, hint string) {
	if m := unimported.FindStringSubmatch(said); m != nil {
		return "package " + m[1] + " cannot be imported", "correct the import, or add its module with go get"
	}
	missing, ok := strings.CutPrefix(said, "undefined: ")
	switch {
	case !ok:
		return said, "see what go build says about it"
	case r.isGenerated(missing):
		stem, _ := strings.CutSuffix(strings.TrimSuffix(missing, "s"), "Session")
		return said, fmt.Sprintf("%s is what duckgen generates; use the struct %s", missing, stem)
	case qualifies(src.syntax.Type, missing):
		return said, "import the package " + missing
	}
	return said, "declare " + missing
}

// isGenerated reports whether duckgen generates, or will generate, a type of
// this name, of this package or of one that it imports.
func (r *reader) isGenerated(name string) bool {
	scope := r.pkg.Types.Scope()
	if qualifier, rest, ok := strings.Cut(name, "."); ok {
		name = rest
		i := slices.IndexFunc(r.pkg.Types.Imports(), func(p *types.Package) bool { return p.Name() == qualifier })
		if i < 0 {
			return false
		}
		scope = r.pkg.Types.Imports()[i].Scope()
	}
	stem, ok := strings.CutSuffix(strings.TrimSuffix(name, "s"), "Session")
	return ok && scope.Lookup(stem) != nil
}

// qualifies reports whether a type expression has the name in front of a dot.
func qualifies(expr ast.Expr, name string) bool {
	found := false
	ast.Inspect(expr, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			id, ok := selector.X.(*ast.Ident)
			found = found || ok && id.Name == name
		}
		return true
	})
	return found
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
