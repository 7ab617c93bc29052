package runtime

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// clear returns the Set-Cookie line that removes the cookie. It carries the same
// attributes, without which browsers keep a prefixed cookie.
func (c *Cookie) clear() string {
	line := c.line()
	line.Expires = time.Unix(0, 0)
	line.MaxAge = -1
	return line.String()
}

func (c *Cookie) line() http.Cookie {
	return http.Cookie{
		Name:        c.Name,
		Path:        c.Path,
		Domain:      c.Domain,
		Secure:      c.Secure,
		HttpOnly:    c.HTTPOnly,
		SameSite:    c.SameSite,
		Partitioned: c.Partitioned,
	}
}

// A CookieScope is where browsers keep a cookie: one of the same name at another
// scope is another cookie.
type CookieScope struct {
	Domain      string // empty: host-only
	Path        string // empty: "/"
	Partitioned bool
}

func (c *Cookie) scope() CookieScope {
	return CookieScope{strings.ToLower(c.Domain), c.Path, c.Partitioned}
}

// What is cleared is bounded, whatever path and host a request has: proxies take
// only so much header.
const (
	maxClearedPaths   = 16
	maxClearedDomains = 8
	maxClearedBytes   = 2 << 10
)

// clearElsewhere returns the Set-Cookie lines that remove the cookie from other
// scopes than the configured one, the nearest first. If the same response does not
// set the cookie, its twin that differs in Partitioned alone stays: a browser that
// does not know the attribute would take it for the cookie itself.
func (c *Config) clearElsewhere(host, path string, sets bool) (lines []string) {
	size := 0
	for _, scope := range c.otherScopes(host, path) {
		toggled := scope
		toggled.Partitioned = c.Cookie.Partitioned
		if !sets && toggled == c.Cookie.scope() {
			continue
		}
		other := c.Cookie
		other.Domain, other.Path, other.Partitioned = scope.Domain, scope.Path, scope.Partitioned
		line := other.clear()
		if size += len("Set-Cookie: ") + len(line) + len("\r\n"); size > maxClearedBytes {
			break
		}
		lines = append(lines, line)
	}
	return lines
}

// otherScopes returns the scopes at which the browser of a request to the path may
// have a cookie of this name besides the configured one.
func (c *Config) otherScopes(host, path string) (scopes []CookieScope) {
	own := c.Cookie.scope()
	add := func(s CookieScope) {
		known := s == own || slices.Contains(scopes, s)
		if !known && c.Cookie.allows(s) {
			scopes = append(scopes, s)
		}
	}
	add(CookieScope{own.Domain, own.Path, !own.Partitioned})
	add(CookieScope{"", own.Path, own.Partitioned})
	add(CookieScope{strings.ToLower(c.ServerDomain), own.Path, own.Partitioned})
	for _, s := range c.Cookie.Earlier {
		add(s)
	}
	domains := scopesOfHost(host)
	for _, path := range append([]string{own.Path}, scopesOfPath(path)...) {
		for _, domain := range domains {
			add(CookieScope{domain, path, own.Partitioned})
		}
	}
	return scopes
}

// allows reports whether browsers keep a cookie of this name at the scope.
func (c *Cookie) allows(s CookieScope) bool {
	if s.Partitioned && !c.Secure {
		return false
	}
	return !c.hasPrefix("__Host-") || s.Domain == "" && s.Path == "/"
}

func (c *Cookie) hasPrefix(prefix string) bool {
	return len(c.Name) >= len(prefix) && strings.EqualFold(c.Name[:len(prefix)], prefix)
}

// scopesOfPath returns the cookie paths that match a request's path, shortest
// first (RFC 6265, section 5.1.4). One that a browser would not take as it is
// must be left out: the cookie would be removed elsewhere.
func scopesOfPath(path string) []string {
	scopes := []string{"/"}
	for i := 2; i <= len(path) && len(scopes) < maxClearedPaths; i++ {
		whole := i == len(path) || path[i] == '/' || path[i-1] == '/'
		if whole && isCookiePath(path[:i]) {
			scopes = append(scopes, path[:i])
		}
	}
	return scopes
}

// scopesOfHost returns every cookie domain that matches a request's host: none
// for a host-only cookie, the host, and its parents up to two labels.
func scopesOfHost(host string) []string {
	if name, port, ok := strings.Cut(host, ":"); ok && !strings.Contains(port, ":") {
		host = name
	}
	scopes := []string{""}
	for isDomain(host) && strings.Contains(host, ".") && len(scopes) < maxClearedDomains {
		scopes = append(scopes, strings.ToLower(host))
		_, host, _ = strings.Cut(host, ".")
	}
	return scopes
}

// isCookiePath checks that browsers and net/http take the path as it is.
func isCookiePath(s string) bool {
	return strings.HasPrefix(s, "/") && len(s) <= maxAttributeBytes &&
		!strings.ContainsFunc(s, func(r rune) bool { return r == ';' || r <= ' ' || r >= 0x7f })
}

// isDomain checks the grammar of a domain name. An IPv4 address, which has no
// parents to share a cookie with, is not one.
func isDomain(s string) bool {
	letter := func(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }
	bad := func(r rune) bool { return !letter(r) && (r < '0' || r > '9') && r != '-' }
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, bad) {
			return false
		}
	}
	return len(s) <= 253 && strings.ContainsFunc(s, letter)
}
