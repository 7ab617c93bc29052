package templates

import "github.com/dave/jennifer/jen"

// runtimeGuard fails to compile with a runtime that lacks what this form of
// generated code calls. The compiler names the constant that is missing.
func (f *File) runtimeGuard(g *jen.Group) {
	var d doc
	d.say("This fails to compile if the runtime does not fit this file. To fix it, run" +
		" go get -tool github.com/duckgen/duckgen/cmd/duckgen@latest and go generate.")
	d.write(g)
	g.Const().Id("_").Op("=").Add(f.runtime("Generated1"))
	g.Line()
}

// layoutGuard fails to compile if the struct has changed: a conversion between
// struct types needs the same fields, in the same order.
func (s *session) layoutGuard(g *jen.Group) {
	var d doc
	d.say("This fails to compile if %s has changed since this file was generated. To fix it, run go generate.", s.Struct)
	layout := make([]jen.Code, len(s.Layout))
	for i, field := range s.Layout {
		layout[i] = s.structField(field)
	}
	d.write(g)
	g.Var().Id("_").Op("=").Struct(layout...).Parens(jen.Id(s.Struct).Values())
	g.Line()
}
