package templates

import "github.com/dave/jennifer/jen"

// everySession lists, finds and ends sessions without an index.
func (s *session) everySession(g *jen.Group) {
	for _, m := range []method{s.all(), s.find(), s.revokeAll(), s.ping()} {
		m.write(g, s.sessionsReceiver())
	}
}

func (s *session) all() method {
	m := method{
		name:    "All",
		params:  []jen.Code{s.contextParam()},
		results: []jen.Code{s.qual("iter", "Seq2").Types(s.sessionPointer(), s.goOwn("error"))},
		body:    []jen.Code{s.manage("All", s.local("ctx"))},
	}
	m.doc.say("All returns an iterator over all live sessions, in no particular order. The first error ends it, with a nil" +
		" session. It reads everything that is stored: it is for operators, and not for requests of visitors.")
	m.doc.say("A loop over them may read and set fields, call Destroy, and break. Only Save stores what it changes. Save" +
		" returns an error after Renew, a sign-in or a sign-out, because no response can carry the new token.")
	return m
}

func (s *session) find() method {
	m := method{
		name:    "Find",
		params:  []jen.Code{s.contextParam(), s.local("handle").Add(s.goOwn("string"))},
		results: []jen.Code{s.sessionPointer(), s.goOwn("error")},
		body:    []jen.Code{s.manage("Find", s.local("ctx"), s.local("handle"))},
	}
	m.doc.say("Find returns the live session whose Handle is %s, or ErrNotFound. What is true of those that All returns is"+
		" true of it.", s.locals.name("handle"))
	return m
}

func (s *session) revokeAll() method {
	m := method{
		name:    "RevokeAll",
		params:  []jen.Code{s.contextParam()},
		results: []jen.Code{s.goOwn("int"), s.goOwn("error")},
		body:    []jen.Code{s.manage("RevokeAll", s.local("ctx"))},
	}
	m.doc.say("RevokeAll ends every live session and returns how many it ended. Requests that have arrived before begin" +
		" no new ones.")
	return m
}

func (s *session) ping() method {
	m := method{
		name:    "Ping",
		params:  []jen.Code{s.contextParam()},
		results: []jen.Code{s.goOwn("error")},
		body:    []jen.Code{s.manage("Ping", s.local("ctx"))},
	}
	m.doc.say("Ping returns an error if the store does not serve.")
	return m
}
