package sessiontest

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// shown returns the token of a page.
func (b *browser) shown(before ...func(*VisitorSession)) (token string) {
	b.site.t.Helper()
	b.visit(func(s *VisitorSession) {
		for _, do := range before {
			do(s)
		}
		token = s.CSRFToken()
		if token == "" {
			b.site.t.Errorf("there is no token (%v)", s.Err())
		}
	})
	return token
}

// accepts checks whether a form with the token is taken for one of the program's.
func (b *browser) accepts(what, token string, want bool) {
	b.site.t.Helper()
	b.visit(func(s *VisitorSession) {
		if got := s.CheckCSRF(token); got != want {
			b.site.t.Errorf("%s: accepted %v, want %v", what, got, want)
		}
	})
}

func TestCSRFATokenIsAcceptedOfItsOwnSessionAlone(t *testing.T) {
	onEveryStore(t, func(t *testing.T, on backend) {
		site := on.site(t)
		ada, eve := site.browser(), site.browser()
		token, other := ada.shown(), eve.shown()
		ada.accepts("a token of a session that was created for it", token, true)
		ada.accepts("that of somebody else", other, false)
		eve.accepts("the token with another cookie", token, false)
		site.browser().accepts("the token without a cookie", token, false)
	})
}

func TestCSRFASessionIsCreatedForTheToken(t *testing.T) {
	site := newSite(t)
	b := site.browser()
	b.shown()
	if calls := site.store.took(); calls != "create" {
		t.Errorf("the store was asked for %q", calls)
	}
	b.visit(func(s *VisitorSession) {
		if s.IsNew() || s.Dirty() || s.CreatedAt().IsZero() {
			t.Errorf("new %v, dirty %v, created %v", s.IsNew(), s.Dirty(), s.CreatedAt())
		}
	})
	site.store.took()
	before := b.cookie
	b.shown(func(s *VisitorSession) {
		if s.Dirty(); s.CSRFToken() == "" || s.Dirty() {
			t.Error("a token changes a session that is there")
		}
	})
	if calls := site.store.took(); calls != "load" || b.cookie != before {
		t.Errorf("of a session that is there, the store was asked for %q", calls)
	}
}

func TestCSRFATokenIsAnotherTextEachTime(t *testing.T) {
	b := newSite(t).browser()
	b.visit(func(s *VisitorSession) { s.SetName("Ada") })
	texts := map[string]bool{}
	for range 100 {
		token := b.shown()
		raw, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil || len(raw) != 32 || texts[token[:21]] || texts[token[22:]] {
			t.Fatalf("%q is no token, or like an earlier one (%v)", token, err)
		}
		texts[token[:21]], texts[token[22:]] = true, true
	}
	for _, token := range []string{b.shown(), b.shown()} {
		b.accepts("each of them", token, true)
	}
}

func TestCSRFOtherTextsAreNoToken(t *testing.T) {
	b := newSite(t).browser()
	token := b.shown()
	raw, _ := base64.RawURLEncoding.DecodeString(token)
	for i := range raw {
		raw[i] ^= 1
		b.accepts("a changed token", base64.RawURLEncoding.EncodeToString(raw), false)
		raw[i] ^= 1
	}
	for _, text := range []string{"", " ", token + "A", token[:42], token + "=", " " + token, token + "\n", strings.Repeat("A", 43), strings.Repeat("A", 1<<16)} {
		b.accepts("another text", text, false)
	}
	b.accepts("the token", token, true)
}

func TestCSRFATokenOutlivesRenewalsAndNoSignIn(t *testing.T) {
	site := newSite(t)
	b := site.browser()
	token := b.shown()
	late := *b
	b.visit(func(s *VisitorSession) { s.Renew() })
	late.accepts("the old cookie, in its grace", token, true)
	for range 6 {
		b.visit(func(s *VisitorSession) { s.Renew() })
	}
	b.accepts("after renewals", token, true)
	b.visit(signIn)
	b.accepts("after a sign-in", token, false)
	token = b.shown()
	b.visit(func(s *VisitorSession) { s.ClearUserID() })
	b.accepts("after a sign-out", token, false)
}

