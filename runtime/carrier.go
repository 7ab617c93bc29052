package runtime

import (
	"net/http"
	"strings"
	"time"
)

// A carrier is how tokens travel between the program and its clients: in a cookie,
// or in a header field of requests and responses.
type carrier interface {
	// name names the carrier for people.
	name() string

	// ambient reports whether browsers send what they have with every request, also
	// with those that a page of somebody else makes.
	ambient() bool

	// request and response are the header fields that it uses.
	request() string
	response() string

	// brought returns all that a request brings, and next the next value in that and
	// what follows it.
	brought(h http.Header) string
	next(brought string) (value, rest string, found bool)

	// set returns what gives a client the token in a response until it ends, nil for
	// the browser's own session, and clear what removes it.
	set(t token, ends *time.Time, now time.Time) string
	clear() string

	// isIn reports whether a response gives a token already.
	isIn(h http.Header) bool

	// elsewhere returns what removes tokens that the client of a request may have
	// besides the one that counts. Sets says that the same response gives that.
	elsewhere(r *http.Request, sets bool) []string
}

func (c *Config) carrier() carrier {
	if c.Header != "" {
		return newHeaderCarrier(c.Header)
	}
	return &cookieCarrier{cookieForm: c.Cookie.form(), config: c}
}

// A cookieCarrier has the token in a cookie.
type cookieCarrier struct {
	cookieForm
	config *Config
}

func (c *cookieCarrier) name() string                 { return "cookie \"" + c.config.Cookie.Name + "\"" }
func (c *cookieCarrier) brought(h http.Header) string { return joined(h["Cookie"], "; ") }

// A headerCarrier has the token in a header field: in Authorization as RFC 6750,
// section 2.1, says, and by itself in any other. It is cleared by an empty one.
type headerCarrier struct {
	field  string
	scheme string // before the token, with a space; empty: none
}

func newHeaderCarrier(field string) *headerCarrier {
	c := &headerCarrier{field: field}
	if field == "Authorization" {
		c.scheme = "Bearer "
	}
	return c
}

func (c *headerCarrier) name() string                 { return "header " + c.field }
func (c *headerCarrier) brought(h http.Header) string { return joined(h[c.field], ",") }

// joined returns the lines of a header field as one, which they are but for odd
// clients.
func joined(lines []string, separator string) string {
	switch len(lines) {
	case 0:
		return ""
	case 1:
		return lines[0]
	default:
		return strings.Join(lines, separator)
	}
}

// A cookieForm is the Set-Cookie line of a configuration in its constant parts:
// most requests of new visitors need one.
type cookieForm struct {
	name  string // with =
	scope string // between the token and the end
	flags string // behind it
}

func (c *Cookie) form() cookieForm {
	line := c.line()
	line.MaxAge = 1
	scope, flags, _ := strings.Cut(strings.TrimPrefix(line.String(), c.Name+"="), "; Max-Age=1")
	return cookieForm{name: c.Name + "=", scope: scope, flags: flags}
}
