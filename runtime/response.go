package runtime

import (
	"net/http"
	"slices"
	"strings"
)

// What a response carries of its session: the commit before its first byte, and
// the fields of its header.

// respond is the commit before the first byte of the response.
func (s *Session) respond(h http.Header) error {
	err := s.hookCommit()
	if err == nil && s.sight == outage && (s.unsaved || s.engine.config.FailClosed) {
		err = s.refusal
	}
	s.sendHeader(h)
	s.begun = true
	return err
}

// sendHeader puts everything into the header that the session has to say.
func (s *Session) sendHeader(h http.Header) {
	if s.consulted && !variesByCookie(h) {
		s.vary[0] = "Cookie"
		h["Vary"] = appendLine(h["Vary"], &s.vary)
	}
	s.sendCookie(h)
	if s.setCookie[0] != "" {
		keepOutOfCaches(h, &s.cacheControl) // even if the handler has changed that since Save
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
	keepOutOfCaches(h, &s.cacheControl)
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
	keepOutOfCaches(h, new([1]string))
}

// keepOutOfCaches serves ASVS 5.0, 14.3.2.
func keepOutOfCaches(h http.Header, room *[1]string) {
	room[0] = "no-store"
	h["Cache-Control"] = room[:]
}

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
