package templates

import "github.com/dave/jennifer/jen"

// types are the session's own type and the one that makes and keeps sessions.
func (s *session) types(g *jen.Group) {
	var d doc
	d.say("%s is the session that a request has of type [%s]. It loads at the first read and stores"+
		" what was changed when the response begins. It is safe for concurrent use by the goroutines"+
		" of one request.", s.names.Session, s.Struct)
	d.write(g)
	g.Type().Id(s.names.Session).Struct(
		jen.Id("core").Op("*").Add(s.runtime("Session")),
	)
	g.Line()

	d = nil
	d.say("%s makes and keeps the sessions of type [%s]. One is enough for a program; it is safe for"+
		" concurrent use.", s.names.Sessions, s.Struct)
	d.write(g)
	g.Type().Id(s.names.Sessions).Struct(
		jen.Id("manager").Op("*").Add(s.runtime("Manager")).Types(jen.Id(s.names.Session)),
	)
	g.Line()
}
