package read

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"net/http"
	"strings"
	"time"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/runtime"
)

// A setting is one key of the directive.
type setting struct {
	name string
	hint string // what its value looks like
	flag bool   // the name alone means true
	read func(s *schema.Session, value string) error
}

const (
	boolHint     = "write true or false"
	durationHint = "write a duration such as 30m, 168h or 7d"
	keysHint     = "write keys of lower-case letters, digits and underscores, with commas between them"
)

// settings are the keys of the directive.
var settings = []setting{
	{"age", durationHint, false, duration(func(s *schema.Session) **time.Duration { return &s.Policy.Age })},
	{"allow", "write rules of duckgen breaking, such as KEY_DELETED, with commas between them", false, readAllow},
	{"bound", "write bound, bound=always or bound=false", true, readBound},
	{"browserclose", boolHint, true, boolean(func(s *schema.Session) **bool { return &s.Policy.BrowserClose })},
	{"cookie", "write a name of letters, digits, - and _", false, text(func(s *schema.Session) **string { return &s.Policy.Cookie })},
	{"domain", "write a domain such as example.com", false, text(func(s *schema.Session) **string { return &s.Policy.Domain })},
	{"hooks", "write http, lively or http,lively", false, readHooks},
	{"httponly", boolHint, true, boolean(func(s *schema.Session) **bool { return &s.Policy.HTTPOnly })},
	{"idle", durationHint, false, duration(func(s *schema.Session) **time.Duration { return &s.Policy.Idle })},
	{"kind", "write an import path and a name, such as example.com/shop.Visitor", false, readKind},
	{"name", "write an exported Go identifier", false, readName},
	{"partitioned", boolHint, true, boolean(func(s *schema.Session) **bool { return &s.Policy.Partitioned })},
	{"path", "write a path that begins with /", false, text(func(s *schema.Session) **string { return &s.Policy.Path })},
	{"reserved", keysHint, false, readReserved},
	{"samesite", "write lax, strict or none", false, readSameSite},
	{"secure", boolHint, true, boolean(func(s *schema.Session) **bool { return &s.Policy.Secure })},
}

func settingNames() []string {
	names := make([]string, len(settings))
	for i, s := range settings {
		names[i] = s.name
	}
	return names
}

// policy reads the directive of a session. Several lines of it count as one.
func (r *reader) policy(s *session, directives []*ast.Comment) {
	for _, comment := range directives {
		for _, o := range parseDirective(comment.Text) {
			if strings.HasPrefix(o.name.text, "//") {
				r.report(comment.Pos()+token.Pos(o.name.place()), diag.UnknownKey,
					"put the comment on a line of its own", "a directive has no comment behind it")
				break
			}
			r.setting(s, o, comment.Pos())
		}
	}
	r.checkPolicy(s)
}

func (r *reader) setting(s *session, o option, start token.Pos) {
	name := o.name.text
	at := start + token.Pos(o.name.place())
	rule := findSetting(name)
	if rule == nil {
		r.report(at, diag.UnknownKey, diag.DidYouMean(name, settingNames()), "the directive has no key %q", name)
		return
	}
	if earlier, ok := s.settings[name]; ok {
		r.report(at, diag.RepeatedKey, "remove one of them", "%s is given already at %s", name, r.place(earlier.name))
		return
	}
	place := settingPlace{name: at, value: at}
	if o.hasValue {
		place.value = start + token.Pos(o.value.place())
	}
	s.settings[name] = place
	value := o.value.text
	switch {
	case o.hasValue:
	case rule.flag:
		value = "true"
	default:
		r.report(at, diag.BadValue, rule.hint, "%s needs a value", name)
		return
	}
	if err := rule.read(s.Session, value); err != nil {
		r.report(place.value, diag.BadValue, rule.hint, "%s: %v", name, err)
	}
}

// checkPolicy reports what the runtime would refuse. A program that changes
// settings at start is checked there again.
func (r *reader) checkPolicy(s *session) {
	_, problems := runtime.Configure(s.Policy.Configure)
	for _, setting := range s.Policy.Settings() {
		place := s.settings[setting.Name]
		for _, p := range problems {
			switch {
			case p.Setting != setting.Field:
			case p.With == "":
				r.report(place.value, diag.BadValue, p.Hint, "%s %s", setting.Name, p.Message)
			default:
				r.report(place.name, diag.CookiePolicy, p.Hint, "%s %s", setting.Name, p.Message)
			}
		}
	}
}

