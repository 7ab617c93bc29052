package sessiontest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// bearer and ownField carry the token in a header field.
func bearer(c *runtime.Config)   { c.Header = "authorization" }
func ownField(c *runtime.Config) { c.Header = "X-Session" }

// inHeaders runs a test with each header that carries a token.
func inHeaders(t *testing.T, test func(t *testing.T, s *site)) {
	t.Run("Authorization", func(t *testing.T) { test(t, newSite(t, bearer)) })
	t.Run("X-Session", func(t *testing.T) { test(t, newSite(t, ownField)) })
}

func wantHeader(t *testing.T, h http.Header, field string, want ...string) {
	t.Helper()
	if got := strings.Join(h[field], " + "); got != strings.Join(want, " + ") {
		t.Errorf("%s: %q, want %q", field, got, want)
	}
}

func TestAHeaderCarriesTheTokenInPlaceOfTheCookie(t *testing.T) {
	inHeaders(t, func(t *testing.T, s *site) {
		b := s.browser()
		res := b.visit(func(s *VisitorSession) { s.SetName("Ada") })
		if len(b.cookie) != 64 {
			t.Fatalf("the response has %q in %s, want a token", res.Header[s.header], s.header)
		}
		wantHeader(t, res.Header, "Set-Cookie")
		wantHeader(t, res.Header, "Cache-Control", "no-store")
		res = b.visit(func(s *VisitorSession) {
			if s.Name() != "Ada" {
				t.Errorf("name %q with the token", s.Name())
			}
		})
		wantHeader(t, res.Header, s.header)
		wantHeader(t, res.Header, "Vary", s.header)
	})
}

func TestAHeaderFollowsTheRulesOfTokens(t *testing.T) {
	inHeaders(t, func(t *testing.T, s *site) {
		b := s.signedUp()
		old := b.clone()
		b.visit(func(s *VisitorSession) { s.Renew() })
		if b.cookie == old.cookie || b.name() != "Ada" || old.clone().name() != "Ada" {
			t.Error("a renewal gives no new token beside the old one")
		}
		s.wait(grace + time.Second)
		wantEvents(t, s)
		if old.clone().name() != "" || b.name() != "" {
			t.Error("a token that came back after the grace opened something")
		}
		wantEvents(t, s, runtime.EventReused)
	})
	inHeaders(t, func(t *testing.T, s *site) {
		b := s.signedUp()
		planted := b.clone()
		b.visit(func(s *VisitorSession) { s.SetUserID(7) })
		if planted.clone().user() != 0 || b.user() != 7 {
			t.Error("the token of before a sign-in opens the session")
		}
		res := b.visit(func(s *VisitorSession) { s.Destroy() })
		wantHeader(t, res.Header, s.header, "")
		wantHeader(t, res.Header, "Cache-Control", "no-store")
		if b.cookie != "" {
			t.Errorf("token %q after the end", b.cookie)
		}
	})
}

func TestSaveThenDestroyLeavesOneLineInTheHeader(t *testing.T) {
	inHeaders(t, func(t *testing.T, s *site) {
		b := s.browser()
		res := b.do(func(_ http.ResponseWriter, r *http.Request, s *VisitorSession) {
			s.SetName("Ada")
			wantErr(t, s.Save(r.Context()), nil)
			s.Destroy()
		})
		wantHeader(t, res.Header, s.header, "")
		res = b.do(func(_ http.ResponseWriter, r *http.Request, s *VisitorSession) {
			s.SetName("Ada")
			wantErr(t, s.Save(r.Context()), nil)
			s.Destroy()
			wantErr(t, s.Save(r.Context()), nil)
			s.SetName("Grace")
		})
		if lines := res.Header[s.header]; len(lines) != 1 || b.name() != "Grace" {
			t.Errorf("the response has %q, want the token of the second session", lines)
		}
	})
}

func TestACookieAndAHeaderManagerSeeTheSameSessions(t *testing.T) {
	web := newSite(t)
	api := newSiteOn(t, web.store, bearer)
	b := web.signedUp()
	mobile := &browser{site: api, cookie: b.cookie}
	if mobile.name() != "Ada" {
		t.Error("the token of a cookie opens nothing in a header")
	}
	mobile.visit(func(s *VisitorSession) { s.SetName("Grace") })
	if b.name() != "Grace" {
		t.Error("the cookie does not see what the header's request wrote")
	}
	if (&browser{site: web}).do(func(_ http.ResponseWriter, r *http.Request, s *VisitorSession) {
		r.Header.Set("Authorization", "Bearer "+b.cookie)
		if s.Name() != "" {
			t.Error("a cookie manager takes a header for its token")
		}
	}); len(web.kinds()) > 0 {
		t.Error("a cookie manager reports a header that is none of its own")
	}
}

// brings sends one request with the lines of the site's header.
func (s *site) brings(lines ...string) (name string) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header[s.header] = lines
	s.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		name = VisitorFrom(r.Context()).Name()
	})).ServeHTTP(httptest.NewRecorder(), r)
	return name
}

