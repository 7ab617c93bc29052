package runtime

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A Problem is a setting of a [Config] that cannot work.
type Problem struct {
	Setting string // the field of Config: "Age", "Cookie.SameSite", "Keys[1]"
	With    string // the setting that it does not go with; empty: the value is wrong in itself
	Message string // what is wrong, to be read after the setting's name: "is 0s, not above 0"
	Hint    string // what to do about it
}

// Error returns the problem as one line.
func (p Problem) Error() string { return p.Setting + " " + p.Message + ": " + p.Hint }

const (
	tokenLength       = 64   // of a token's text
	maxCookieBytes    = 4096 // name and value, more is dropped by browsers
	maxAttributeBytes = 1024 // a longer attribute is ignored (RFC 6265bis, section 5.6)
)

// takenFields are header fields that a token must not stand in, because servers,
// proxies and browsers act on them.
var takenFields = []string{
	"Accept", "Cache-Control", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Cookie", "Date",
	"Expires", "Host", "Keep-Alive", "Location", "Origin", "Proxy-Authenticate", "Proxy-Authorization", "Referer",
	"Set-Cookie", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Vary", "Www-Authenticate",
}

// problems returns what is wrong with a complete configuration.
func (c *Config) problems() []Problem {
	l := problemList(c.Cookie.problems())
	say := fmt.Sprintf
	l.demand(c.Header == "" || isToken(c.Header), "Header",
		say("is %q, which is not the name of a header field", c.Header),
		"use letters, digits and - only, as in X-Session")
	l.demand(!slices.Contains(takenFields, c.Header), "Header",
		say("is %q, which has a meaning of its own", c.Header),
		"use Authorization, or a field of your own such as X-Session")
	l.demand(isNamespace(c.Namespace), "Namespace",
		say("is %q, which is not a namespace", shorten(c.Namespace)),
		say("use letters, digits and %s only, at most %d bytes", namespaceMarks, maxNamespace))
	l.demand(c.Age > 0, "Age",
		say("is %v, not above 0", c.Age),
		"set a life above 0")
	l.demand(c.Age <= MaxAge, "Age",
		say("is %v, above 400 days", c.Age),
		say("set at most %v, browsers keep no cookie longer", MaxAge))
	l.demand(c.Idle >= 0, "Idle",
		say("is %v, below 0", c.Idle),
		"set a limit above 0, or 0 for none")
	l.exclude(c.Idle > c.Age && c.Age > 0, "Idle", "Age",
		say("is %v, above the age of %v, so it never takes effect", c.Idle, c.Age),
		"lower it, or raise the age")
	l.demand(c.TouchEvery >= 0, "TouchEvery",
		say("is %v, below 0", c.TouchEvery),
		"set how often use is recorded, or 0 for a tenth of Idle")
	l.exclude(c.TouchEvery > c.Idle/2 && c.Idle > 0, "TouchEvery", "Idle",
		say("is %v, above half of the idle limit of %v, which would end sessions that are used", c.TouchEvery, c.Idle),
		"lower it, or raise the limit")
	l.demand(c.Grace >= 0, "Grace",
		say("is %v, below 0", c.Grace),
		"set 0 or more")
	l.demand(c.Timeout >= 0, "Timeout",
		say("is %v, below 0", c.Timeout),
		"set how long a call of the store may take")
	l.demand(c.MaxBytes > 0, "MaxBytes",
		say("is %d, not above 0", c.MaxBytes),
		"set a limit above 0")
	l = append(l, c.Keys.problems()...)
	l.demand(isLocalPath(c.SyncPath), "SyncPath",
		say("is %q, which is not a path of this host", c.SyncPath),
		"begin it with one /, and leave out host and query")
	l = append(l, c.boundProblems()...)
	for i, origin := range c.Origins {
		l.demand(isOrigin(origin), say("Origins[%d]", i),
			say("is %q, which is not an origin", origin),
			"write scheme and host as browsers do, as in https://shop.example")
	}
	return l
}

