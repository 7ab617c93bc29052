package sessiontest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// clearedScopes serves a request with two unknown cookies that writes to its
// session, and returns where the session's cookie is removed. The handler sees the
// path with prefix stripped.
func clearedScopes(t *testing.T, url, prefix string, configure ...func(*runtime.Config)) (scopes []runtime.CookieScope) {
	t.Helper()
	s := newSite(t, configure...)
	r := httptest.NewRequest("GET", url, nil)
	r.Header.Set("Cookie", "shop="+unknownToken+"; shop=")
	w := httptest.NewRecorder()
	writes := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { VisitorFrom(r.Context()).SetName("Ada") })
	http.StripPrefix(prefix, s.Middleware(writes)).ServeHTTP(w, r)
	cookies := w.Result().Cookies()
	for _, c := range cookies[:len(cookies)-1] {
		if c.Value != "" || c.MaxAge >= 0 || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("%v does not remove a cookie with the same attributes", c)
		}
		scopes = append(scopes, runtime.CookieScope{Domain: c.Domain, Path: c.Path, Partitioned: c.Partitioned})
	}
	if last := cookies[len(cookies)-1]; last.Value == "" {
		t.Errorf("the last line, %v, does not set the cookie", last)
	}
	wantEvents(t, s, runtime.EventDuplicateCookie)
	return scopes
}

// at returns scopes written as "domain/path", with a * for a partitioned one.
func at(texts ...string) (scopes []runtime.CookieScope) {
	for _, text := range texts {
		place, partitioned := strings.CutSuffix(text, "*")
		domain, path, _ := strings.Cut(place, "/")
		scopes = append(scopes, runtime.CookieScope{Domain: domain, Path: "/" + path, Partitioned: partitioned})
	}
	return scopes
}

func TestR10OtherScopesAreClearedTheNearestFirstAndNeverTheConfiguredOne(t *testing.T) {
	under := func(domain, path string) func(*runtime.Config) {
		return func(c *runtime.Config) { c.Cookie.Domain, c.Cookie.Path = domain, path }
	}
	hostOnly := under("", "/")
	earlier := func(c *runtime.Config) {
		c.Cookie.Earlier = []runtime.CookieScope{{Domain: "Old.example", Path: "/old"}, {Path: "/app", Partitioned: true}, {}}
	}
	for _, c := range []struct {
		url       string
		configure func(*runtime.Config)
		want      []runtime.CookieScope
	}{
		{"https://localhost/", hostOnly, at("/*")},
		{"https://shop.example/", hostOnly, at("/*", "shop.example/")},
		{"https://shop.example:8443/", hostOnly, at("/*", "shop.example/")},
		{"https://192.0.2.1/", hostOnly, at("/*")},
		{"https://192.0.2.1:8443/a", hostOnly, at("/*", "/a")},
		{"https://[2001:db8::1]/", hostOnly, at("/*")},
		{"https://[2001:db8::1]:8443/a/", hostOnly, at("/*", "/a", "/a/")},
		{"https://shop.example/", under("shop.example", "/"), at("shop.example/*", "/")},
		{"https://Shop.Example/", under("shop.example", "/"), at("shop.example/*", "/")},
		{"https://www.shop.example/", under("shop.example", "/"), at("shop.example/*", "/", "www.shop.example/")},
		{"https://localhost/a/b", under("", "/a"), at("/a*", "/", "/a/", "/a/b")},
		{"https://localhost/a//b", hostOnly, at("/*", "/a", "/a/", "/a//", "/a//b")},
		{"https://localhost/%20a", hostOnly, at("/*", "/%20a")},
		{"https://localhost/%3Ba", hostOnly, at("/*", "/%3Ba")},
		{"https://a.shop.example/b", hostOnly, at("/*", "a.shop.example/", "shop.example/", "/b", "a.shop.example/b", "shop.example/b")},
		{"https://localhost/", func(c *runtime.Config) { c.Cookie.Partitioned = true }, at("/")},
		{"https://app:8080/", func(c *runtime.Config) { c.Cookie.Domain, c.ServerDomain = "a.example", "b.example" },
			at("a.example/*", "/", "b.example/")},
		{"https://app:8080/x", earlier, at("/*", "old.example/old", "/app*", "/x")},
	} {
		got := clearedScopes(t, c.url, "", c.configure)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %v\nwant %v", c.url, got, c.want)
		}
	}
}

