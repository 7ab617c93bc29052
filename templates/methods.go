package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"
)

// sessionMethods are the methods that every session has. Each hands over to the
// runtime's session.
func (s *session) sessionMethods(g *jen.Group) {
	heading(g, "The session as a whole.")
	for _, m := range s.stateMethods() {
		m.write(g, s.receiver())
	}
	for _, m := range s.lifeMethods() {
		m.write(g, s.receiver())
	}
	for _, m := range s.forgeryMethods() {
		m.write(g, s.receiver())
	}
	if s.Policy.Bound != nil {
		s.bound().write(g, s.receiver())
	}
	for _, m := range s.printMethods() {
		m.write(g, s.valueReceiver())
	}
}

// stateMethods return what is known of the session.
func (s *session) stateMethods() []method {
	text, truth, instant := s.goOwn("string"), s.goOwn("bool"), s.qual("time", "Time")
	return []method{
		s.asks("Dirty", truth,
			"Dirty reports whether the session has changes that are not stored yet: changed fields, or a pending"+
				" renewal, expiry or destruction of a stored session."),
		s.asks("DirtyFields", jen.Index().Add(text),
			"DirtyFields returns the keys of the changed fields, sorted."),
		s.asks("IsNew", truth,
			"IsNew reports whether the session is not stored yet. It loads the session."),
		s.asks("Handle", text,
			"Handle returns the session's id, which is empty until there is one. It may be logged: unlike the"+
				" token, which no method returns, it gives no access."),
		s.asks("CreatedAt", instant,
			"CreatedAt returns the time at which the session was first stored, the zero time for a new session."),
		s.asks("RenewedAt", instant,
			"RenewedAt returns the time of the token's last renewal, whatever renewed it; the time of creation if nothing"+
				" has, the zero time for a new session."),
		s.asks("SignedInAt", instant,
			"SignedInAt returns the time of the last sign-in, the zero time if nobody has signed in or since a sign-out."),
		s.asks("LastUsedAt", instant,
			"LastUsedAt returns the time of the last recorded use, the zero time for a new session. A use that changes"+
				" nothing is recorded at most every Config.TouchEvery, and without an idle limit only if that is set."),
		s.asks("ExpiresAt", instant,
			"ExpiresAt returns the time at which the session ends if it is not used again, the zero time for a new"+
				" session. A pending SetExpiry or SetIdle counts."),
		s.asks("Renewed", truth,
			"Renewed reports whether this request has given the stored session a new token, by Renew, a sign-in or a"+
				" sign-out, or is about to."),
		s.asks("Destroyed", truth,
			"Destroyed reports whether this request has ended the stored session, or is about to."),
		s.asks("Err", s.goOwn("error"),
			"Err returns the first error of loading or saving the session, or nil."),
	}
}

// lifeMethods change the session as a whole.
func (s *session) lifeMethods() []method {
	instant := s.local("t").Add(s.qual("time", "Time"))
	span := s.local("d").Add(s.qual("time", "Duration"))
	return []method{
		s.does("SetExpiry", []jen.Code{instant}, []jen.Code{s.local("t")},
			fmt.Sprintf("SetExpiry makes the session end at %s, at most 400 days from now. The zero time resets the"+
				" end to the configured age; a time that has passed destroys the session.", s.locals.name("t"))),
		s.does("SetIdle", []jen.Code{span}, []jen.Code{s.local("d")},
			fmt.Sprintf("SetIdle makes the session end once it has not been used for %s, whatever the configured idle"+
				" limit. Zero goes back to the configured one.", s.locals.name("d"))),
		s.does("SetPersistent", []jen.Code{s.local("on").Add(s.goOwn("bool"))}, []jen.Code{s.local("on")},
			"SetPersistent says whether the session's cookie outlives the browser, as a box \"remember me\" asks, whatever"+
				" is configured. The browser is sent the cookie."),
		s.does("Renew", nil, nil,
			"Renew gives the session a new token when it is stored, and keeps its data. The old token works until"+
				" the new one has reached the browser and the grace period has passed."),
		s.does("Destroy", nil, nil,
			"Destroy ends the session everywhere and removes its cookie. Pending changes are discarded; later ones"+
				" start a new session."),
		s.does("Discard", nil, nil,
			"Discard drops every change that is not stored yet, also that the session is to be renewed, to end, or to"+
				" expire at another time."),
		s.does("Passive", nil, nil,
			"Passive makes this request no use of the session: it does not move the idle limit. It is for pages that"+
				" ask by themselves now and then."),
		s.attempts("Load",
			"Load loads the session now instead of at the first read, and returns the error."),
		s.attempts("Reload",
			"Reload loads the session again now, to see what others have stored since, and returns the error. Pending"+
				" changes stay."),
		s.attempts("Save",
			"Save stores the pending changes now, and returns the error. Handlers need not call it: the hooks"+
				" store what is pending."),
	}
}

func (s *session) bound() method {
	return s.asks("Bound", s.goOwn("bool"),
		"Bound reports whether the session is bound to the device of its browser, so that a copy of its cookies soon"+
			" opens nothing. It loads the session.")
}

// forgeryMethods tell the requests of the program's own pages from those that
// another site makes a browser send.
func (s *session) forgeryMethods() []method {
	check := method{
		name:    "CheckCSRF",
		params:  []jen.Code{s.local("token").Add(s.goOwn("string"))},
		results: []jen.Code{s.goOwn("bool")},
		body:    []jen.Code{jen.Return(s.core().Dot("CheckCSRF").Call(s.local("token")))},
	}
	check.doc.say("CheckCSRF reports whether %s comes from CSRFToken of this session. It loads the session. Call it before"+
		" anything is changed.", s.locals.name("token"))
	return []method{
		s.asks("CSRFToken", s.goOwn("string"),
			"CSRFToken returns a token for the forms of this response, by which CheckCSRF knows requests that come from"+
				" them. It differs each time, and is good until the next sign-in or sign-out. It loads the session, and"+
				" creates one if there is none: call it before the response begins. It is empty if Err says why, and on a"+
				" session that FindBy has found."),
		check,
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
	format.doc.say("Format prints the session's type and handle, whatever the verb. It implements [fmt.Formatter].")
	marshal := method{
		name:    "MarshalJSON",
		results: []jen.Code{jen.Index().Add(s.goOwn("byte")), s.goOwn("error")},
		body:    []jen.Code{jen.Return(s.core().Dot("MarshalJSON").Call())},
	}
	marshal.doc.say("MarshalJSON encodes the session's type and handle.")
	return []method{
		format,
		s.asks("LogValue", s.qual("log/slog", "Value"), "LogValue returns the session's type and handle. It implements [slog.LogValuer]."),
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

// does is a method without results.
func (s *session) does(name string, params, args []jen.Code, text string) method {
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