func (r *reader) place(pos token.Pos) string { return r.findings.Place(r.pkg.Position(pos)) }

func findSetting(name string) *setting {
	for i := range settings {
		if settings[i].name == name {
			return &settings[i]
		}
	}
	return nil
}

func boolean(target func(*schema.Session) **bool) func(*schema.Session, string) error {
	return func(s *schema.Session, value string) error {
		if value != "true" && value != "false" {
			return fmt.Errorf("%q is neither true nor false", value)
		}
		on := value == "true"
		*target(s) = &on
		return nil
	}
}

func duration(target func(*schema.Session) **time.Duration) func(*schema.Session, string) error {
	return func(s *schema.Session, value string) error {
		d, err := parseDuration(value)
		if err != nil {
			return fmt.Errorf("%q is not a duration", value)
		}
		*target(s) = &d
		return nil
	}
}

func text(target func(*schema.Session) **string) func(*schema.Session, string) error {
	return func(s *schema.Session, value string) error {
		if value == "" {
			return errors.New("it is empty")
		}
		*target(s) = &value
		return nil
	}
}

var sameSites = map[string]http.SameSite{
	"lax":    http.SameSiteLaxMode,
	"strict": http.SameSiteStrictMode,
	"none":   http.SameSiteNoneMode,
}

func readSameSite(s *schema.Session, value string) error {
	mode, ok := sameSites[strings.ToLower(value)]
	if !ok {
		return fmt.Errorf("%q is not a mode", value)
	}
	s.Policy.SameSite = &mode
	return nil
}

var bounds = map[string]runtime.Bound{
	"true":   runtime.BoundSignIn,
	"always": runtime.BoundAlways,
	"false":  runtime.BoundNever, // the program may bind
}

func readBound(s *schema.Session, value string) error {
	bound, ok := bounds[value]
	if !ok {
		return fmt.Errorf("%q does not say which sessions are bound", value)
	}
	s.Policy.Bound = &bound
	return nil
}

func readHooks(s *schema.Session, value string) error {
	s.Hooks = schema.Hooks{}
	for name := range strings.SplitSeq(value, ",") {
		switch name {
		case "http":
			s.Hooks.HTTP = true
		case "lively":
			s.Hooks.Lively = true
		default:
			return fmt.Errorf("there is no hook %q", name)
		}
	}
	return nil
}

func readKind(s *schema.Session, value string) error {
	const marks = ".-_~+/"
	for _, r := range value {
		if !strings.ContainsRune(marks, r) && !(r < 0x80 && identifierRune(r)) {
			return fmt.Errorf("%q holds a character that a kind cannot have: %q", value, r)
		}
	}
	if value == "" {
		return errors.New("it is empty")
	}
	s.Kind = value
	return nil
}

func readName(s *schema.Session, value string) error {
	if !token.IsIdentifier(value) || !token.IsExported(value) {
		return fmt.Errorf("%q is not an exported Go identifier", value)
	}
	s.Name = value
	return nil
}

func readReserved(s *schema.Session, value string) error {
	for key := range strings.SplitSeq(value, ",") {
		if !wellFormedKey(key) {
			return fmt.Errorf("%q is not a key", key)
		}
		s.Policy.Reserved = append(s.Policy.Reserved, key)
	}
	return nil
}

func readAllow(s *schema.Session, value string) error {
	for name := range strings.SplitSeq(value, ",") {
		if !schema.IsRule(name) {
			return fmt.Errorf("there is no rule %q%s", name, meantRule(name))
		}
		s.Policy.Allow = append(s.Policy.Allow, schema.Rule(name))
	}
	return nil
}

func meantRule(name string) string {
	var rules []string
	for _, rule := range schema.Rules() {
		rules = append(rules, strings.ToLower(string(rule)))
	}
	if meant := diag.Nearest(name, rules); meant != "" {
		return ": did you mean " + strings.ToUpper(meant) + "?"
	}
	return ""
}
