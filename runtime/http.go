package runtime

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// commitTimeout bounds the commits of the hooks. They run even when the visitor
// hangs up: that must not cancel a sign-out.
const commitTimeout = 5 * time.Second

// Middleware gives every request its session and commits it before the first
// byte of the response, and again at the end if something changed later.
func (m *Manager[S]) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := m.begin(r)
		if x == nil {
			next.ServeHTTP(w, r)
			return
		}
		x.writer = writer{under: w, session: &x.session, encoding: w.Header()["Content-Encoding"]}
		x.session.writer = &x.writer
		next.ServeHTTP(x.writer.face(), r.WithContext(x))
		x.writer.finish()
	})
}

// ProcessRequest attaches the session to the request's context, for frameworks
// without [http.Handler]. ProcessResponse is its counterpart.
func (m *Manager[S]) ProcessRequest(r *http.Request) *http.Request {
	x := m.begin(r)
	if x == nil {
		return r
	}
	return r.WithContext(x)
}

// ProcessResponse commits the session of a request that came from
// ProcessRequest and puts the cookie into w's header. Call it before anything is
// written to w; after an error answer with [StatusOf] it.
func (m *Manager[S]) ProcessResponse(w http.ResponseWriter, r *http.Request) error {
	x := m.exchangeOf(r.Context())
	if x == nil {
		return ErrNoMiddleware
	}
	s := &x.session
	if s.pass(phaseClosed) {
		return nil
	}
	s.lock()
	defer s.unlock()
	if s.live != nil {
		return nil
	}
	err := s.respond(w.Header())
	s.phase = phaseClosed
	return err
}

// StatusOf returns the HTTP status that tells a visitor of a failed commit: 409
// where the session has ended or moved on, 503 where it could not be saved.
func StatusOf(err error) int {
	if errors.Is(err, ErrEnded) || errors.Is(err, ErrSuperseded) {
		return http.StatusConflict
	}
	return http.StatusServiceUnavailable
}

// respond is the commit before the first byte of the response.
func (s *Session) respond(h http.Header) error {
	err := s.hookCommit()
	if err == nil && s.outage && (s.unsaved || s.engine.config.FailClosed) {
		err = s.blocked
	}
	s.sendHeader(h)
	s.begun = true
	return err
}

// hookCommit stores what changed, or extends the life of what was only read.
func (s *Session) hookCommit() error {
	dirty := s.dirty()
	if !dirty && !s.extensible() {
		return nil
	}
	c := s.takeCommitment()
	c.context.begin(s.ctx)
	defer c.context.stop()
	if dirty {
		return s.commit(&c.context, c)
	}
	s.extend(&c.context, c)
	return nil
}

// sendHeader puts everything into the header that the session has to say.
func (s *Session) sendHeader(h http.Header) {
	if s.read && !variesByCookie(h) {
		s.vary[0] = "Cookie"
		h["Vary"] = appendLine(h["Vary"], &s.vary)
	}
	s.sendCookie(h)
	if s.setCookie[0] != "" {
		s.keepOutOfCaches(h) // also where the handler has changed that since Save
	}
	if s.duplicate && !s.begun {
		for _, line := range s.engine.config.Cookie.clearElsewhere(s.request) {
			addCookie(h, line)
		}
	}
}

// sendCookie puts the cookie into the header, in place of an earlier one of the
// same response. A cookie of that name which somebody else has put there stays.
func (s *Session) sendCookie(h http.Header) {
	change := s.cookie
	s.cookie = cookieKept
	switch {
	case change == cookieKept:
		return
	case s.begun:
		s.report(EventCookieLate, "", nil)
		return
	}
	if sent := s.setCookie[0]; sent != "" {
		h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], func(line string) bool { return line == sent })
	}
	cookie := &s.engine.config.Cookie
	if cookie.isIn(h) {
		s.report(EventCookieTaken, "", nil)
		return
	}
	if change == cookieSet {
		s.setCookie[0] = s.engine.cookie.set(s.token(), s.cookieEnds, s.engine.clock.read())
	} else {
		s.setCookie[0] = cookie.clear()
	}
	h["Set-Cookie"] = appendLine(h["Set-Cookie"], &s.setCookie)
	s.keepOutOfCaches(h)
}

func (s *Session) keepOutOfCaches(h http.Header) {
	s.cacheControl[0] = noStore
	h["Cache-Control"] = s.cacheControl[:]
}

// appendLine adds the line in room to those of a header field. The first one
// needs no other memory.
func appendLine(lines []string, room *[1]string) []string {
	if len(lines) == 0 {
		return room[:]
	}
	return append(lines, room[0])
}

func addCookie(h http.Header, line string) {
	h["Set-Cookie"] = append(h["Set-Cookie"], line)
	keepOutOfCaches(h)
}

// noStore serves ASVS 5.0, 14.3.2.
const noStore = "no-store"

func keepOutOfCaches(h http.Header) { h["Cache-Control"] = []string{noStore} }

// variesByCookie reports whether a response says already that it depends on the
// cookie (RFC 9110, section 12.5.5).
func variesByCookie(h http.Header) bool {
	for _, line := range h["Vary"] {
		for field := range strings.SplitSeq(line, ",") {
			if field = strings.TrimSpace(field); field == "*" || strings.EqualFold(field, "Cookie") {
				return true
			}
		}
	}
	return false
}

// deliver notes that the browser has to learn the session's token, over a live
// connection by the ticket, nil where none is needed.
func (s *Session) deliver(ticket *Ticket, secret secret) {
	s.cookie = cookieSet
	if ticket != nil {
		s.live.ticket, s.live.undelivered = secret, ticket.Sole
	}
}
