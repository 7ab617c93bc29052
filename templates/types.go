package templates

import "github.com/dave/jennifer/jen"

// types are the session's own type and that of its manager.
func (s *session) types(g *jen.Group) {
	var d doc
	d.say("%s is the session of one request, with the fields of [%s]. The first read loads it, and its changes are"+
		" stored before the response begins. It is safe for concurrent use by the goroutines of the request.",
		s.names.Session, s.Struct)
	d.write(g)
	g.Type().Id(s.names.Session).Struct(
		jen.Id("core").Op("*").Add(s.runtime("Session")),
	)
	g.Line()

	d = nil
	d.say("%s creates, finds and stores sessions of type [%s]. A program needs one. It is safe for"+
		" concurrent use.", s.names.Sessions, s.names.Session)
	d.write(g)
	g.Type().Id(s.names.Sessions).Struct(
		jen.Id("manager").Op("*").Add(s.runtime("Manager")).Types(jen.Id(s.names.Session)),
	)
	g.Line()
}
