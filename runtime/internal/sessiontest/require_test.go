package sessiontest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// A guarded is a site with a page that wants a recent sign-in.
type guarded struct {
	*browser
	page http.Handler
}

func newGuarded(t *testing.T, within time.Duration, configure ...func(*runtime.Config)) *guarded {
	t.Helper()
	site := newSite(t, configure...)
	page := site.RequireSignIn(within, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello %d", VisitorFrom(r.Context()).UserID())
	}))
	return &guarded{site.browser(), page}
}

// open asks for the page.
func (g *guarded) open() *http.Response {
	r := httptest.NewRequest("GET", "https://shop.example/account", nil)
	g.bring(r)
	w := httptest.NewRecorder()
	g.page.ServeHTTP(w, r)
	g.last = w.Result()
	g.take(g.last)
	return g.last
}

// is checks what the page answers.
func (g *guarded) is(what string, status int, body string) *http.Response {
	g.site.t.Helper()
	res := g.open()
	if got := bodyOf(res); res.StatusCode != status || strings.TrimSpace(got) != body {
		g.site.t.Errorf("%s: %d %q, not %d %q", what, res.StatusCode, got, status, body)
	}
	return res
}

const pleaseSignIn = "please sign in"

func TestRequireSignInWantsOneThatIsRecent(t *testing.T) {
	g := newGuarded(t, 10*time.Minute)
	g.is("nobody", http.StatusUnauthorized, pleaseSignIn)
	if calls := g.site.store.took(); calls != "" {
		t.Errorf("without a cookie it asks the store: %s", calls)
	}
	g.visit(func(s *VisitorSession) { s.SetName("Ada") })
	g.is("a session without a sign-in", http.StatusUnauthorized, pleaseSignIn)
	g.visit(func(s *VisitorSession) { s.SetUserID(7) })
	g.is("signed in", http.StatusOK, "hello 7")
	g.site.now = g.site.now.Add(10*time.Minute - time.Millisecond)
	g.is("signed in a moment less than that ago", http.StatusOK, "hello 7")
	g.visit(func(s *VisitorSession) { s.Renew() })
	g.site.now = g.site.now.Add(time.Millisecond)
	g.is("signed in that long ago, and renewed since", http.StatusUnauthorized, pleaseSignIn)
	g.visit(func(s *VisitorSession) { s.SetUserID(7) })
	g.is("signed in again", http.StatusOK, "hello 7")
	g.visit(func(s *VisitorSession) { s.ClearUserID() })
	g.is("signed out", http.StatusUnauthorized, pleaseSignIn)
}

func TestRequireSignInWithoutATimeWantsAnySignIn(t *testing.T) {
	g := newGuarded(t, 0)
	g.visit(func(s *VisitorSession) { s.SetUserID(7) })
	g.site.now = g.site.now.Add(6 * 24 * time.Hour)
	g.is("signed in days ago", http.StatusOK, "hello 7")
	g.visit(func(s *VisitorSession) { s.Destroy() })
	g.is("destroyed", http.StatusUnauthorized, pleaseSignIn)
}

func TestRequireSignInSeesWhatThisRequestIsAboutToStore(t *testing.T) {
	g := newGuarded(t, time.Minute)
	guarded := g.page
	for _, c := range []struct {
		what   string
		do     func(*VisitorSession)
		status int
	}{
		{"a sign-in", func(s *VisitorSession) { s.SetUserID(7) }, http.StatusOK},
		{"a sign-out", func(s *VisitorSession) { s.ClearUserID() }, http.StatusUnauthorized},
		{"another sign-in", func(s *VisitorSession) { s.SetUserID(7) }, http.StatusOK},
		{"an end", func(s *VisitorSession) { s.Destroy() }, http.StatusUnauthorized},
	} {
		g.page = g.site.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c.do(VisitorFrom(r.Context()))
			guarded.ServeHTTP(w, r)
		}))
		if res := g.open(); res.StatusCode != c.status {
			t.Errorf("%s by an outer handler: %d", c.what, res.StatusCode)
		}
	}
}

