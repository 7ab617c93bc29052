package templates

import (
	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/schema"
)

// newSessions is the constructor that a program calls once.
func (s *session) newSessions(g *jen.Group) {
	var d doc
	d.say("%s returns the sessions that are kept in the store. The directive's settings arrive filled in;"+
		" each of the functions may change them, in order. A configuration that cannot work is an error.",
		s.names.New)
	d.write(g)
	g.Func().Id(s.names.New).
		Params(
			s.local("store").Add(s.runtime("Store")),
			s.local("configure").Op("...").Add(jen.Func().Params(s.configPointer())),
		).
		Params(jen.Op("*").Id(s.names.Sessions), s.goOwn("error")).
		Block(
			jen.List(s.local("manager"), s.local("err")).Op(":=").Add(s.runtime("NewManager").Call(
				jen.Id(s.model),
				s.local("store"),
				s.settings(),
				s.local("configure").Op("..."),
			)),
			jen.If(s.local("err").Op("!=").Add(s.goOwn("nil"))).Block(
				jen.Return(s.goOwn("nil"), s.local("err")),
			),
			jen.Return(jen.Op("&").Id(s.names.Sessions).Values(s.local("manager")), s.goOwn("nil")),
		)
	g.Line()
}

func (s *session) configPointer() *jen.Statement { return jen.Op("*").Add(s.runtime("Config")) }

// settings is the function that fills in what the directive says, nil where
// that is nothing.
func (s *session) settings() jen.Code {
	assignments := append(s.cookieSettings(), s.lifeSettings()...)
	if len(assignments) == 0 {
		return s.goOwn("nil")
	}
	return jen.Func().Params(s.local("c").Add(s.configPointer())).Block(assignments...)
}

func (s *session) cookieSettings() []jen.Code {
	p := s.Policy
	var all []jen.Code
	set := func(name string, value jen.Code) {
		all = append(all, s.local("c").Dot("Cookie").Dot(name).Op("=").Add(value))
	}
	setText := func(name string, value *string) {
		if value != nil {
			set(name, jen.Lit(*value))
		}
	}
	setFlag := func(name string, value *bool) {
		if value != nil {
			set(name, s.goOwn(truth(*value)))
		}
	}
	setText("Name", p.Cookie)
	setText("Path", p.Path)
	setText("Domain", p.Domain)
	setFlag("Secure", p.Secure)
	setFlag("HTTPOnly", p.HTTPOnly)
	if p.SameSite != nil {
		set("SameSite", s.qual("net/http", sameSiteConstant(*p.SameSite)))
	}
	setFlag("BrowserClose", p.BrowserClose)
	setFlag("Partitioned", p.Partitioned)
	return all
}

func (s *session) lifeSettings() []jen.Code {
	var all []jen.Code
	if age := s.Policy.Age; age != nil {
		all = append(all, s.local("c").Dot("Age").Op("=").Add(s.duration(*age)))
	}
	if idle := s.Policy.Idle; idle != nil {
		all = append(all, s.local("c").Dot("Idle").Op("=").Add(s.duration(*idle)))
	}
	return all
}

func truth(v bool) string {
	if v {
		return "true"
	}
	return "false"
}

func sameSiteConstant(v schema.SameSite) string {
	switch v {
	case schema.SameSiteStrict:
		return "SameSiteStrictMode"
	case schema.SameSiteNone:
		return "SameSiteNoneMode"
	default:
		return "SameSiteLaxMode"
	}
}

// sessionsReceiver is that of a method of the type that makes and keeps
// sessions.
func (s *session) sessionsReceiver() jen.Code { return s.local("m").Op("*").Id(s.names.Sessions) }

// manage calls a method of the runtime's manager.
func (s *session) manage(name string, args ...jen.Code) jen.Code {
	return jen.Return(s.local("m").Dot("manager").Dot(name).Call(args...))
}