func TestCSRFTheResponseOfASignInHasTheTokenForTheNextRequest(t *testing.T) {
	for what, do := range map[string][]func(*VisitorSession){
		"a sign-in on a session": {signIn},
		"a sign-out":             {func(s *VisitorSession) { s.ClearUserID() }},
		"a renewal":              {func(s *VisitorSession) { s.Renew() }},
		"an end":                 {func(s *VisitorSession) { s.Destroy() }},
		"an end and a sign-in":   {func(s *VisitorSession) { s.Destroy() }, signIn},
		"a token before it":      {func(s *VisitorSession) { s.CSRFToken() }, signIn},
		"a sign-in that was saved": {signIn, func(s *VisitorSession) {
			if err := s.Save(t.Context()); err != nil {
				t.Error(err)
			}
		}},
		"two sign-ins": {signIn, func(s *VisitorSession) {
			s.CSRFToken()
			if err := s.Save(t.Context()); err != nil {
				t.Error(err)
			}
			s.SetUserID(8)
		}},
	} {
		b := newSite(t).browser()
		b.accepts(what+" on a new session", b.shown(do...), true)
		b.visit(signIn)
		b.accepts(what, b.shown(do...), true)
	}
}

func TestCSRFATokenIsGoodForTheSessionThatARefusedSignInBegins(t *testing.T) {
	for what, look := range map[string]func(*VisitorSession){
		"unseen": func(*VisitorSession) {},
		"seen":   func(s *VisitorSession) { s.CSRFToken() },
	} {
		site := newSite(t)
		b := site.browser()
		b.visit(func(s *VisitorSession) { s.SetName("Ada") })
		other := *b
		token := b.shown(look, func(s *VisitorSession) {
			s.SetUserID(8)
			other.visit(signIn)
		})
		if b.cookie[:21] == other.cookie[:21] {
			t.Fatal("the sign-ins share a session")
		}
		b.accepts(what+": of the new session", token, true)
		other.accepts(what+": of the other one", token, false)
	}
}

// TestCSRFNoFormCanHaveATokenThatIsNew: the browser has not been sent it yet.
func TestCSRFNoFormCanHaveATokenThatIsNew(t *testing.T) {
	site := newSite(t)
	site.browser().visit(func(s *VisitorSession) {
		s.SetName("Ada")
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		if token := s.CSRFToken(); token == "" || s.CheckCSRF(token) {
			t.Errorf("the token %q of a session that this request has begun is accepted", token)
		}
	})
}

func TestCSRFASessionThatWasFoundHasNoToken(t *testing.T) {
	site := newSite(t)
	b := site.signedIn(7)
	token := b.shown()
	if found := site.found(7); found.CheckCSRF(token) || found.CSRFToken() != "" {
		t.Error("a session that was found, whose secret nobody knows, has a token")
	}
}

func TestCSRFATokenIsGoodIfTheFirstIDWasTaken(t *testing.T) {
	site := newSite(t)
	taken := 0
	site.store.fail = func(call string) error {
		if taken++; call == "create" && taken <= 2 {
			return runtime.ErrExists
		}
		return nil
	}
	b := site.browser()
	b.accepts("of the third id", b.shown(), true)
}

func TestCSRFWhatIsNoLiveSessionHasNoToken(t *testing.T) {
	site := newSite(t)
	b := site.browser()
	token := b.shown()
	gone := *b
	b.visit(func(s *VisitorSession) { s.Destroy() })
	gone.accepts("of a destroyed session", token, false)
	planted := &browser{site: site, cookie: strings.Repeat("A", 64)}
	ended := planted.shown()
	planted.accepts("of the session that replaces a planted cookie", ended, true)
	if planted.cookie == strings.Repeat("A", 64) {
		t.Error("a planted cookie was adopted")
	}
	sum := VisitorFrom(t.Context())
	if got := sum.CSRFToken(); got != "" || !errors.Is(sum.Err(), runtime.ErrNoMiddleware) || sum.CheckCSRF(token) {
		t.Errorf("outside of the middleware it is %q (%v)", got, sum.Err())
	}
}

func TestCSRFASupersededCookieHasNoToken(t *testing.T) {
	site := newSite(t)
	b := site.browser()
	token := b.shown()
	old := *b
	b.visit(signIn)
	site.store.took()
	old.visit(func(s *VisitorSession) {
		if s.CheckCSRF(token) || s.CSRFToken() != "" || !errors.Is(s.Err(), runtime.ErrSuperseded) {
			t.Errorf("it has a token (%v)", s.Err())
		}
	})
	if calls := site.store.took(); calls != "load" {
		t.Errorf("the store was asked for %q", calls)
	}
}

func TestCSRFIsJudgedByTheCookieDuringAnOutage(t *testing.T) {
	site := newSite(t)
	b := site.browser()
	token := b.shown()
	site.store.fail = func(string) error { return errors.New("down") }
	during := b.shown()
	b.accepts("a good token", token, true)
	b.accepts("another one", "another", false)
	site.browser().visit(func(s *VisitorSession) {
		if s.CheckCSRF(token) {
			t.Error("it is accepted without a cookie")
		}
	})
	site.store.fail = nil
	b.accepts("one that was shown meanwhile", during, true)
}

