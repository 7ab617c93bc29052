package explain

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/gen/schema"
)

func TestWhatNobodySetIsSafe(t *testing.T) {
	rules := map[string]Rule{}
	for _, r := range policy(&schema.Session{}) {
		rules[r.Subject] = r
	}
	want := "__Host-Http-session_id; Path=/; Secure; HttpOnly; SameSite=Lax"
	if got := rules["cookie"]; got.Value != want || !got.Met {
		t.Errorf("the cookie is %+v", got)
	}
	if got := rules["age"]; !strings.HasPrefix(got.Value, "168h ") || !got.Met {
		t.Errorf("the age is %+v", got)
	}
}

func TestPolicyNamesWhatIsOpen(t *testing.T) {
	off, none, day, half := false, http.SameSiteNoneMode, 24*time.Hour, 90*time.Minute
	path, name := "/shop", "shop"
	s := &schema.Session{Policy: schema.Policy{Secure: &off, SameSite: &none, Path: &path, Cookie: &name, Age: &day}}
	rules := map[string]Rule{}
	for _, r := range policy(s) {
		rules[r.Subject] = r
	}
	for subject, note := range map[string]string{
		"cookie": "secure=false", "idle": "idle=", "sign-in": "renew", "revocation": "index", "age": "", "token": "",
	} {
		r := rules[subject]
		if r.Met != (note == "") || !strings.Contains(r.Note, note) || r.ASVS == "" {
			t.Errorf("%+v", r)
		}
	}
	if got := rules["cookie"].Value; got != "shop; Path=/shop; HttpOnly; SameSite=None" {
		t.Errorf("the cookie is %s", got)
	}
	if _, ok := rules["Lively"]; ok {
		t.Error("there is no Lively hook")
	}
	for want, d := range map[string]time.Duration{"24h": day, "1h30m": half} {
		if schema.Span(d) != want {
			t.Errorf("%v is %s", d, schema.Span(d))
		}
	}
	s.Policy = schema.Policy{HTTPOnly: &off, Idle: &half}
	s.Fields = []*schema.Field{{Key: "b", Renew: true, Index: true}, {Key: "a", Index: true, Secret: true}}
	s.Hooks.Lively = true
	for _, r := range policy(s) {
		if r.Met == (r.Subject == "cookie") {
			t.Errorf("%+v", r)
		}
		if r.Subject == "revocation" && !strings.Contains(r.Value, "by a, b,") {
			t.Errorf("%+v", r)
		}
	}
}

func TestTheNameOfTheCookieCounts(t *testing.T) {
	for name, c := range map[string]struct{ cookie, domain, path, note string }{
		"the default":            {},
		"a domain":               {domain: "example.com", note: "write cookie=__Secure-session_id"},
		"a path":                 {path: "/shop", note: "write cookie=__Secure-session_id"},
		"a plain name":           {cookie: "sid", note: "write cookie=__Host-sid"},
		"one with a domain":      {cookie: "sid", domain: "example.com", note: "write cookie=__Secure-sid"},
		"one that is shared":     {cookie: "__Secure-sid", domain: "example.com"},
		"one that could be kept": {cookie: "__Secure-sid", note: "write cookie=__Host-sid"},
		"one that is kept":       {cookie: "__Host-sid"},
		"as browsers see it":     {cookie: "__host-sid"},
		"the newest":             {cookie: "__Http-sid", path: "/shop"},
	} {
		var p schema.Policy
		for setting, value := range map[**string]string{&p.Cookie: c.cookie, &p.Domain: c.domain, &p.Path: c.path} {
			if value != "" {
				*setting = &value
			}
		}
		for _, r := range policy(&schema.Session{Policy: p}) {
			if r.Subject == "cookie" && (r.Met != (c.note == "") || !strings.HasSuffix(r.Note, c.note)) {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}

func TestSizesCountWhatIsStored(t *testing.T) {
	text := &schema.Type{Form: schema.Basic, Basic: "string"}
	for name, c := range map[string]struct {
		field          schema.Field
		empty, typical int
	}{
		"a value":       {schema.Field{Type: text}, 1, 8},
		"a sealed one":  {schema.Field{Type: text, Secret: true}, 34, 41},
		"a time":        {schema.Field{Type: &schema.Type{Form: schema.Time}}, 15, 10}, // the empty one is of the year 1
		"a map's entry": {schema.Field{Shape: schema.Map, Type: &schema.Type{Form: schema.MapOf, Key: text, Elem: text}}, 1, 15},
	} {
		got := sizes(&c.field)
		if got.Empty == nil || *got.Empty != c.empty || got.Typical == nil || *got.Typical != c.typical {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := sizes(&schema.Field{Type: &schema.Type{Form: schema.TextMarshaler}}); got.Empty != nil || got.Typical != nil {
		t.Errorf("a type that marshals itself has the sizes %v", got)
	}
}

// notOptions are the members of a [schema.Field] that a tag's options do not set.
var notOptions = []string{"Name", "Doc", "Key", "Type", "Shape"}

func TestEveryOptionIsListed(t *testing.T) {
	for _, member := range reflect.VisibleFields(reflect.TypeFor[schema.Field]()) {
		if slices.Contains(notOptions, member.Name) {
			continue
		}
		f := &schema.Field{Merge: schema.Last}
		give(reflect.ValueOf(f).Elem().FieldByIndex(member.Index))
		if got := options(f); len(got) != 1 || !strings.HasPrefix(got[0], strings.ToLower(member.Name)) {
			t.Errorf("with %s the options are %q", member.Name, got)
		}
	}
}

// give sets what an option sets to something.
func give(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.String:
		v.SetString("a")
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	}
}

func TestAValueThatEndsIsExplained(t *testing.T) {
	f := &schema.Field{Key: "state", Type: &schema.Type{Basic: "string", Form: schema.Basic}, Merge: schema.Last, TTL: 90 * time.Minute}
	if got := options(f); len(got) != 1 || got[0] != "ttl=1h30m" {
		t.Errorf("options %q", got)
	}
	without := *f
	without.TTL = 0
	if with, plain := sizes(f).Empty, sizes(&without).Empty; *with != *plain+10 {
		t.Errorf("%d bytes, without an end %d", *with, *plain)
	}
}