// problems returns what browsers would refuse or silently drop.
func (c *Cookie) problems() []Problem {
	var l problemList
	say := fmt.Sprintf
	l.demand(isToken(c.Name), "Cookie.Name",
		say("is %q, which is not a cookie name", c.Name),
		"use letters, digits and !#$%&'*+-.^_`|~ only")
	bytes := len(c.Name) + tokenLength
	l.demand(bytes <= maxCookieBytes, "Cookie.Name",
		say("makes a cookie of %d bytes", bytes),
		say("choose a shorter one, browsers drop cookies above %d bytes", maxCookieBytes))
	l.demand(isCookiePath(c.Path), "Cookie.Path",
		say("is %q, which is not a cookie path", c.Path),
		say("begin it with /, and use at most %d bytes without space, ; and control characters", maxAttributeBytes))
	l.demand(c.Domain == "" || isDomain(c.Domain), "Cookie.Domain",
		say("is %q, which is not a domain name", c.Domain),
		"write one such as example.com, and none for an IP address")
	l.demand(http.SameSiteLaxMode <= c.SameSite && c.SameSite <= http.SameSiteNoneMode, "Cookie.SameSite",
		say("is %d, which is not a mode", c.SameSite),
		"use one of net/http's SameSite constants")
	l.exclude(c.SameSite == http.SameSiteNoneMode && !c.Secure, "Cookie.SameSite", "Cookie.Secure",
		"is None without Secure, and browsers refuse that",
		"set Secure, or use Lax")
	l.exclude(c.Partitioned && !c.Secure, "Cookie.Partitioned", "Cookie.Secure",
		"is set without Secure, and browsers refuse that",
		"set Secure")
	for i, s := range c.Earlier {
		l.demand(isCookiePath(s.Path) && (s.Domain == "" || isDomain(s.Domain)), say("Cookie.Earlier[%d]", i),
			say("is %q at %q, which is not where a cookie can be", s.Domain, s.Path),
			"write path and domain as they were in Cookie")
	}
	return append(l, c.prefixProblems()...)
}

// prefixProblems applies what the prefixes of RFC 6265bis, section 4.1.3, and of
// its successor demand. Browsers compare them without regard to case.
func (c *Cookie) prefixProblems() []Problem {
	host := c.hasPrefix("__Host-")
	httpOnly := c.hasPrefix("__Http-") || c.hasPrefix("__Host-Http-")
	secure := host || httpOnly || c.hasPrefix("__Secure-")

	var l problemList
	exclude := func(broken bool, setting string, value any, demanded string) {
		l.exclude(broken, "Cookie."+setting, "Cookie.Name",
			fmt.Sprintf("is %#v, but the prefix of the name %s demands %s", value, c.Name, demanded),
			"change it, or choose a name without the prefix")
	}
	exclude(secure && !c.Secure, "Secure", false, "Secure")
	exclude(host && c.Domain != "", "Domain", c.Domain, "no Domain and no ServerDomain")
	exclude(host && c.Path != "/", "Path", c.Path, "the Path /")
	exclude(httpOnly && !c.HTTPOnly, "HTTPOnly", false, "HTTPOnly")
	return l
}

type problemList []Problem

// demand adds a problem unless the value of the setting is good.
func (l *problemList) demand(good bool, setting, message, hint string) {
	l.exclude(!good, setting, "", message, hint)
}

// exclude adds a problem if the setting does not go with another one.
func (l *problemList) exclude(broken bool, setting, with, message, hint string) {
	if broken {
		*l = append(*l, Problem{Setting: setting, With: with, Message: message, Hint: hint})
	}
}

// isToken checks the grammar of a cookie's name (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		letterOrDigit := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letterOrDigit && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

const (
	maxNamespace   = 100
	namespaceMarks = ".-_~+/"
)

// isNamespace checks for what a kind may have, so that no namespace of one kind is
// another kind.
func isNamespace(s string) bool {
	return len(s) <= maxNamespace && !strings.ContainsFunc(s, func(r rune) bool {
		letterOrDigit := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letterOrDigit && !strings.ContainsRune(namespaceMarks, r)
	})
}

// isLocalPath checks that a browser which resolves the text stays on the host: it
// takes //other.example, and a backslash for a slash, for another one.
func isLocalPath(text string) bool {
	_, err := url.Parse(text)
	return err == nil && strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") &&
		!strings.ContainsAny(text, "\\?#")
}

// isOrigin checks for the one spelling in which browsers send an origin: in lower
// case and without a scheme's own port (RFC 6454, section 6.1).
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && u.Host != "" && strings.ToLower(u.Scheme+"://"+u.Host) == text &&
		(u.Scheme != "https" || u.Port() != "443") && (u.Scheme != "http" || u.Port() != "80")
}