func TestR10APathAndAPartitionThatChangeTogetherAreFoundIfEarlierNamesThem(t *testing.T) {
	before := runtime.CookieScope{Path: "/app"}
	for _, named := range []bool{false, true} {
		got := clearedScopes(t, "https://localhost/app/x", "", func(c *runtime.Config) {
			c.Cookie.Partitioned = true
			if named {
				c.Cookie.Earlier = []runtime.CookieScope{before}
			}
		})
		if found := slices.Contains(got, before); found != named {
			t.Errorf("named %v: the scope of before is among %v: %v", named, got, found)
		}
	}
}

func TestR10ScopesAreThoseOfThePathThatTheBrowserSees(t *testing.T) {
	if got, want := clearedScopes(t, "https://localhost/app/a", "/app"), at("/*", "/app", "/app/", "/app/a"); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A browser ignores a path of more than 1024 bytes, and would remove the
// cookie at the request's own directory instead.
func TestR10APathThatBrowsersIgnoreIsNotCleared(t *testing.T) {
	long := "/" + strings.Repeat("p", 1024)
	if got := clearedScopes(t, "https://localhost"+long, ""); !slices.Equal(got, at("/*")) {
		t.Errorf("cleared at %v", got)
	}
}

// Proxies answer 502 to a header that is larger than they take.
func TestR10TheLinesThatClearAreBoundedTo2KiB(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Cookie.Earlier = at("old.example/") })
	b := s.signedUp()
	url := "https://" + strings.Repeat("a.", 60) + "example" + strings.Repeat("/b", 2000)
	r := httptest.NewRequest("GET", url, nil)
	r.Header.Set("Cookie", b.header()+"; shop="+unknownToken)
	w := httptest.NewRecorder()
	s.behind(func(_ http.ResponseWriter, _ *http.Request, v *VisitorSession) { v.Name() }).ServeHTTP(w, r)
	size, lines := 0, w.Result().Header["Set-Cookie"]
	for _, line := range lines {
		size += len("Set-Cookie: ") + len(line) + len("\r\n")
	}
	if len(lines) < 10 || size > 2<<10+200 || !strings.Contains(lines[1], "Domain=old.example") {
		t.Errorf("%d bytes: %q", size, lines)
	}
	if last := lines[len(lines)-1]; !strings.Contains(last, b.cookie) {
		t.Errorf("the last line is %q, want the session's", last)
	}
}

func TestR10AHostPrefixAllowsOneScopeAlone(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Cookie.Name = ""; c.Cookie.Earlier = at("/app") })
	r := httptest.NewRequest("GET", "https://www.shop.example/a/b", nil)
	r.Header.Set("Cookie", "__Host-Http-session_id="+unknownToken)
	w := httptest.NewRecorder()
	s.behind(func(_ http.ResponseWriter, _ *http.Request, v *VisitorSession) { v.SetName("Ada") }).ServeHTTP(w, r)
	if c := w.Result().Cookies(); len(c) != 2 || !c[0].Partitioned || c[0].MaxAge >= 0 || c[1].Value == "" {
		t.Errorf("cookies %v, want its twin for partitions removed and the cookie set", c)
	}
}

