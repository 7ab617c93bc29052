package runtime

import (
	"net/http"
	"slices"
	"strings"
)

// A responseHeader is the header of a response, into which its session puts what
// caches and the browser have to know.
type responseHeader struct {
	*Session
	http.Header
}

// send puts everything into the header that the session has to say. More
// says that the handler goes on, and may read its session later.
func (r responseHeader) send(more bool) {
	switch {
	case r.consulted:
		r.varyByToken()
	case more:
		r.expectRead()
	}
	if r.private {
		keepOutOfCaches(r.Header, &r.cacheControl)
	}
	settled := r.settleDuplicates()
	r.sendCookie()
	r.keepCookie()
	if sets := r.sent; settled || sets && r.bringsCookie() {
		r.clearElsewhere(sets)
	}
	r.begun = true
}

// expectRead has the response say that it depends on the cookie, although nobody
// has read the session yet: a template may do so while the response is under way.
// What the handler has made cacheable is not expected to.
func (r responseHeader) expectRead() {
	if isCacheable(r.Header) {
		r.unvaried = !varies(r.Header, r.engine.carrier.request())
		return
	}
	r.varyByToken()
}

// isCacheable reports whether a handler has said itself what caches may do.
func isCacheable(h http.Header) bool {
	return len(h["Cache-Control"]) > 0 || len(h["Expires"]) > 0 || len(h["Etag"]) > 0 || len(h["Last-Modified"]) > 0
}

func (r responseHeader) varyByToken() {
	if !varies(r.Header, r.engine.carrier.request()) {
		r.vary[0] = r.engine.carrier.request()
		r.Header["Vary"] = appendLine(r.Header["Vary"], &r.vary)
	}
}

// keepCookie keeps what Save has put into the header, whatever has become of that
// since.
func (r responseHeader) keepCookie() {
	if !r.sent {
		return
	}
	if !r.engine.carrier.isIn(r.Header) {
		r.add()
	}
	keepOutOfCaches(r.Header, &r.cacheControl)
}

// clearElsewhere removes the cookie from other scopes. The lines stand before the
// one that sets it: where a browser takes two scopes for one, the last one counts.
func (r responseHeader) clearElsewhere(sets bool) {
	lines := r.engine.carrier.elsewhere(r.request, sets)
	if len(lines) == 0 {
		return
	}
	field := r.engine.carrier.response()
	r.Header[field] = append(lines, r.Header[field]...)
	keepOutOfCaches(r.Header, &r.cacheControl)
}

// settleDuplicates makes one cookie of several: what opens the session is sent
// again, so that everything at other scopes can go. It reports whether the
// response is to remove that.
func (r responseHeader) settleDuplicates() bool {
	if r.contest == nil || r.begun {
		return false
	}
	r.load(r.ctx)
	if r.sight == seen && r.cookie == cookieKept && !r.sent {
		r.cookie, r.cookieEnds = cookieSet, r.engine.config.Cookie.end(r.draft.stored.Persistence, &r.draft.stored.Deadline)
	}
	return r.sight == seen || r.sight == absent
}

// bringsCookie reports whether the browser has a cookie of the session's name.
func (r responseHeader) bringsCookie() bool {
	_, _, found := r.engine.carrier.next(r.brought)
	return found
}

// sendCookie puts the cookie into the header, in place of an earlier one of the
// same response. A cookie of that name which somebody else has put there stays.
func (r responseHeader) sendCookie() {
	change := r.cookie
	r.cookie = cookieKept
	switch {
	case change == cookieKept:
		return
	case r.begun:
		r.report(EventCookieLate, "", nil)
		return
	}
	carrier := r.engine.carrier
	if r.sent {
		field := carrier.response()
		r.Header[field] = slices.DeleteFunc(r.Header[field], func(line string) bool { return line == r.setCookie[0] })
	}
	if carrier.isIn(r.Header) {
		r.report(EventCookieTaken, "", nil)
		return
	}
	if change == cookieSet {
		r.checkTransport()
		r.setCookie[0] = carrier.set(r.token(), r.cookieEnds, r.engine.clock.read())
	} else {
		r.setCookie[0] = carrier.clear()
	}
	r.sent = true
	r.add()
	keepOutOfCaches(r.Header, &r.cacheControl)
	r.sendBound()
}

