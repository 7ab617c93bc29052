package templates

import (
	"net/http"
	"strconv"
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/runtime"
)

// newSessions is the constructor that a program calls once.
func (s *session) newSessions(g *jen.Group) {
	var d doc
	d.say("%s returns [%s] kept in %s. Their configuration has the directive's settings, and the functions may"+
		" change it, in order. The error lists everything in it that cannot work.",
		s.names.New, s.names.Sessions, s.locals.name("store"))
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

// newCookie stores a session without a request.
func (s *session) newCookie() method {
	m := method{
		name:    "NewCookie",
		params:  []jen.Code{s.contextParam(), s.local("v").Id(s.Struct)},
		results: []jen.Code{jen.Op("*").Add(s.qual("net/http", "Cookie")), s.goOwn("error")},
		body:    []jen.Code{s.manage("NewCookie", s.local("ctx"), s.filler())},
	}
	signs := ""
	if s.SignsIn() {
		signs = ", signed in if that says so"
	}
	m.doc.say("NewCookie stores a new session with the values of %s%s, and returns the cookie that opens it: for tests"+
		" through all of a program, and for sign-ins that come by another way. Whoever has the cookie has the session."+
		" With Config.Header, its value is the token to send there.", s.locals.name("v"), signs)
	return m
}

func (s *session) configPointer() *jen.Statement { return jen.Op("*").Add(s.runtime("Config")) }

// settings is the function that fills in what the directive says, nil if that is
// nothing.
func (s *session) settings() jen.Code {
	var assignments []jen.Code
	for _, setting := range s.Policy.Settings() {
		assignments = append(assignments, s.local("c").Dot(setting.Field).Op("=").Add(s.settingValue(setting.Value)))
	}
	if len(assignments) == 0 {
		return s.goOwn("nil")
	}
	return jen.Func().Params(s.local("c").Add(s.configPointer())).Block(assignments...)
}

func (s *session) settingValue(value any) jen.Code {
	switch v := value.(type) {
	case bool:
		return s.goOwn(strconv.FormatBool(v))
	case time.Duration:
		return s.duration(v)
	case runtime.Bound:
		return s.runtime(boundConstant(v))
	case http.SameSite:
		return s.qual("net/http", sameSiteConstant(v))
	default:
		return jen.Lit(v)
	}
}

func boundConstant(v runtime.Bound) string {
	switch v {
	case runtime.BoundSignIn:
		return "BoundSignIn"
	case runtime.BoundAlways:
		return "BoundAlways"
	default:
		return "BoundNever"
	}
}

func sameSiteConstant(v http.SameSite) string {
	switch v {
	case http.SameSiteStrictMode:
		return "SameSiteStrictMode"
	case http.SameSiteNoneMode:
		return "SameSiteNoneMode"
	default:
		return "SameSiteLaxMode"
	}
}

// sessionsReceiver is that of a method of the manager.
func (s *session) sessionsReceiver() jen.Code { return s.local("m").Op("*").Id(s.names.Sessions) }

// manage calls a method of the runtime's manager.
func (s *session) manage(name string, args ...jen.Code) jen.Code {
	return jen.Return(s.local("m").Dot("manager").Dot(name).Call(args...))
}