func TestCSRFNoSessionIsCreatedTooLateOrForAHandlerThatFailed(t *testing.T) {
	site := newSite(t)
	b := site.browser()
	b.do(func(w http.ResponseWriter, _ *http.Request, s *VisitorSession) {
		w.WriteHeader(http.StatusOK)
		if token := s.CSRFToken(); token != "" || !errors.Is(s.Err(), runtime.ErrTooLate) {
			t.Errorf("after the response has begun it is %q (%v)", token, s.Err())
		}
	})
	b.do(func(w http.ResponseWriter, _ *http.Request, s *VisitorSession) {
		s.CSRFToken()
		w.WriteHeader(http.StatusInternalServerError)
	})
	b.visit(func(s *VisitorSession) {
		s.CSRFToken()
		s.Discard()
	})
	if calls := site.store.took(); calls != "" || b.cookie != "" {
		t.Errorf("the store was asked for %q, the cookie is %q", calls, b.cookie)
	}
	b.visit(func(s *VisitorSession) { s.SetName("Ada") })
	token := ""
	b.do(func(w http.ResponseWriter, _ *http.Request, s *VisitorSession) {
		w.WriteHeader(http.StatusOK)
		token = s.CSRFToken()
	})
	b.accepts("a session that was there has one even then", token, true)
}

func TestCSRFAResponseWithATokenIsKeptByNoCache(t *testing.T) {
	b := newSite(t).browser()
	for _, what := range []string{"a new session", "a stored session"} {
		b.do(func(w http.ResponseWriter, _ *http.Request, s *VisitorSession) {
			w.Header().Set("Cache-Control", "public, max-age=60")
			s.CSRFToken()
		})
		if h := b.last.Header; h.Get("Cache-Control") != "no-store" || h.Get("Vary") != "Cookie" {
			t.Errorf("%s: Cache-Control %q, Vary %q", what, h["Cache-Control"], h["Vary"])
		}
	}
}

func TestCSRFTheTokenShowsNothingOfTheCookie(t *testing.T) {
	b := newSite(t).browser()
	token := b.shown()
	for _, secret := range spellings(t, b.cookie) {
		if strings.Contains(token, secret) {
			t.Errorf("%q has the secret", token)
		}
	}
	raw, _ := base64.RawURLEncoding.DecodeString(token)
	for i := range 16 {
		raw[i] ^= raw[i+16]
	}
	cookie, _ := base64.RawURLEncoding.DecodeString(b.cookie)
	if strings.Contains(string(cookie), string(raw[:16])) {
		t.Error("without its mask it is a part of the cookie")
	}
}

func TestCSRFInTestsOfHandlers(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		if !VisitorFrom(r.Context()).CheckCSRF(r.PostFormValue("csrf")) {
			http.Error(w, "forged", http.StatusForbidden)
		}
	}
	ctx, s := WithVisitor(t.Context(), Visitor{})
	for token, want := range map[string]int{s.CSRFToken(): http.StatusOK, "": http.StatusForbidden} {
		r := httptest.NewRequestWithContext(ctx, "POST", "/", strings.NewReader("csrf="+token))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		handler(w, r)
		if w.Code != want {
			t.Errorf("%q is answered with %d", token, w.Code)
		}
	}
}

func TestCSRFOnAConnection(t *testing.T) {
	site := newSite(t)
	b := site.browser()
	b.visit(func(s *VisitorSession) { s.SetName("Ada") })
	page := b.shown()
	c := b.connect()
	c.must(func(s *VisitorSession) {
		if !s.CheckCSRF(page) || s.CSRFToken() == "" {
			t.Error("the cookie of the handshake has no token")
		}
		s.SetUserID(7)
		if s.CSRFToken() != "" {
			t.Error("the token of a cookie that is not known yet is known")
		}
	})
	c.must(func(s *VisitorSession) {
		if s.CSRFToken() != "" || s.CheckCSRF(page) {
			t.Error("the token of a cookie that a ticket makes is known")
		}
	})
}

func TestCSRFASessionForATokenLivesAsLongAsAnyOther(t *testing.T) {
	site := newSite(t, func(c *runtime.Config) { c.Idle = time.Hour })
	b := site.browser()
	token := b.shown()
	site.now = site.now.Add(time.Hour)
	b.accepts("after the idle limit", token, false)
}
