package explain

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// settled returns the configuration that the runtime makes of its defaults and
// the directive's values.
func settled(t *testing.T, p schema.Policy) runtime.Config {
	t.Helper()
	type session struct{ core *runtime.Session }
	model := runtime.NewModel("k", func(core *runtime.Session) session { return session{core} })
	var config runtime.Config
	_, err := runtime.NewManager(model, memstore.New(), func(c *runtime.Config) {
		c.Cookie.Secure = orElse(p.Secure, c.Cookie.Secure)
		c.Cookie.HTTPOnly = orElse(p.HTTPOnly, c.Cookie.HTTPOnly)
		c.Cookie.Path = orElse(p.Path, c.Cookie.Path)
		c.Cookie.Domain = orElse(p.Domain, c.Cookie.Domain)
		config = *c
	})
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// TestDefaultsAreThoseOfTheRuntime holds what is said of settings that nobody
// gave to what the runtime does.
func TestDefaultsAreThoseOfTheRuntime(t *testing.T) {
	config := settled(t, schema.Policy{})
	if config.Age != defaultAge || config.Idle != 0 || config.Cookie.SameSite != http.SameSiteLaxMode ||
		!config.Cookie.Secure || !config.Cookie.HTTPOnly || config.Cookie.Path != "/" {
		t.Errorf("the runtime's defaults are others: %+v", config)
	}
	want := "__Host-Http-session_id; Path=/; Secure; HttpOnly; SameSite=Lax"
	if got := cookie(schema.Policy{}); got.Value != want || !got.Met {
		t.Errorf("the cookie is %+v", got)
	}
}

func TestPolicyNamesWhatIsOpen(t *testing.T) {
	off, none, day, half := false, schema.SameSiteNone, 24*time.Hour, 90*time.Minute
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
		if span(d) != want {
			t.Errorf("%v is %s", d, span(d))
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

func TestSizesCountWhatIsStored(t *testing.T) {
	text := &schema.Type{Form: schema.Basic, Basic: "string"}
	for name, c := range map[string]struct {
		field          schema.Field
		empty, typical int
	}{
		"a value":       {schema.Field{Type: text}, 1, 8},
		"a sealed one":  {schema.Field{Type: text, Secret: true}, 34, 41},
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
