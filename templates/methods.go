package templates

import "github.com/dave/jennifer/jen"

// sessionMethods are the methods that every session has. Each hands over to the
// runtime's session.
func (s *session) sessionMethods(g *jen.Group) {
	for _, m := range s.stateMethods() {
		m.write(g, s.receiver())
	}
	for _, m := range s.lifeMethods() {
		m.write(g, s.receiver())
	}
	for _, m := range s.printMethods() {
		m.write(g, s.valueReceiver())
	}
}

// stateMethods tell about the session.
func (s *session) stateMethods() []method {
	text, truth, instant := s.goOwn("string"), s.goOwn("bool"), s.qual("time", "Time")
	return []method{
		s.asks("Dirty", truth,
			"Dirty reports whether anything is to be stored: a changed field, or a pending renewal, expiry"+
				" or destruction of a stored session."),
		s.asks("DirtyFields", jen.Index().Add(text),
			"DirtyFields returns the keys of the changed fields, sorted."),
		s.asks("IsNew", truth,
			"IsNew reports whether no stored session stands behind this one. It loads."),
		s.asks("Handle", text,
			"Handle returns the session's id, which may be logged: it opens nothing. It is empty until"+
				" there is one. The token itself is never handed out."),
		s.asks("CreatedAt", instant,
			"CreatedAt returns when the session was stored first, the zero time for a new one."),
		s.asks("RenewedAt", instant,
			"RenewedAt returns when the token was last renewed: how fresh the sign-in is."),
		s.asks("ExpiresAt", instant,
			"ExpiresAt returns when the session ends if it is not used any more, the zero time for a new"+
				" one. A pending SetExpiry counts."),
		s.asks("Err", s.goOwn("error"),
			"Err returns the first error of loading or saving the session, nil if there was none."),
	}
}

// lifeMethods change the session as a whole.
func (s *session) lifeMethods() []method {
	instant := s.local("t").Add(s.qual("time", "Time"))
	return []method{
		s.tells("SetExpiry", []jen.Code{instant}, []jen.Code{s.local("t")},
			"SetExpiry makes the session end at t, at most 400 days from now. The zero time brings back the"+
				" configured age, a past time destroys the session."),
		s.tells("Renew", nil, nil,
			"Renew gives the session a new token at the commit and leaves its data as it is. The old token"+
				" works until the new one has reached the browser and the grace has passed."),
		s.tells("Destroy", nil, nil,
			"Destroy ends the session everywhere and removes its cookie. What was pending is discarded;"+
				" what is written afterwards starts a fresh session."),
		s.attempts("Load",
			"Load loads the session now instead of at the first read, to see an error early."),
		s.attempts("Save",
			"Save stores the pending changes now, to see an error early. The hooks save what is left."),
	}
}

// printMethods keep the token and the data out of everything that prints, a
// dereferenced session included.
func (s *session) printMethods() []method {
	format := method{
		name:   "Format",
		params: []jen.Code{s.local("f").Add(s.qual("fmt", "State")), s.local("verb").Add(s.goOwn("rune"))},
		body:   []jen.Code{s.core().Dot("Format").Call(s.local("f"), s.local("verb"))},
	}
	format.doc.say("Format shows the session's type and handle, whatever the verb. It implements [fmt.Formatter].")
	marshal := method{
		name:    "MarshalJSON",
		results: []jen.Code{jen.Index().Add(s.goOwn("byte")), s.goOwn("error")},
		body:    []jen.Code{jen.Return(s.core().Dot("MarshalJSON").Call())},
	}
	marshal.doc.say("MarshalJSON shows the session's type and handle.")
	return []method{
		format,
		s.asks("LogValue", s.qual("log/slog", "Value"), "LogValue shows the session's type and handle."),
		marshal,
	}
}

// asks is a method without parameters that returns what the runtime says.
func (s *session) asks(name string, result jen.Code, text string) method {
	m := method{
		name:    name,
		results: []jen.Code{result},
		body:    []jen.Code{jen.Return(s.core().Dot(name).Call())},
	}
	m.doc.say("%s", text)
	return m
}

// tells is a method without results.
func (s *session) tells(name string, params, args []jen.Code, text string) method {
	m := method{
		name:   name,
		params: params,
		body:   []jen.Code{s.core().Dot(name).Call(args...)},
	}
	m.doc.say("%s", text)
	return m
}

// attempts is a method that takes a context and may fail.
func (s *session) attempts(name, text string) method {
	m := method{
		name:    name,
		params:  []jen.Code{s.contextParam()},
		results: []jen.Code{s.goOwn("error")},
		body:    []jen.Code{jen.Return(s.core().Dot(name).Call(s.local("ctx")))},
	}
	m.doc.say("%s", text)
	return m
}