func TestR10OfSeveralCookiesTheOneThatIsLiveCounts(t *testing.T) {
	for name, c := range map[string]struct {
		header func(live, other string) string // live and other are tokens of two sessions
		calls  string
		want   string
		event  bool
	}{
		"equal values":          {func(live, _ string) string { return "shop=" + live + "; shop=" + live }, "load", "Ada", false},
		"an empty one before":   {func(live, _ string) string { return "shop=; shop=" + live }, "load", "Ada", true},
		"an empty one behind":   {func(live, _ string) string { return "shop=" + live + "; shop=" }, "load", "Ada", true},
		"a quoted one":          {func(live, other string) string { return `shop="` + other + `"; shop=` + live }, "load", "Ada", true},
		"a malformed one":       {func(live, _ string) string { return "shop=x; shop=" + live }, "load", "Ada", true},
		"an unknown one before": {func(live, _ string) string { return "shop=" + unknownToken + "; shop=" + live }, "load load", "Ada", true},
		"an unknown one behind": {func(live, _ string) string { return "shop=" + live + "; shop=" + unknownToken }, "load load", "Ada", true},
		"three unknown ones":    {func(live, _ string) string { return unknown(3) + "shop=" + live }, "load load load load", "Ada", true},
		"nine unknown ones":     {func(live, _ string) string { return unknown(9) + "shop=" + live }, "load load load load", "Ada", true},
		"unknown ones alone":    {func(_, _ string) string { return unknown(2) }, "load load", "", true},
		"another live one":      {func(live, other string) string { return "shop=" + live + "; shop=" + other }, "load load", "", true},
		"two empty ones":        {func(_, _ string) string { return "shop=; shop=" }, "", "", false},
		"an empty and another":  {func(_, _ string) string { return "shop=; shop=x" }, "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b, other := s.signedUp(), s.signedUp()
			header := c.header(b.cookie, other.cookie)
			res := s.answer(header, func(v *VisitorSession) {
				if got := v.Name(); got != c.want {
					t.Errorf("the session of %q, want %q", got, c.want)
				}
			})
			wantCalls(t, s, c.calls)
			wantEvents(t, s, map[bool][]runtime.EventKind{true: {runtime.EventDuplicateCookie}}[c.event]...)
			set := ""
			if c.want != "" && c.event {
				set = b.cookie
			}
			if got := tokenIn(cookieSettings[0], res); got != set {
				t.Errorf("the cookie %q is set, want %q", got, set)
			}
			for _, cookie := range ownCookies(res) {
				if cookie.Value == "" {
					t.Errorf("the configured scope is cleared by %v", cookie)
				}
			}
			if cleared := len(res.Cookies()) > len(ownCookies(res)); cleared != c.event {
				t.Errorf("cookies %v", res.Cookies())
			}
		})
	}
}

// unknown returns n cookies that open nothing.
func unknown(n int) (header string) {
	for i := range n {
		header += fmt.Sprintf("shop=%s%02d; ", unknownToken[:len(unknownToken)-2], i)
	}
	return header
}

func TestR10OfSeveralCookiesAWriteReachesTheOneThatIsLive(t *testing.T) {
	for name, do := range map[string]func(*VisitorSession){
		"a write":    func(v *VisitorSession) { v.SetTheme("dark") },
		"a sign-in":  func(v *VisitorSession) { v.SetTheme("dark"); v.SetUserID(7) },
		"a renewal":  func(v *VisitorSession) { v.SetTheme("dark"); v.Renew() },
		"Save":       func(v *VisitorSession) { v.SetTheme("dark"); _ = v.Save(t.Context()) },
		"a deadline": func(v *VisitorSession) { v.SetTheme("dark"); v.SetExpiry(begin.Add(time.Hour)) },
	} {
		for _, other := range []string{unknownToken, "malformed"} {
			t.Run(name+" beside "+other, func(t *testing.T) {
				s := newSite(t)
				b := s.signedUp()
				res := s.answer("shop="+other+"; "+b.header(), do)
				if tokenIn(cookieSettings[0], res) == "" || len(res.Cookies()) == len(ownCookies(res)) {
					t.Errorf("of two cookies it does not make one: %v", res.Cookies())
				}
				b.take(res)
				b.visit(func(v *VisitorSession) {
					if v.Name() != "Ada" || v.Theme() != "dark" {
						t.Errorf("name %q, theme %q", v.Name(), v.Theme())
					}
				})
			})
		}
	}
}

// contested is a Cookie header with the tokens of a victim and of somebody who has
// planted his own.
func (s *site) contested() (header string, victim, other *browser) {
	victim, other = s.signedIn(7), s.signedIn(9)
	return "shop=" + other.cookie + "; " + victim.header(), victim, other
}

