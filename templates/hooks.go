package templates

import "github.com/dave/jennifer/jen"

// httpHooks load and save the session around a request.
func (s *session) httpHooks(g *jen.Group) {
	if !s.Hooks.HTTP {
		return
	}
	s.middleware().write(g, s.sessionsReceiver())
	s.processRequest().write(g, s.sessionsReceiver())
	s.processResponse().write(g, s.sessionsReceiver())
	if s.SignsIn() {
		s.requireSignIn().write(g, s.sessionsReceiver())
	}
}

func (s *session) middleware() method {
	handler := s.qual("net/http", "Handler")
	m := method{
		name:    "Middleware",
		params:  []jen.Code{s.local("next").Add(handler)},
		results: []jen.Code{handler},
		body:    []jen.Code{s.manage("Middleware", s.local("next"))},
	}
	m.doc.say("Middleware gives each request to %s a session, which handlers get from [%s], and stores its changes"+
		" before the first byte of the response.", s.locals.name("next"), s.names.From)
	return m
}

func (s *session) processRequest() method {
	m := method{
		name:    "ProcessRequest",
		params:  []jen.Code{s.requestParam()},
		results: []jen.Code{s.requestPointer()},
		body:    []jen.Code{s.manage("ProcessRequest", s.local("r"))},
	}
	m.doc.say("ProcessRequest returns %s with its session attached. It is the first half of Middleware, for"+
		" frameworks with handlers of another type.", s.locals.name("r"))
	return m
}

func (s *session) processResponse() method {
	m := method{
		name:    "ProcessResponse",
		params:  []jen.Code{s.local("w").Add(s.qual("net/http", "ResponseWriter")), s.requestParam()},
		results: []jen.Code{s.goOwn("error")},
		body:    []jen.Code{s.manage("ProcessResponse", s.local("w"), s.local("r"))},
	}
	m.doc.say("ProcessResponse stores the changes to the session of %s and sets the cookie. It is the second half of"+
		" Middleware: call it before the first byte of the response.", s.locals.name("r"))
	return m
}

func (s *session) requireSignIn() method {
	handler := s.qual("net/http", "Handler")
	m := method{
		name:    "RequireSignIn",
		params:  []jen.Code{s.local("within").Add(s.qual("time", "Duration")), s.local("next").Add(handler)},
		results: []jen.Code{handler},
		body:    []jen.Code{s.manage("RequireSignIn", s.local("within"), s.local("next"))},
	}
	m.doc.say("RequireSignIn passes to %s the requests of visitors who have signed in less than %s ago, or at any time if"+
		" %[2]s is 0. Config.SignInHandler answers the others, and Config.ErrorHandler if the session cannot be loaded. It"+
		" includes Middleware.", s.locals.name("next"), s.locals.name("within"))
	return m
}

func (s *session) requestPointer() *jen.Statement {
	return jen.Op("*").Add(s.qual("net/http", "Request"))
}

func (s *session) requestParam() jen.Code { return s.local("r").Add(s.requestPointer()) }

// livelyHooks load and save the session around an event of a live connection.
func (s *session) livelyHooks(g *jen.Group) {
	if !s.Hooks.Lively {
		return
	}
	s.checkOrigin().write(g, s.sessionsReceiver())
	s.livelyConnect().write(g, s.sessionsReceiver())
	s.livelyEvent().write(g, s.sessionsReceiver())
	s.processLivelyEvent().write(g, s.sessionsReceiver())
	s.syncHandler().write(g, s.sessionsReceiver())
}

func (s *session) checkOrigin() method {
	m := method{
		name:    "CheckOrigin",
		params:  []jen.Code{s.requestParam()},
		results: []jen.Code{s.goOwn("error")},
		body:    []jen.Code{s.manage("CheckOrigin", s.local("r"))},
	}
	m.doc.say("CheckOrigin returns an error if %s, the handshake of a live connection, comes from a page whose origin is"+
		" neither the program's own nor one of Config.Origins.", s.locals.name("r"))
	return m
}

func (s *session) livelyConnect() method {
	m := method{
		name:    "LivelyConnect",
		params:  s.connectionParams("LivelyCloser"),
		results: []jen.Code{s.local("disconnect").Func().Params(), s.local("err").Add(s.goOwn("error"))},
		body:    []jen.Code{s.manage("LivelyConnect", s.eventArgs()...)},
	}
	m.doc.say("LivelyConnect closes %s as soon as its session ends, wherever that happens, and makes it reconnect when"+
		" the token is renewed elsewhere. Call it before the first event, and %s when the connection is closed.",
		s.locals.name("conn"), s.locals.name("disconnect"))
	return m
}

func (s *session) livelyEvent() method {
	handle := jen.Func().Params(s.qual("context", "Context")).Add(s.goOwn("error"))
	m := method{
		name:    "LivelyEvent",
		params:  append(s.connectionParams("LivelyConn"), s.local("handle").Add(handle)),
		results: []jen.Code{s.goOwn("error")},
		body:    []jen.Code{s.manage("LivelyEvent", append(s.eventArgs(), s.local("handle"))...)},
	}
	m.doc.say("LivelyEvent calls %s with a fresh view of the session, stores its changes, and notifies the browser if"+
		" its cookie has to change. After an error or a panic the changes are discarded.", s.locals.name("handle"))
	return m
}

func (s *session) processLivelyEvent() method {
	m := method{
		name:    "ProcessLivelyEvent",
		params:  s.connectionParams("LivelyConn"),
		results: []jen.Code{s.goOwn("error")},
		body:    []jen.Code{s.manage("ProcessLivelyEvent", s.eventArgs()...)},
	}
	m.doc.say("ProcessLivelyEvent stores what an event's handler changed, and notifies the browser if its cookie has" +
		" to change. It is the second half of LivelyEvent, and leaves the session unloaded and clean.")
	return m
}

// connectionParams are the context of a connection or an event, the connection
// and the session that it keeps.
func (s *session) connectionParams(conn string) []jen.Code {
	return []jen.Code{
		s.contextParam(),
		s.local("conn").Add(s.runtime(conn)),
		s.local("s").Add(s.sessionPointer()),
	}
}

func (s *session) eventArgs() []jen.Code {
	return []jen.Code{s.local("ctx"), s.local("conn"), s.core()}
}

func (s *session) syncHandler() method {
	m := method{
		name:    "SyncHandler",
		results: []jen.Code{s.qual("net/http", "Handler")},
		body:    []jen.Code{s.manage("SyncHandler")},
	}
	m.doc.say("SyncHandler serves the cookie to browsers that a live connection has sent to fetch it. Mount it at" +
		" Config.SyncPath.")
	return m
}

// boundHooks serve browsers that bind their sessions to a device.
func (s *session) boundHooks(g *jen.Group) {
	if s.Policy.Bound == nil {
		return
	}
	m := method{
		name:    "BindHandler",
		results: []jen.Code{s.qual("net/http", "Handler")},
		body: []jen.Code{jen.Return(s.qual(dbscPath, "Handler").Call(
			s.local("m").Dot("manager").Dot("Binder").Call()))},
	}
	m.doc.say("BindHandler lets browsers bind their sessions to their device, and renew the bound cookie. Mount it at" +
		" Config.BindPath.")
	m.write(g, s.sessionsReceiver())
}
