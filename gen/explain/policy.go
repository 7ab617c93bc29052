package explain

import (
	"net/http"
	"strings"

	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/runtime"
)

// A Rule is one part of a session's policy, and the requirements of OWASP ASVS
// 5.0 that it is about.
type Rule struct {
	Subject string `json:"subject"`
	Value   string `json:"value"`
	ASVS    string `json:"asvs"`
	Met     bool   `json:"met"`
	Note    string `json:"note,omitempty"` // what would meet them
}

// policy says how the directive's settings stand. A program can change them at
// start.
func policy(s *schema.Session) []Rule {
	config, _ := runtime.Configure(s.Policy.Configure) // what is wrong is a finding
	rules := []Rule{
		{"token", "id of 128 bits and secret of 256 bits; stores have only its hash", "7.2.3, 11.5.1", true, ""},
		cookie(&config.Cookie),
		age(&config),
		idle(&config),
		signIn(s),
		{"sign-out", "Destroy is final, also for requests that are under way", "7.4.1", true, ""},
		revocation(s),
		{"fresh sign-in", "SignedInAt returns its time", "7.5.1, 7.5.3", true, ""},
		{"creation", "no record and no cookie before the first write", "7.6.2", true, ""},
		{"disclosure", "the token is in no log, error, URL or store", "16.2.5", true, ""},
	}
	if sealed := keysWith(s, func(f *schema.Field) bool { return f.Secret }); sealed != "" {
		rules = append(rules, Rule{"secrets", sealed + " sealed with AES-256-GCM; Config.Keys has the keys", "11.3.2", true, ""})
	}
	if config.Bound != runtime.BoundNever {
		rules = append(rules, bound(config.Bound))
	}
	if s.Hooks.Lively {
		rules = append(rules, Rule{"Lively", "each event loads its session again, and sockets close when it ends; check the Origin of the handshake", "4.4", true, ""})
	}
	return rules
}

func cookie(c *runtime.Cookie) Rule {
	rule := Rule{Subject: "cookie", Value: attributes(c), ASVS: "3.3", Met: true}
	switch {
	case !c.Secure:
		rule.Met, rule.Note = false, "remove secure=false"
	case !c.HTTPOnly:
		rule.Met, rule.Note = false, "remove httponly=false"
	case c.SameSite == http.SameSiteNoneMode:
		rule.Met, rule.Note = false, "samesite=none lets other sites send it: use lax unless one of them embeds yours"
	default:
		rule.Note = wantedName(c)
		rule.Met = rule.Note == ""
	}
	return rule
}

// wantedName says how the name of the cookie meets 3.3.1 and 3.3.3: it has a
// prefix by which browsers hold it to Secure, and to this host unless it is meant
// for others.
func wantedName(c *runtime.Cookie) string {
	has := func(prefix string) bool {
		return len(c.Name) > len(prefix) && strings.EqualFold(c.Name[:len(prefix)], prefix)
	}
	bare := c.Name
	for _, prefix := range []string{"__Host-Http-", "__Host-", "__Http-", "__Secure-"} {
		if has(prefix) {
			bare = c.Name[len(prefix):]
			break
		}
	}
	shared := c.Domain != "" || c.Path != "/" // which __Host- excludes
	switch {
	case has("__Host-"), shared && bare != c.Name:
		return ""
	case shared:
		return "its name has no prefix by which browsers hold it to Secure: write cookie=__Secure-" + bare
	default:
		return "its name does not keep it to this host: write cookie=__Host-" + bare
	}
}

// attributes writes the cookie without its value.
func attributes(c *runtime.Cookie) string {
	parts := []string{c.Name, "Path=" + c.Path}
	add := func(set bool, attribute string) {
		if set {
			parts = append(parts, attribute)
		}
	}
	add(c.Domain != "", "Domain="+c.Domain)
	add(c.Secure, "Secure")
	add(c.HTTPOnly, "HttpOnly")
	add(c.SameSite == http.SameSiteLaxMode, "SameSite=Lax")
	add(c.SameSite == http.SameSiteStrictMode, "SameSite=Strict")
	add(c.SameSite == http.SameSiteNoneMode, "SameSite=None")
	add(c.Partitioned, "Partitioned")
	return strings.Join(parts, "; ")
}

func age(c *runtime.Config) Rule {
	value := schema.Span(c.Age) + " from creation, used or not"
	if c.Cookie.BrowserClose {
		value += "; the cookie goes with the browser"
	}
	return Rule{"age", value, "7.3.2", true, ""}
}

func idle(c *runtime.Config) Rule {
	if c.Idle == 0 {
		return Rule{"idle", "no limit", "7.3.1", false, "write idle=, or set Config.Idle"}
	}
	return Rule{"idle", schema.Span(c.Idle) + " without use", "7.3.1", true, ""}
}

func bound(b runtime.Bound) Rule {
	value := "to a key of the browser's device, by the sign-in; mount BindHandler"
	if b == runtime.BoundAlways {
		value = "to a key of the browser's device, from the creation; mount BindHandler"
	}
	return Rule{"binding", value, "7.2", true, ""}
}

func signIn(s *schema.Session) Rule {
	keys := keysWith(s, func(f *schema.Field) bool { return f.Renew })
	if keys == "" {
		return Rule{"sign-in", "no field renews the token", "7.2.4", false, "mark the field that a sign-in sets with renew"}
	}
	return Rule{"sign-in", "setting " + keys + " renews the token and ends the old one at once", "7.2.4", true, ""}
}

func revocation(s *schema.Session) Rule {
	keys := keysWith(s, func(f *schema.Field) bool { return f.Index })
	const asvs = "7.4.2-7.4.5, 7.5.2"
	if keys == "" {
		return Rule{"revocation", "no field finds all sessions of a user", asvs, false, "mark the field that names the user with index"}
	}
	return Rule{"revocation", "all sessions by " + keys + ", or all but one", asvs, true, ""}
}
