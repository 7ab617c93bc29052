package templates

import "github.com/dave/jennifer/jen"

// with makes a session for the tests of handlers.
func (s *session) with(g *jen.Group) {
	var d doc
	d.say("%s returns a context with a session that has the values of %s, loaded and clean, but no store. It is for"+
		" tests of handlers.", s.names.With, s.locals.name("v"))
	d.write(g)
	g.Func().Id(s.names.With).Params(s.contextParam(), s.local("v").Id(s.Struct)).
		Params(s.qual("context", "Context"), s.sessionPointer()).
		Block(jen.Return(jen.Id(s.model).Dot("With").Call(
			s.local("ctx"),
			s.filler(),
		)))
	g.Line()
}

// fillVar is the function that sets every field to what a struct has.
func (s *session) fillVar(g *jen.Group) {
	sets := make([]jen.Code, len(s.fields))
	for i, f := range s.fields {
		sets[i] = jen.Id(f.variable).Dot("Set").Call(s.local("core"), s.local("v").Dot(f.Name))
	}
	var d doc
	d.say("%s sets every field of a session to what %s has.", s.fill, s.locals.name("v"))
	d.write(g)
	g.Var().Id(s.fill).Op("=").Func().Params(s.coreParam(), s.local("v").Id(s.Struct)).Block(sets...)
	g.Line()
}

// filler is the function that fills a session from the parameter v.
func (s *session) filler() jen.Code {
	return jen.Func().Params(s.coreParam()).Block(jen.Id(s.fill).Call(s.local("core"), s.local("v")))
}

// from finds the session in a context.
func (s *session) from(g *jen.Group) {
	var d doc
	d.say("%s returns the session of the request that %s belongs to. It is never nil: outside the middleware its"+
		" fields have their defaults, Err returns an error, and the first write panics.",
		s.names.From, s.locals.name("ctx"))
	d.write(g)
	g.Func().Id(s.names.From).Params(s.contextParam()).Add(s.sessionPointer()).Block(
		jen.Return(jen.Id(s.model).Dot("From").Call(s.local("ctx"))),
	)
	g.Line()
}

// sessionPointer is the type that programs hold a session by.
func (s *session) sessionPointer() *jen.Statement { return jen.Op("*").Id(s.names.Session) }

// contextParam is the parameter that takes a context.
func (s *session) contextParam() jen.Code { return s.local("ctx").Add(s.qual("context", "Context")) }