func TestWhatAnAuthorizationFieldCanHold(t *testing.T) {
	s := newSite(t, bearer)
	token := s.signedUp().cookie
	unknown := newSite(t).signedUp().cookie
	for name, c := range map[string]struct {
		lines []string
		want  string
		event runtime.EventKind
	}{
		"token":            {[]string{"Bearer " + token}, "Ada", ""},
		"lower case":       {[]string{"bearer " + token}, "Ada", ""},
		"two spaces":       {[]string{"Bearer  " + token}, "Ada", ""},
		"equal lines":      {[]string{"Bearer " + token, "Bearer " + token}, "Ada", ""},
		"none":             {nil, "", ""},
		"empty":            {[]string{""}, "", ""},
		"another scheme":   {[]string{"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, "", ""},
		"two schemes":      {[]string{"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Bearer " + token}, "Ada", ""},
		"a list":           {[]string{"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==,\t, Bearer " + token}, "Ada", ""},
		"no token":         {[]string{"Bearer", "Bearer "}, "", ""},
		"no scheme":        {[]string{token}, "", ""},
		"a JSON Web Token": {[]string{"Bearer eyJhbGciOiJub25lIn0.e30."}, "", runtime.EventMalformedCookie},
		"quoted":           {[]string{`Bearer "` + token + `"`}, "", runtime.EventMalformedCookie},
		"one of two lives": {[]string{"Bearer " + unknown, "Bearer " + token}, "Ada", runtime.EventDuplicateCookie},
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.brings(c.lines...); got != c.want {
				t.Errorf("name %q, want %q", got, c.want)
			}
			if c.event == "" {
				wantEvents(t, s)
			} else {
				wantEvents(t, s, c.event)
			}
		})
	}
}

func TestAnEmptyElementOfAnotherFieldIsNone(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Header = "X-Session" })
	b := s.signedUp()
	r := httptest.NewRequest("GET", "https://shop.example/", nil)
	r.Header["X-Session"] = []string{"", " , " + b.cookie + " ,"}
	s.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if got := VisitorFrom(r.Context()).Name(); got != "Ada" {
			t.Errorf("name %q", got)
		}
	})).ServeHTTP(httptest.NewRecorder(), r)
	wantEvents(t, s)
}

func TestSomebodyElsesAuthorizationInTheResponseStays(t *testing.T) {
	s := newSite(t, bearer)
	res := s.browser().do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		w.Header().Set("Authorization", "Bearer mine")
		v.SetName("Ada")
	})
	wantHeader(t, res.Header, "Authorization", "Bearer mine")
	wantEvents(t, s, runtime.EventCookieTaken)
}

func TestALiveConnectionWithAHeader(t *testing.T) {
	inHeaders(t, func(t *testing.T, s *site) {
		b := s.signedUp()
		r := httptest.NewRequest("GET", "https://shop.example/lively", nil)
		b.bring(r)
		wantErr(t, s.CheckOrigin(r), nil) // a program sends no Origin
		r.Header.Set("Origin", "https://evil.example")
		wantErr(t, s.CheckOrigin(r), runtime.ErrForeignOrigin)

		c := b.connect(func(s *VisitorSession) { s.Name() })
		old := b.cookie
		c.must(func(s *VisitorSession) { s.SetUserID(7) })
		url := c.told()
		if code := b.fetch(url, func(r *http.Request) {
			for _, field := range []string{"Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest"} {
				r.Header.Del(field)
			}
		}); code != http.StatusNoContent || b.cookie == old {
			t.Errorf("status %d for the ticket, want 204 and a new token", code)
		}
		wantHeader(t, b.last.Header, "Set-Cookie")
		if b.user() != 7 {
			t.Error("the new token is not signed in")
		}
		c.must(func(s *VisitorSession) { s.Destroy() })
		if code := b.fetch(c.told()); code != http.StatusNoContent || b.cookie != "" {
			t.Errorf("status %d and token %q after the end, want 204 and none", code, b.cookie)
		}
	})
}

func TestAScriptDeliversNoHeader(t *testing.T) {
	s := newSite(t, bearer, scripted)
	c := s.signedUp().connect()
	c.must(func(s *VisitorSession) { s.SetUserID(7) })
	if told := c.told(); !strings.HasPrefix(told, "/lively/sync?ticket=") {
		t.Errorf("the client was told %q, want the sync URL", told)
	}
}

func TestTwoManagersWithOneHeaderPanicWhenNested(t *testing.T) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	nested := newSite(t, bearer).Middleware(newSite(t, bearer).Middleware(ok))
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "header Authorization") {
			t.Errorf("panic %q, want one that names the header", text)
		}
	}()
	nested.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
}

func TestAnUntouchedHeaderCostsNoMoreThanACookie(t *testing.T) {
	s := newSite(t, bearer)
	b := s.signedUp()
	b.visit(func(*VisitorSession) {})
	wantCalls(t, s, "")
	b.visit(func(s *VisitorSession) { s.SetName("Grace") })
	wantCalls(t, s, "update")
}

func TestAHeaderThatMeansSomethingElseIsRefused(t *testing.T) {
	for _, field := range []string{"a b", "X-Sitzung-ä", "Cookie", "set-cookie", "Host", "vary", "Content-Length"} {
		if err := configErr(func(c *runtime.Config) { c.Header = field }); err == nil || !strings.Contains(err.Error(), "Header is") {
			t.Errorf("%q: error %v, want one about the header", field, err)
		}
	}
	wantErr(t, configErr(bearer), nil)
	wantErr(t, configErr(ownField), nil)
}