// sendBound invites the browser to register a key of its device, and takes the bound
// cookie of a session that it has left: then it asks at once, and learns that there is
// nothing to refresh any more.
func (r responseHeader) sendBound() {
	if r.invitation != nil {
		r.Header.Set(invitationField, r.engine.config.invitation(r.invitation.text()))
		r.invitation = nil
	}
	if _, _, brought := r.engine.device.next(r.brought); brought && r.unbinds {
		r.Header.Add("Set-Cookie", r.engine.device.clear())
		r.unbinds = false
	}
}

// add adds what the session says to its client to the header.
func (r responseHeader) add() {
	field := r.engine.carrier.response()
	r.Header[field] = appendLine(r.Header[field], &r.setCookie)
}

// checkTransport reports once that browsers will not keep the cookie.
func (r responseHeader) checkTransport() {
	e := r.engine
	if !e.carrier.ambient() || !e.config.Cookie.Secure || r.request == nil || e.insecure.Load() || !isPlainHTTP(r.request) {
		return
	}
	if !e.insecure.Swap(true) {
		r.report(EventInsecure, "", nil)
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

// keepOutOfCaches serves ASVS 5.0, 14.3.2.
func keepOutOfCaches(h http.Header, room *[1]string) {
	room[0] = "no-store"
	h["Cache-Control"] = room[:]
}

// varies reports whether a response says already that it depends on a field of the
// request (RFC 9110, section 12.5.5).
func varies(h http.Header, by string) bool {
	for _, line := range h["Vary"] {
		for field := range strings.SplitSeq(line, ",") {
			if field = strings.TrimSpace(field); field == "*" || strings.EqualFold(field, by) {
				return true
			}
		}
	}
	return false
}

// isIn reports whether a response sets the cookie already.
func (c *Cookie) isIn(h http.Header) bool {
	return slices.ContainsFunc(h["Set-Cookie"], func(line string) bool {
		name, _, _ := strings.Cut(line, "=")
		return name == c.Name
	})
}

// What the carriers of tokens say of a response.

func (c *cookieCarrier) request() string         { return "Cookie" }
func (c *headerCarrier) request() string         { return c.field }
func (c *cookieCarrier) response() string        { return "Set-Cookie" }
func (c *headerCarrier) response() string        { return c.field }
func (c *cookieCarrier) ambient() bool           { return true }
func (c *headerCarrier) ambient() bool           { return false }
func (c *cookieCarrier) isIn(h http.Header) bool { return c.config.Cookie.isIn(h) }
func (c *headerCarrier) isIn(h http.Header) bool { return len(h[c.field]) > 0 }
func (c *cookieCarrier) clear() string           { return c.config.Cookie.clear() }
func (c *headerCarrier) clear() string           { return "" }

func (c *cookieCarrier) elsewhere(r *http.Request, sets bool) []string {
	return c.config.clearElsewhere(r.Host, requestedPath(r), sets)
}

func (c *headerCarrier) elsewhere(*http.Request, bool) []string { return nil }

// isPlainHTTP reports whether nothing says that a browser's request is of HTTPS or
// of this machine: neither the connection, nor a proxy, nor the browser, which has
// the Sec-Fetch fields for such origins alone.
func isPlainHTTP(r *http.Request) bool {
	h := r.Header
	return r.TLS == nil && h.Get("Sec-Fetch-Site") == "" &&
		!strings.EqualFold(h.Get("X-Forwarded-Proto"), "https") && h.Get("X-Forwarded-Ssl") != "on" &&
		!strings.Contains(strings.ToLower(h.Get("Forwarded")), "proto=https") &&
		!strings.HasPrefix(h.Get("Origin"), "https://") && !isOwnMachine(r.Host)
}