func TestR10ASignOutEndsTheSessionsOfAllCookies(t *testing.T) {
	for name, leave := range map[string]func(*VisitorSession){
		"Destroy":          (*VisitorSession).Destroy,
		"Destroy, saved":   func(v *VisitorSession) { v.Destroy(); _ = v.Save(t.Context()) },
		"Destroy twice":    func(v *VisitorSession) { v.Destroy(); v.Destroy() },
		"a clear":          (*VisitorSession).ClearUserID,
		"a clear, saved":   func(v *VisitorSession) { v.ClearUserID(); _ = v.Save(t.Context()) },
		"a default":        func(v *VisitorSession) { v.SetUserID(0) },
		"a read and clear": func(v *VisitorSession) { v.UserID(); v.ClearUserID() },
	} {
		for _, status := range []int{http.StatusOK, http.StatusInternalServerError} {
			t.Run(fmt.Sprint(name, " ", status), func(t *testing.T) {
				s := newSite(t)
				header, victim, other := s.contested()
				r := httptest.NewRequest("GET", "https://shop.example/a/b", nil)
				r.Header.Set("Cookie", header)
				w := httptest.NewRecorder()
				s.behind(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
					leave(v)
					w.WriteHeader(status)
				}).ServeHTTP(w, r)
				res := w.Result()
				wantAnswer(t, res, status)
				if victim.user() != 0 || other.user() != 0 || len(s.find(7))+len(s.find(9)) > 0 {
					t.Errorf("users %d and %d go on, %v and %v are found", victim.user(), other.user(), s.find(7), s.find(9))
				}
				if own := ownCookies(res); len(own) != 1 || own[0].MaxAge >= 0 || len(res.Cookies()) < 3 {
					t.Errorf("cookies %v, want all scopes cleared", res.Cookies())
				}
			})
		}
	}
}

func TestR10ASignOutOfSeveralCookiesMayBeginASession(t *testing.T) {
	s := newSite(t)
	header, victim, _ := s.contested()
	fresh := s.browser()
	fresh.take(s.answer(header, func(v *VisitorSession) {
		v.Destroy()
		if !v.Destroyed() {
			t.Error("not destroyed")
		}
		v.SetNotice("signed out")
	}))
	fresh.visit(func(v *VisitorSession) {
		if got := v.TakeNotice(); got != "signed out" {
			t.Errorf("notice %q", got)
		}
	})
	if got := victim.user(); got != 0 {
		t.Errorf("user %d", got)
	}
}

func TestR10WithoutASignOutSeveralLiveCookiesStay(t *testing.T) {
	for name, do := range map[string]func(*VisitorSession){
		"a read":      func(v *VisitorSession) { v.Name() },
		"a write":     func(v *VisitorSession) { v.SetTheme("dark") },
		"a clear":     func(v *VisitorSession) { v.ClearName() },
		"a sign-in":   func(v *VisitorSession) { v.SetUserID(8) },
		"a discarded": func(v *VisitorSession) { v.Destroy(); v.Discard() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			header, victim, other := s.contested()
			s.answer(header, do)
			if victim.user() != 7 || other.user() != 9 {
				t.Errorf("users %d and %d, want 7 and 9", victim.user(), other.user())
			}
		})
	}
}

func TestR10ASignOutOfSeveralCookiesSaysThatTheStoreFails(t *testing.T) {
	s := newSite(t)
	header, victim, _ := s.contested()
	s.store.fail = func(call string) error {
		if call == "delete" {
			return errOutage
		}
		return nil
	}
	res := s.answer(header, (*VisitorSession).Destroy)
	wantAnswer(t, res, http.StatusServiceUnavailable)
	wantCookies(t, res, 0)
	s.store.fail = nil
	if got := victim.user(); got != 7 {
		t.Errorf("user %d", got)
	}
}

// A copied cookie of a bound session opens nothing, and so it ends nothing beside
// another one.
func TestR10ASignOutOfSeveralCookiesEndsNoSessionOfAnotherDevice(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Bound = runtime.BoundSignIn })
	d := newDevice(t, s)
	d.visit(func(v *VisitorSession) { v.SetUserID(7) })
	s.wait(31 * time.Second)
	d.opens(true)
	other := s.signedIn(9)
	s.answer("shop="+other.cookie+"; shop="+d.cookies["shop"], (*VisitorSession).Destroy)
	if n := len(s.find(7)); n != 1 {
		t.Errorf("%d sessions of the bound user are left, want 1", n)
	}
	if n := len(s.find(9)); n != 0 {
		t.Errorf("%d sessions of the other are left, want none", n)
	}
}