func TestRequireSignInAsksTheProgramForTheAnswer(t *testing.T) {
	g := newGuarded(t, time.Minute, func(c *runtime.Config) {
		c.SignInHandler = func(w http.ResponseWriter, r *http.Request) {
			s := VisitorFrom(r.Context())
			s.SetNotice(fmt.Sprintf("signed in before: %v", !s.SignedInAt().IsZero()))
			http.Redirect(w, r, "/sign-in?next="+r.URL.Path, http.StatusSeeOther)
		}
	})
	for _, want := range []string{"signed in before: false", "signed in before: true"} {
		res := g.open()
		if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/sign-in?next=/account" {
			t.Errorf("%d to %s", res.StatusCode, res.Header.Get("Location"))
		}
		g.visit(func(s *VisitorSession) {
			if got := s.TakeNotice(); got != want {
				t.Errorf("the notice is %q, not %q", got, want)
			}
			s.SetUserID(7)
		})
		g.site.now = g.site.now.Add(time.Hour)
	}
}

func TestRequireSignInKeepsAnswersOutOfCaches(t *testing.T) {
	g := newGuarded(t, time.Minute)
	check := func(what string) {
		t.Helper()
		h := g.open().Header
		if h.Get("Vary") != "Cookie" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Vary %q, Cache-Control %q", what, h["Vary"], h["Cache-Control"])
		}
	}
	check("nobody")
	g.visit(func(s *VisitorSession) { s.SetUserID(7) })
	check("signed in")
	g.page = g.site.RequireSignIn(0, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "private, max-age=60")
	}))
	if got := g.open().Header["Cache-Control"]; len(got) != 1 || got[0] != "private, max-age=60" {
		t.Errorf("a handler that says otherwise has %q", got)
	}
}

func TestS3RequireSignInTakesAnOutageForNoSignOut(t *testing.T) {
	for _, closed := range []bool{false, true} {
		g := newGuarded(t, time.Minute, func(c *runtime.Config) {
			c.FailClosed = closed
			c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err error) {
				http.Error(w, "later: "+r.URL.Path, runtime.StatusOf(err))
			}
		})
		g.visit(func(s *VisitorSession) { s.SetUserID(7) })
		before := g.cookie
		g.site.store.fail = func(string) error { return errors.New("down") }
		res := g.is("an outage", http.StatusServiceUnavailable, "later: /account")
		if got := res.Header["Cache-Control"]; len(got) != 1 || got[0] != "no-store" {
			t.Errorf("an outage has %q", got)
		}
		g.site.store.fail = nil
		if g.cookie != before {
			t.Error("an outage changed the cookie")
		}
		g.is("afterwards", http.StatusOK, "hello 7")
	}
}

// TestRequireSignInLetsNobodyInWhomItCannotAsk: the session has not been read before
// its end, as behind a handler that answers first.
func TestRequireSignInLetsNobodyInWhomItCannotAsk(t *testing.T) {
	g := newGuarded(t, time.Minute)
	g.visit(func(s *VisitorSession) { s.SetUserID(7) })
	r := httptest.NewRequest("GET", "https://shop.example/account", nil)
	g.bring(r)
	r = g.site.ProcessRequest(r)
	w := httptest.NewRecorder()
	if err := g.site.ProcessResponse(w, r); err != nil {
		t.Fatal(err)
	}
	g.page.ServeHTTP(w, r)
	if res := w.Result(); res.StatusCode != runtime.StatusOf(runtime.ErrTooLate) || strings.Contains(bodyOf(res), "hello") {
		t.Errorf("status %d, want %d", res.StatusCode, runtime.StatusOf(runtime.ErrTooLate))
	}
}

func TestRequireSignInChallengesTheClientsOfAHeader(t *testing.T) {
	g := newGuarded(t, 10*time.Minute, func(c *runtime.Config) { c.Header = "Authorization" })
	if got := g.open().Header["Www-Authenticate"]; len(got) != 1 || got[0] != "Bearer" {
		t.Errorf("nobody is challenged by %q", got)
	}
	g.visit(func(s *VisitorSession) { s.SetUserID(7) })
	g.site.now = g.site.now.Add(time.Hour)
	res := g.is("an hour later", http.StatusUnauthorized, pleaseSignIn)
	want := `Bearer error="insufficient_user_authentication", max_age="600"`
	if got := res.Header.Get("WWW-Authenticate"); got != want {
		t.Errorf("an old sign-in is challenged by %q", got)
	}
	if got := res.Header.Get("Vary"); got != "Authorization" {
		t.Errorf("Vary %q", got)
	}
}

func bodyOf(res *http.Response) string {
	body, _ := io.ReadAll(res.Body)
	return string(body)
}
