package sessiontest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

func TestANewSessionsCookieLivesForTheWholeAge(t *testing.T) {
	for _, age := range []time.Duration{time.Second, time.Hour, runtime.MaxAge} {
		for _, fraction := range []time.Duration{0, time.Nanosecond, 499 * time.Microsecond, 999_999_999} {
			s := newSite(t, func(c *runtime.Config) { c.Age = age })
			s.now = begin.Add(fraction)
			res := s.browser().visit(func(s *VisitorSession) { s.SetName("Ada") })
			if got, want := res.Cookies()[0].MaxAge, int(age/time.Second); got != want {
				t.Errorf("begun %v after the second: Max-Age %d, want %d", fraction, got, want)
			}
		}
	}
}

// configErr returns what is said of a configuration.
func configErr(configure func(*runtime.Config)) error {
	store := memstore.New()
	defer store.Close()
	_, err := NewVisitorSessions(store, func(c *runtime.Config) { c.Keys = [][]byte{newKey()} }, configure)
	return err
}

func TestWhatBrowsersWouldRefuseIsAnErrorOfTheConfiguration(t *testing.T) {
	for name, c := range map[string]struct {
		configure func(*runtime.Config)
		want      string
	}{
		"name with a space":      {func(c *runtime.Config) { c.Cookie.Name = "a b" }, "Cookie.Name"},
		"name with =":            {func(c *runtime.Config) { c.Cookie.Name = "a=b" }, "Cookie.Name"},
		"name beyond ASCII":      {func(c *runtime.Config) { c.Cookie.Name = "sitzung-ä" }, "Cookie.Name"},
		"4097 bytes":             {func(c *runtime.Config) { c.Cookie.Name = strings.Repeat("n", 4096-64+1) }, "4097 bytes"},
		"relative path":          {func(c *runtime.Config) { c.Cookie.Path = "shop" }, "Cookie.Path"},
		"path with ;":            {func(c *runtime.Config) { c.Cookie.Path = "/a;b" }, "Cookie.Path"},
		"path with a line break": {func(c *runtime.Config) { c.Cookie.Path = "/a\r\nb" }, "Cookie.Path"},
		"path with a space":      {func(c *runtime.Config) { c.Cookie.Path = "/a " }, "Cookie.Path"},
		"path of 1025 bytes":     {func(c *runtime.Config) { c.Cookie.Path = "/" + strings.Repeat("p", 1024) }, "Cookie.Path"},
		"domain with a dot":      {func(c *runtime.Config) { c.Cookie.Domain = ".shop.example" }, "Cookie.Domain"},
		"domain with a port":     {func(c *runtime.Config) { c.Cookie.Domain = "shop.example:443" }, "Cookie.Domain"},
		"domain with -":          {func(c *runtime.Config) { c.Cookie.Domain = "shop-.example" }, "Cookie.Domain"},
		"domain as a URL":        {func(c *runtime.Config) { c.Cookie.Domain = "https://shop.example" }, "Cookie.Domain"},
		"domain of an address":   {func(c *runtime.Config) { c.Cookie.Domain = "192.0.2.1" }, "Cookie.Domain"},
		"server's domain":        {func(c *runtime.Config) { c.ServerDomain = "shop_example" }, "Cookie.Domain"},
		"None without Secure": {func(c *runtime.Config) {
			c.Cookie.SameSite, c.Cookie.Secure = http.SameSiteNoneMode, false
		}, "SameSite is None"},
		"unknown SameSite":           {func(c *runtime.Config) { c.Cookie.SameSite = 9 }, "SameSite is 9"},
		"Partitioned without Secure": {func(c *runtime.Config) { c.Cookie.Partitioned, c.Cookie.Secure = true, false }, "Partitioned"},
		"__Secure- without Secure": {func(c *runtime.Config) {
			c.Cookie.Name, c.Cookie.Secure = "__Secure-s", false
		}, "demands Secure"},
		"__host- without Secure": {func(c *runtime.Config) {
			c.Cookie.Name, c.Cookie.Secure = "__host-s", false
		}, "demands Secure"},
		"__Host- with a domain": {func(c *runtime.Config) {
			c.Cookie.Name, c.Cookie.Domain = "__Host-s", "shop.example"
		}, "demands no Domain"},
		"__HOST- with the server's domain": {func(c *runtime.Config) {
			c.Cookie.Name, c.ServerDomain = "__HOST-s", "shop.example"
		}, "demands no Domain and no ServerDomain"},
		"__Host- with a path": {func(c *runtime.Config) {
			c.Cookie.Name, c.Cookie.Path = "__Host-s", "/a"
		}, "demands the Path /"},
		"__Http- for scripts": {func(c *runtime.Config) {
			c.Cookie.Name, c.Cookie.HTTPOnly = "__Http-s", false
		}, "demands HTTPOnly"},
		"__Host-Http- for scripts": {func(c *runtime.Config) {
			c.Cookie.Name, c.Cookie.HTTPOnly = "__Host-Http-s", false
		}, "demands HTTPOnly"},
		"age of 0":                 {func(c *runtime.Config) { c.Age = 0 }, "Age is 0s"},
		"age above 400 days":       {func(c *runtime.Config) { c.Age = runtime.MaxAge + 1 }, "at most 9600h0m0s"},
		"idle above the age":       {func(c *runtime.Config) { c.Idle = c.Age + 1 }, "Idle is"},
		"negative idle":            {func(c *runtime.Config) { c.Idle = -1 }, "Idle is"},
		"negative timeout":         {func(c *runtime.Config) { c.Timeout = -1 }, "Timeout is"},
		"negative grace":           {func(c *runtime.Config) { c.Grace = -1 }, "Grace is"},
		"no bytes":                 {func(c *runtime.Config) { c.MaxBytes = 0 }, "MaxBytes is 0"},
		"short key":                {func(c *runtime.Config) { c.Keys = append(c.Keys, make([]byte, 16)) }, "Keys[1] has 16 bytes"},
		"no key":                   {func(c *runtime.Config) { c.Keys = nil }, `field "api_key" is secret`},
		"sync path of a host":      {func(c *runtime.Config) { c.SyncPath = "//evil.example/sync" }, "SyncPath"},
		"sync path of a host, ///": {func(c *runtime.Config) { c.SyncPath = "///evil.example" }, "SyncPath"},
		"sync path with \\":        {func(c *runtime.Config) { c.SyncPath = `/\evil.example` }, "SyncPath"},
		"sync path with a query":   {func(c *runtime.Config) { c.SyncPath = "/sync?a" }, "SyncPath"},
		"relative sync path":       {func(c *runtime.Config) { c.SyncPath = "sync" }, "SyncPath"},
		"origin without a scheme":  {func(c *runtime.Config) { c.Origins = []string{"shop.example"} }, "Origins[0]"},
		"origin with a path":       {func(c *runtime.Config) { c.Origins = []string{"https://a.example", "https://b.example/"} }, "Origins[1]"},
		"origin in capitals":       {func(c *runtime.Config) { c.Origins = []string{"https://Shop.example"} }, "Origins[0]"},
		"origin with its port":     {func(c *runtime.Config) { c.Origins = []string{"https://shop.example:443"} }, "Origins[0]"},
		"HTTP with its port":       {func(c *runtime.Config) { c.Origins = []string{"http://shop.example:80"} }, "Origins[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			err := configErr(c.configure)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestEveryComplaintAboutAConfigurationComesAtOnce(t *testing.T) {
	_, err := NewVisitorSessions(nil, func(c *runtime.Config) {
		c.Cookie = runtime.Cookie{Name: "__Host-Http-ä", Path: "x", Domain: "-", SameSite: http.SameSiteNoneMode, Partitioned: true}
		c.Age, c.Idle, c.Grace, c.MaxBytes = -1, -1, -1, -1
		c.Keys = [][]byte{nil}
		c.SyncPath, c.Origins = "", []string{"null"}
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"sessiontest.Visitor", "Name is", "Path is", "Domain is", "SameSite is None", "Partitioned", "demands Secure", "demands no Domain",
		"demands the Path /", "demands HTTPOnly", "Age is", "Idle is", "Grace is", "MaxBytes is", "Keys[0]", "SyncPath is",
		"Origins[0]", "no store",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no complaint %q in\n%v", want, err)
		}
	}
}

func TestWhatBrowsersTakeIsNoError(t *testing.T) {
	for name, configure := range map[string]func(*runtime.Config){
		"a name of 4032 bytes": func(c *runtime.Config) { c.Cookie.Name = strings.Repeat("n", 4096-64) },
		"400 days":             func(c *runtime.Config) { c.Age, c.Idle = runtime.MaxAge, runtime.MaxAge },
		"a single label":       func(c *runtime.Config) { c.Cookie.Domain = "localhost" },
		"every prefix":         func(c *runtime.Config) { c.Cookie.Name = "__Host-Http-s" },
		"the default SameSite": func(c *runtime.Config) { c.Cookie.SameSite = http.SameSiteDefaultMode },
		"origins":              func(c *runtime.Config) { c.Origins = []string{"https://a.example:8443", "http://localhost:8080"} },
		"the other scheme's":   func(c *runtime.Config) { c.Origins = []string{"https://a.example:80", "http://a.example:443"} },
	} {
		if err := configErr(configure); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnlyTheExactCookieCounts(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	for _, c := range []struct {
		header string
		want   string
	}{
		{"shop=" + b.cookie, "Ada"},
		{"a=1; shop=" + b.cookie + "; b=2", "Ada"},
		{"a=1;shop=" + b.cookie + ";", "Ada"},
		{"shop; shop=" + b.cookie, "Ada"}, // a cookie without a name, whose value is shop
		{"Shop=" + b.cookie, ""},
		{"shop2=" + b.cookie, ""},
		{"xshop=" + b.cookie, ""},
		{"shop", ""},
		{"\u2000shop=" + b.cookie, ""}, // a name that escapes the rules of a prefix
		{"\u00a0shop=" + b.cookie, ""},
		{`shop="` + b.cookie + `"`, ""},
		{"shop=" + b.cookie + "=", ""},
		{"shop=" + b.cookie + "A", ""},
		{"shop=" + b.cookie[:63], ""},
		{"shop=" + strings.ReplaceAll(b.cookie[:63]+"-", "-", "+"), ""},
		{"shop=" + b.cookie[:20] + "\n" + b.cookie[20:63], ""},
	} {
		s.answer(c.header, func(s *VisitorSession) {
			if got := s.Name(); got != c.want {
				t.Errorf("Cookie: %q opens %q, want %q", c.header, got, c.want)
			}
		})
	}
}

// FuzzCookie shows that the store is asked for nothing that is no token, that
// nothing panics, and that an id which the program did not make is never used.
func FuzzCookie(f *testing.F) {
	for _, header := range []string{
		"", "shop", "shop=", "shop=;", ";;=;", "shop=" + unknownToken, "shop=" + unknownToken + "=", "shop=../../etc/passwd",
		"shop=" + unknownToken + "; shop=x", "shop=" + unknownToken + ";shop=" + unknownToken, "shop=A" + unknownToken[1:] + ";shop=" + unknownToken, `shop="` + unknownToken + `"`, "shop=" + unknownToken[:63], "shop=\x00",
		"shop=" + strings.Repeat("A", 5000), " shop = " + unknownToken + " ",
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		s := newSite(t)
		res := s.answer(header, func(s *VisitorSession) { s.Name(); s.SetName("Ada") })
		tokens := tokensIn(header)
		wantCalls(t, s, strings.Repeat("load ", len(tokens))+"create")
		token := tokenIn(cookieSettings[0], res)
		if len(token) != 64 || slices.ContainsFunc(tokens, func(known string) bool { return sameID(token, known) }) {
			t.Errorf("token %q for the header %q", token, header)
		}
	})
}

// tokensIn is a second, plain reading of a Cookie header: the different tokens that
// the store is asked for.
func tokensIn(header string) (tokens []string) {
	const blank = " \t"
	for _, pair := range strings.Split(header, ";") {
		name, v, found := strings.Cut(pair, "=")
		value := strings.Trim(v, blank)
		raw, err := base64.RawURLEncoding.Strict().DecodeString(value)
		isToken := err == nil && len(raw) == 48 && !strings.ContainsAny(value, "\r\n")
		if found && strings.Trim(name, blank) == "shop" && isToken && !slices.Contains(tokens, value) {
			tokens = append(tokens, value)
		}
	}
	return tokens[max(0, len(tokens)-4):]
}

func TestACookieIsFoundInHowManyHeaderLinesItComes(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header["Cookie"] = []string{"a=1", "shop=" + b.cookie, "b=2"}
	s.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, VisitorFrom(r.Context()).Name())
	})).ServeHTTP(httptest.NewRecorder(), r)
	wantCalls(t, s, "load")
	wantEvents(t, s)
}
