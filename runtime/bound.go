package runtime

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Bound says which sessions are bound to the device of their browser (W3C draft
// Device Bound Session Credentials).
type Bound uint8

const (
	BoundNever  Bound = iota
	BoundSignIn       // those that somebody signs in to
	BoundAlways       // every new one, too
)

// BoundCookie returns the form of the bound cookie. It lives at the whole host,
// whose other programs cannot plant it, and has the name of the session's cookie but
// for the prefix: session types whose names differ in that alone cannot be bound both.
func (c *Config) BoundCookie() Cookie {
	// The prefix __Host-Http- would be the better one, but with it browsers do not bind.
	return Cookie{
		Name:     "__Host-bound_" + c.Cookie.bareName(),
		Path:     "/",
		Secure:   true,
		HTTPOnly: true,
		SameSite: c.Cookie.SameSite,
	}
}

// bareName returns the name without a prefix that demands something of it.
func (c *Cookie) bareName() string {
	for _, prefix := range []string{"__Host-Http-", "__Host-", "__Http-", "__Secure-"} {
		if c.hasPrefix(prefix) {
			return c.Name[len(prefix):]
		}
	}
	return c.Name
}

// boundProblems returns what keeps browsers from binding a session.
func (c *Config) boundProblems() []Problem {
	var l problemList
	if c.Bound == BoundNever {
		return nil
	}
	say := fmt.Sprintf
	l.demand(c.Bound <= BoundAlways, "Bound",
		say("is %d, which is none of its values", c.Bound),
		"use BoundNever, BoundSignIn or BoundAlways")
	l.demand(time.Second <= c.BoundAge && c.BoundAge <= 24*time.Hour, "BoundAge",
		say("is %v, not between a second and a day", c.BoundAge),
		"set some minutes")
	l.demand(isLocalPath(c.BindPath) && isCookiePath(c.BindPath) && !strings.Contains(c.BindPath, `"`), "BindPath",
		say("is %q, which is not a path of this host", c.BindPath),
		"begin it with one /, and leave out host and query")
	l.exclude(!underPath(c.BindPath, c.Cookie.Path), "Bound", "Cookie.Path",
		say("needs the cookie at BindPath %s, but its path is %s", c.BindPath, c.Cookie.Path),
		"mount BindHandler below the cookie's path, and set BindPath")
	l.exclude(c.Header != "", "Bound", "Header",
		say("is set with the header %s, but browsers bind sessions by cookies", c.Header),
		"choose one of them")
	l.exclude(!c.Cookie.Secure, "Bound", "Cookie.Secure",
		"is set without Secure, and browsers bind sessions over HTTPS alone",
		"set Secure, or Bound to BoundNever")
	l.exclude(c.Cookie.Domain != "", "Bound", "Cookie.Domain",
		say("is set with the domain %s, but a bound cookie is its host's alone", c.Cookie.Domain),
		"leave out Domain and ServerDomain")
	l.exclude(c.Cookie.Partitioned, "Bound", "Cookie.Partitioned",
		"is set with Partitioned, and browsers bind no partitioned cookie",
		"choose one of them")
	return l
}

// underPath reports whether browsers send a cookie of the path to the other one
// (RFC 6265, section 5.1.4).
func underPath(path, cookiePath string) bool {
	rest, ok := strings.CutPrefix(path, cookiePath)
	return ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(cookiePath, "/"))
}

// invitation returns the header field by which a browser is invited to register a
// key (draft, section "Secure-Session-Registration").
func (c *Config) invitation(challenge string) string {
	return `(ES256 RS256);path="` + c.BindPath + `";challenge="` + challenge + `"`
}

const invitationField = "Secure-Session-Registration"

// boundAgeOf returns how long the browser keeps a bound cookie: a little less than
// it is worth, so that no request is on its way with one that has just ended.
func boundAgeOf(age time.Duration) time.Duration {
	return age - min(age/10, 30*time.Second)
}

func (c *Cookie) boundLine(value string, age time.Duration) *http.Cookie {
	line := c.line()
	line.Value, line.MaxAge = value, int(boundAgeOf(age)/time.Second)
	return &line
}
