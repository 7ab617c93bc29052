package runtime

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWhatCannotBeBoundIsAProblem(t *testing.T) {
	for name, c := range map[string]struct {
		change        func(*Config)
		setting, with string
	}{
		"nothing":       {func(*Config) {}, "", ""},
		"a value":       {func(c *Config) { c.Bound = 9 }, "Bound", ""},
		"a short age":   {func(c *Config) { c.BoundAge = time.Second - 1 }, "BoundAge", ""},
		"a second":      {func(c *Config) { c.BoundAge = time.Second }, "", ""},
		"a day":         {func(c *Config) { c.BoundAge = 24 * time.Hour }, "", ""},
		"a long age":    {func(c *Config) { c.BoundAge = 24*time.Hour + 1 }, "BoundAge", ""},
		"no path":       {func(c *Config) { c.BindPath = "bind" }, "BindPath", ""},
		"a quote in it": {func(c *Config) { c.BindPath = `/a"b` }, "BindPath", ""},
		"another host":  {func(c *Config) { c.BindPath = "//other.example/" }, "BindPath", ""},
		"a header":      {func(c *Config) { c.Header = "Authorization" }, "Bound", "Header"},
		"plain HTTP":    {func(c *Config) { c.Cookie.Secure = false }, "Bound", "Cookie.Secure"},
		"a domain":      {func(c *Config) { c.ServerDomain = "example.com" }, "Bound", "Cookie.Domain"},
		"partitioned":   {func(c *Config) { c.Cookie.Partitioned = true }, "Bound", "Cookie.Partitioned"},
		"another path":  {func(c *Config) { c.Cookie.Path = "/sess" }, "Bound", "Cookie.Path"},
		"its path":      {func(c *Config) { c.Cookie.Path = "/session" }, "", ""},
	} {
		_, problems := Configure(func(c *Config) { c.Bound = BoundSignIn }, c.change)
		if c.setting == "" {
			if len(problems) > 0 {
				t.Errorf("%s: %v", name, problems)
			}
			continue
		}
		if !slices.ContainsFunc(problems, func(p Problem) bool { return p.Setting == c.setting && p.With == c.with }) {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func TestNoBoundCookieHasThePrefixThatBrowsersDoNotBind(t *testing.T) {
	for name, want := range map[string]string{
		"":                  "__Host-bound_session_id",
		"shop":              "__Host-bound_shop",
		"__Host-Http-shop":  "__Host-bound_shop",
		"__host-http-shop":  "__Host-bound_shop",
		"__Http-Http-shop":  "__Host-bound_Http-shop",
		"__Secure-Http-sid": "__Host-bound_Http-sid",
	} {
		c, _ := Configure(func(c *Config) { c.Cookie.Name = name })
		if got := c.BoundCookie().Name; got != want {
			t.Errorf("beside %q it is %q, want %q", name, got, want)
		}
	}
}

func TestABindingIsReadAsItWasWritten(t *testing.T) {
	now := time.UnixMilli(time.Now().UnixMilli())
	for _, f := range []Format{MessagePack, JSON} {
		for _, b := range []binding{
			{challenge: newChallenge(), challenged: now},
			{challenge: newChallenge(), challenged: now, demanded: now, key: "key", previous: boundHash{1}, cookie: boundHash{2}},
		} {
			e := NewEntries(b.replaceDevice(f, Entries{}).Entry)
			if b.registered() {
				e = NewEntries(b.replaceDevice(f, Entries{}).Entry, b.replaceCookie(f, Entries{}).Entry)
			}
			if got := readBinding(f, e); got != b {
				t.Errorf("%v became %v", b, got)
			}
		}
	}
}

// FuzzBinding holds that no stored bytes make a bound session open to everybody.
func FuzzBinding(f *testing.F) {
	b := binding{challenge: newChallenge(), challenged: time.UnixMilli(1), demanded: time.UnixMilli(1), key: "key"}
	f.Add(b.form(MessagePack), b.form(JSON))
	f.Add("", `""`)
	f.Fuzz(func(t *testing.T, device, bound string) {
		for _, format := range []Format{MessagePack, JSON} {
			e := NewEntries(Entry{Key: deviceEntry, Value: device}, Entry{Key: boundEntry, Value: bound})
			b := readBinding(format, e)
			form, ok := formBytes(format, device)
			if malformed := !ok || len(form) < bindingHead; malformed && !b.demands(time.Now()) {
				t.Errorf("%q and %q demand nothing", device, bound)
			}
		}
	})
}

// Whatever text a browser sends, the token is what gives the text again.
func TestABoundTokenHasOneText(t *testing.T) {
	want := boundToken{1, 2, 3}
	for n := range 3 * boundTokenLength {
		text := strings.Repeat(want.text(), 3)[:n]
		if got, ok := parseBoundToken(text); ok != (n == boundTokenLength) || ok && got != want {
			t.Errorf("%d letters are read as %v, %v", n, got, ok)
		}
	}
	if _, ok := parseBoundToken("!" + want.text()[1:]); ok {
		t.Error("read with a letter that is none")
	}
}
