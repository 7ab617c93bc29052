package templates

import "github.com/dave/jennifer/jen"

// runtimeGuard does not compile with a runtime that lacks what this form of
// generated code calls. The name of the constant that is missing says so.
func (f *File) runtimeGuard(g *jen.Group) {
	var d doc
	d.say("This does not compile where the runtime is not the one that this file was generated for." +
		" Run go get -tool github.com/duckgen/duckgen/cmd/duckgen@latest and go generate.")
	d.write(g)
	g.Const().Id("_").Op("=").Add(f.runtime("Generated1"))
	g.Line()
}

// layoutGuard does not compile where the struct has changed: a conversion
// between struct types needs the same fields, in the same order.
func (s *session) layoutGuard(g *jen.Group) {
	var d doc
	d.say("This does not compile where %s has changed since. Run go generate.", s.Struct)
	layout := make([]jen.Code, len(s.Layout))
	for i, field := range s.Layout {
		layout[i] = s.structField(field)
	}
	d.write(g)
	g.Var().Id("_").Op("=").Struct(layout...).Parens(jen.Id(s.Struct).Values())
	g.Line()
}
