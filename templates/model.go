package templates

import "github.com/dave/jennifer/jen"

// modelVar is what the runtime knows of the session type.
func (s *session) modelVar(g *jen.Group) {
	args := []jen.Code{
		jen.Lit(s.Kind),
		s.wrap(),
	}
	for _, f := range s.fields {
		args = append(args, jen.Op("&").Id(f.variable))
	}
	g.Var().Id(s.model).Op("=").Add(s.runtime("NewModel").Add(callLines(args...)))
	g.Line()
}

// wrap is the function that makes the typed session of the runtime's.
func (s *session) wrap() jen.Code {
	return jen.Func().Params(s.coreParam()).Id(s.names.Session).Block(
		jen.Return(jen.Id(s.names.Session).Values(s.local("core"))),
	)
}

// coreParam is the parameter that takes the runtime's session.
func (s *session) coreParam() jen.Code {
	return s.local("core").Op("*").Add(s.runtime("Session"))
}
