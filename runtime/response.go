package runtime

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// What a response carries of its session: the commit before its first byte, and
// the fields of its header.

// commitResponse is the commit of a request, before the first byte of the response
// and at its end. What was done by a handler that failed, or for nobody any more,
// counts only as far as it ends something.
func (s *Session) commitResponse(failed bool) error {
	if failed && !s.engine.config.CommitFailed {
		s.keepEnds()
	}
	unlearnt := s.dropUnlearnt()
	err := s.hookCommit()
	switch {
	case err != nil:
		return err
	case unlearnt != nil:
		return s.fault("save", unlearnt)
	case s.sight == outage && (s.unsaved || s.engine.config.FailClosed):
		return s.refusal
	}
	return nil
}

// keepEnds drops what is pending but for what ends: a destruction, and fields that
// sign out. It reports whether there was anything else.
func (s *Session) keepEnds() bool {
	others := s.hasToken && (s.renew || s.expiry != nil)
	s.renew, s.expiry = false, nil
	return s.draft.keepSignOuts() || others
}

// dropUnlearnt drops what is not to be stored once the request is over: what needs
// a cookie, because nobody would learn it, and after a deadline everything else,
// because whoever set it has answered already. What ends something stays. It
// returns an error if there was anything to drop.
func (s *Session) dropUnlearnt() error {
	over := s.over()
	if over == nil || !s.dirty() {
		return nil
	}
	dropped := false
	switch {
	case errors.Is(over, context.DeadlineExceeded), !s.hasToken, s.draft.signsIn():
		dropped = s.keepEnds()
	case s.renew:
		s.renew, dropped = false, true
	}
	if !dropped {
		return nil
	}
	return over
}

// sendHeader puts everything into the header that the session has to say. More
// says that the handler goes on, and may read its session later.
func (s *Session) sendHeader(h http.Header, more bool) {
	switch {
	case s.consulted:
		s.varyByCookie(h)
	case more:
		s.expectRead(h)
	}
	settled := s.settleDuplicates()
	s.sendCookie(h)
	s.keepCookie(h)
	if sets := s.setCookie[0] != ""; settled || sets && s.bringsCookie() {
		s.clearElsewhere(h, sets)
	}
	s.begun = true
}

// expectRead has the response say that it depends on the cookie, although nobody
// has read the session yet: a template may do so while the response is under way.
// What the handler has made cacheable is not expected to.
func (s *Session) expectRead(h http.Header) {
	if isCacheable(h) {
		s.unvaried = !variesByCookie(h)
		return
	}
	s.varyByCookie(h)
}

// isCacheable reports whether a handler has said itself what caches may do.
func isCacheable(h http.Header) bool {
	return len(h["Cache-Control"]) > 0 || len(h["Expires"]) > 0 || len(h["Etag"]) > 0 || len(h["Last-Modified"]) > 0
}

func (s *Session) varyByCookie(h http.Header) {
	if !variesByCookie(h) {
		s.vary[0] = "Cookie"
		h["Vary"] = appendLine(h["Vary"], &s.vary)
	}
}

// keepCookie keeps what Save has put into the header, whatever has become of that
// since.
func (s *Session) keepCookie(h http.Header) {
	if s.setCookie[0] == "" {
		return
	}
	if !s.engine.config.Cookie.isIn(h) {
		h["Set-Cookie"] = appendLine(h["Set-Cookie"], &s.setCookie)
	}
	keepOutOfCaches(h, &s.cacheControl)
}

// clearElsewhere removes the cookie from other scopes. The lines stand before the
// one that sets it: where a browser takes two scopes for one, the last one counts.
func (s *Session) clearElsewhere(h http.Header, sets bool) {
	lines := s.engine.config.clearElsewhere(s.request, sets)
	if len(lines) == 0 {
		return
	}
	h["Set-Cookie"] = append(lines, h["Set-Cookie"]...)
	keepOutOfCaches(h, &s.cacheControl)
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
		s.checkTransport()
		s.setCookie[0] = s.engine.cookie.set(s.token(), s.cookieEnds, s.engine.clock.read())
	} else {
		s.setCookie[0] = cookie.clear()
	}
	h["Set-Cookie"] = appendLine(h["Set-Cookie"], &s.setCookie)
	keepOutOfCaches(h, &s.cacheControl)
}

// checkTransport reports once that browsers will not keep the cookie.
func (s *Session) checkTransport() {
	e := s.engine
	if !e.config.Cookie.Secure || s.request == nil || e.insecure.Load() || !isPlainHTTP(s.request) {
		return
	}
	if !e.insecure.Swap(true) {
		s.report(EventInsecure, "", nil)
	}
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
