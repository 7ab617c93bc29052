package read

import (
	"go/ast"
	"go/token"
	"slices"

	"github.com/duckgen/duckgen/gen/diag"
)

// A typeSpec is a type declaration with the comment above it.
type typeSpec struct {
	*ast.TypeSpec
	doc *ast.CommentGroup
}

// isSession reports whether the comment has a directive.
func (s typeSpec) isSession() bool {
	return s.doc != nil && slices.ContainsFunc(s.doc.List, func(c *ast.Comment) bool { return classify(c.Text) == isDirective })
}

func typeSpecs(file *ast.File) []typeSpec {
	var specs []typeSpec
	for _, decl := range file.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.TYPE {
			continue
		}
		for _, s := range d.Specs {
			spec := s.(*ast.TypeSpec)
			doc := spec.Doc
			if !d.Lparen.IsValid() {
				doc = d.Doc
			}
			specs = append(specs, typeSpec{spec, doc})
		}
	}
	return specs
}

// A typeMark is what the comment of a type says to duckgen. A type that has
// only a misspelt directive is marked without directives.
type typeMark struct{ directives []*ast.Comment }

// marks finds the directives of a file, and reports those that are misspelt or
// stand elsewhere.
func (r *reader) marks(file *ast.File) map[typeSpec]*typeMark {
	owners := map[*ast.Comment]typeSpec{}
	for _, spec := range typeSpecs(file) {
		if spec.doc == nil {
			continue
		}
		for _, c := range spec.doc.List {
			owners[c] = spec
		}
	}
	marks := map[typeSpec]*typeMark{}
	for _, group := range file.Comments {
		for _, c := range group.List {
			owner, owned := owners[c]
			r.mark(c, owner, owned, marks)
		}
	}
	return marks
}

func (r *reader) mark(c *ast.Comment, owner typeSpec, owned bool, marks map[typeSpec]*typeMark) {
	kind := classify(c.Text)
	if kind == prose {
		return
	}
	if owned && marks[owner] == nil {
		marks[owner] = &typeMark{}
	}
	switch {
	case kind == nearMiss:
		r.report(c.Pos(), diag.NearMiss, "write "+directive+", without spaces before or in it", "this is not a directive of duckgen")
	case owned:
		marks[owner].directives = append(marks[owner].directives, c)
	default:
		r.report(c.Pos(), diag.MisplacedDirective, "put it into the comment directly above a struct type",
			"the directive does not belong to a type")
	}
}

// checkUnmarked reports a struct whose tags only make sense in a session. Those of
// members may be for a session of another package that has a field of the type.
func (r *reader) checkUnmarked(spec typeSpec) {
	s, ok := spec.Type.(*ast.StructType)
	if !ok || r.types.leadTo(r.pkg.Info.Defs[spec.Name]) {
		return
	}
	for _, f := range s.Fields.List {
		if f.Tag != nil && isSessionTag(f.Tag.Value) {
			r.report(f.Tag.Pos(), diag.NoDirective, "write "+directive+" above the type, or remove the tags",
				"%s has session tags, but is not a session", spec.Name.Name)
			return
		}
	}
}

// isSessionTag reports whether a struct tag has an option that members of structs
// do not have.
func isSessionTag(literal string) bool {
	value, found, _, _ := structTag(literal)
	if !found {
		return false
	}
	t, _ := parseTag(value)
	return slices.ContainsFunc(t.options, func(o option) bool { return o.name.text != "was" })
}
