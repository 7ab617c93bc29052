package read

import (
	"slices"
	"strings"
	"time"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/schema"
)

const (
	maxAge     = 400 * day // RFC 6265bis, 5.5: browsers keep no cookie longer
	defaultAge = 7 * day
)

// The names that a session without cookie= has: the first where its settings
// allow the prefix.
var defaultCookies = []string{"__Host-Http-session_id", "session_id"}

// A policyRule is a combination of settings that cannot work.
type policyRule struct {
	at      string // the setting to point at
	broken  bool
	message string
	hint    string
}

// checkPolicy reports settings that exclude each other. A program that changes
// them at start is checked there again.
func (r *reader) checkPolicy(s *session) {
	rules := append(policyRules(s.Policy), prefixRules(s.Policy)...)
	for _, rule := range rules {
		if rule.broken {
			r.report(s.place(rule.at), diag.CookiePolicy, rule.hint, "%s", rule.message)
		}
	}
}

func policyRules(p schema.Policy) []policyRule {
	insecure := is(p.Secure, false)
	return []policyRule{
		{
			at:      "samesite",
			broken:  is(p.SameSite, schema.SameSiteNone) && insecure,
			message: "browsers refuse samesite=none without secure",
			hint:    "remove secure=false, or use samesite=lax",
		},
		{
			at:      "partitioned",
			broken:  is(p.Partitioned, true) && insecure,
			message: "browsers refuse a partitioned cookie without secure",
			hint:    "remove secure=false",
		},
		{
			at:      "idle",
			broken:  p.Idle != nil && *p.Idle > age(p),
			message: "idle is above the age of the session, so it never takes effect",
			hint:    "lower idle or raise age, which is 168h where it is not given",
		},
	}
}

// prefixRules applies what browsers demand of cookies by their names (RFC
// 6265bis, 4.1.3). Browsers compare the prefixes without case.
func prefixRules(p schema.Policy) []policyRule {
	if p.Cookie == nil {
		return nil
	}
	name := strings.ToLower(*p.Cookie)
	host := strings.HasPrefix(name, "__host-")
	http := strings.HasPrefix(name, "__host-http-") || strings.HasPrefix(name, "__http-")
	secure := host || http || strings.HasPrefix(name, "__secure-")
	return []policyRule{
		{"secure", secure && is(p.Secure, false), "a cookie called " + *p.Cookie + " must be secure", "remove secure=false or the prefix"},
		{"domain", host && p.Domain != nil, "a cookie called " + *p.Cookie + " can have no domain", "remove domain= or the prefix"},
		{"path", host && p.Path != nil && *p.Path != "/", "a cookie called " + *p.Cookie + " must have the path /", "remove path= or the prefix"},
		{"httponly", http && is(p.HTTPOnly, false), "a cookie called " + *p.Cookie + " must be HttpOnly", "remove httponly=false or the prefix"},
	}
}

func is[T comparable](p *T, value T) bool { return p != nil && *p == value }

func age(p schema.Policy) time.Duration {
	if p.Age != nil {
		return *p.Age
	}
	return defaultAge
}

// cookies returns the names that a session's cookie can have. Which of the
// default ones it is depends on settings that a program can change at start.
func cookies(p schema.Policy) []string {
	if p.Cookie != nil {
		return []string{*p.Cookie}
	}
	return defaultCookies
}

func shareCookie(a, b schema.Policy) bool {
	return slices.ContainsFunc(cookies(a), func(name string) bool { return slices.Contains(cookies(b), name) })
}