// To ask for several cookies is no use of them: an old token that a browser still
// has at another scope must neither end the session nor begin anything.
func TestR10AnOldTokenBesideTheCurrentOneIsNoReuse(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	old := b.tab()
	b.visit(func(v *VisitorSession) { v.Renew() })
	b.visit(func(v *VisitorSession) { v.Name() })
	s.wait(time.Hour)
	s.store.took()
	s.answer(old.header()+"; "+b.header(), func(v *VisitorSession) {
		if v.Name() != "Ada" {
			t.Error("not the current one")
		}
	})
	wantEvents(t, s, runtime.EventDuplicateCookie)
	wantName(t, s, b.cookie, "Ada")
}

func TestR10AnOutageChoosesAndClearsNothing(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	s.store.fail = func(string) error { return errOutage }
	res := s.answer("shop="+unknownToken+"; "+b.header(), func(v *VisitorSession) {
		v.Name()
		wantErr(t, v.Err(), errOutage)
	})
	if len(res.Cookies()) > 0 {
		t.Errorf("cookies %v", res.Cookies())
	}
}

func TestR10ARequestThatDoesNotUseItsSessionAsksForNone(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	res := b.tab().do(func(http.ResponseWriter, *http.Request, *VisitorSession) {})
	_ = s.answer("shop="+unknownToken+"; "+b.header(), func(*VisitorSession) {})
	wantCalls(t, s, "")
	wantEvents(t, s)
	if len(res.Cookies()) > 0 {
		t.Errorf("cookies %v", res.Cookies())
	}
}

func TestR10ACookieThatChangesIsClearedElsewhereIfTheBrowserBroughtOne(t *testing.T) {
	for name, c := range map[string]struct {
		known   bool
		do      func(*VisitorSession)
		cleared bool
	}{
		"a new session":               {false, func(v *VisitorSession) { v.SetName("Ada") }, false},
		"a sign-in":                   {true, func(v *VisitorSession) { v.SetUserID(7) }, true},
		"a renewal":                   {true, func(v *VisitorSession) { v.Renew() }, true},
		"a deadline":                  {true, func(v *VisitorSession) { v.SetExpiry(begin.Add(time.Hour)) }, true},
		"a destruction":               {true, func(v *VisitorSession) { v.Destroy() }, true},
		"a sign-in that is saved":     {true, func(v *VisitorSession) { v.SetUserID(7); _ = v.Save(t.Context()) }, true},
		"a write, which changes none": {true, func(v *VisitorSession) { v.SetName("Grace") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.browser()
			if c.known {
				b = s.signedUp()
			}
			res := b.visit(c.do)
			if cleared := len(res.Cookies()) > len(ownCookies(res)); cleared != c.cleared {
				t.Errorf("cookies %v", res.Cookies())
			}
		})
	}
}

func TestASecureCookieOverPlainHTTPIsOneEvent(t *testing.T) {
	writes := func(_ http.ResponseWriter, _ *http.Request, v *VisitorSession) { v.SetName("Ada") }
	for name, c := range map[string]struct {
		url    string
		header string // that says otherwise
		value  string
		secure bool
		event  bool
	}{
		"plain HTTP":             {"http://shop.example/", "", "", true, true},
		"an address":             {"http://192.0.2.1:8080/", "", "", true, true},
		"HTTPS":                  {"https://shop.example/", "", "", true, false},
		"this machine":           {"http://localhost:8080/", "", "", true, false},
		"this machine's address": {"http://127.0.0.1:8080/", "", "", true, false},
		"behind a proxy":         {"http://app:8080/", "X-Forwarded-Proto", "https", true, false},
		"behind another":         {"http://app:8080/", "Forwarded", "for=192.0.2.1;Proto=https", true, false},
		"what a browser says":    {"http://app:8080/", "Sec-Fetch-Site", "same-origin", true, false},
		"a page's origin":        {"http://app:8080/", "Origin", "https://shop.example", true, false},
		"a cookie for it":        {"http://shop.example/", "", "", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(config *runtime.Config) { config.Cookie.Secure = c.secure })
			for range 2 {
				r := httptest.NewRequest("GET", c.url, nil)
				if c.header != "" {
					r.Header.Set(c.header, c.value)
				}
				s.behind(writes).ServeHTTP(httptest.NewRecorder(), r)
			}
			wantEvents(t, s, map[bool][]runtime.EventKind{true: {runtime.EventInsecure}}[c.event]...)
		})
	}
}
