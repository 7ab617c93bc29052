package sessiontest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/runtime"
)

func TestNewCookieOpensAStoredSession(t *testing.T) {
	onEveryStore(t, func(t *testing.T, on backend) {
		site := on.site(t)
		want := Visitor{UserID: 7, Theme: "dark", Cart: map[string]int{"tea": 2}, APIKey: "sesame"}
		cookie, err := site.NewCookie(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		b := &browser{site: site, cookie: cookie.Value}
		b.visit(func(s *VisitorSession) {
			if diff := cmp.Diff(want, s.Snapshot()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if s.IsNew() || s.Dirty() || s.SignedInAt().IsZero() || !s.SignedInAt().Equal(s.CreatedAt()) {
				t.Errorf("new %v, dirty %v, signed in %v, created %v", s.IsNew(), s.Dirty(), s.SignedInAt(), s.CreatedAt())
			}
		})
		for found, err := range site.FindByUserID(t.Context(), 7) {
			if err != nil || found.Theme() != "dark" {
				t.Errorf("it is found as %v (%v)", found, err)
			}
		}
		if n, err := site.RevokeByUserID(t.Context(), 7); n != 1 || err != nil {
			t.Errorf("%d revoked (%v)", n, err)
		}
		b.visit(func(s *VisitorSession) {
			if s.UserID() != 0 {
				t.Error("it outlives its revocation")
			}
		})
	})
}

func TestNewCookieStoresAlsoAnEmptySession(t *testing.T) {
	onEveryStore(t, func(t *testing.T, on backend) {
		site := on.site(t)
		cookie, err := site.NewCookie(t.Context(), Visitor{Theme: "light"})
		if err != nil {
			t.Fatal(err)
		}
		b := &browser{site: site, cookie: cookie.Value}
		b.visit(func(s *VisitorSession) {
			if s.IsNew() || !s.SignedInAt().IsZero() {
				t.Errorf("new %v, signed in %v", s.IsNew(), s.SignedInAt())
			}
			s.SetName("Ada")
		})
		b.visit(func(s *VisitorSession) {
			if s.Name() != "Ada" {
				t.Errorf("the name is %q", s.Name())
			}
		})
		if b.cookie != cookie.Value {
			t.Error("another session was begun")
		}
	})
}

func TestNewCookieIsTheOneThatAResponseWouldSet(t *testing.T) {
	site := newSite(t, func(c *runtime.Config) {
		c.Cookie.Domain, c.Cookie.SameSite, c.Cookie.Partitioned = "shop.example", http.SameSiteNoneMode, true
	})
	b := site.browser()
	b.visit(func(s *VisitorSession) { s.SetName("Ada") })
	want := ownCookies(b.last)[0]
	got, err := site.NewCookie(t.Context(), Visitor{Name: "Ada"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Value == want.Value {
		t.Fatal("the sessions share a token")
	}
	want.Value, want.Raw = got.Value, got.Raw
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-of a response +got):\n%s", diff)
	}
}

func TestNewCookieWorksWithAHeaderToo(t *testing.T) {
	site := newSite(t, func(c *runtime.Config) { c.Header = "Authorization" })
	cookie, err := site.NewCookie(t.Context(), Visitor{Name: "Ada"})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+cookie.Value)
	site.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if got := VisitorFrom(r.Context()).Name(); got != "Ada" {
			t.Errorf("the name is %q", got)
		}
	})).ServeHTTP(httptest.NewRecorder(), r)
}

func TestNewCookieStoresNothingThatBreaksALimit(t *testing.T) {
	site := newSite(t)
	cookie, err := site.NewCookie(t.Context(), Visitor{Name: strings.Repeat("x", 41)})
	if cookie != nil || !errors.Is(err, runtime.ErrTooLarge) {
		t.Errorf("%v, %v", cookie, err)
	}
	if calls := site.store.took(); calls != "" {
		t.Errorf("the store was asked for %q", calls)
	}
}

func TestNewCookieReturnsWhatFails(t *testing.T) {
	site := newSite(t)
	down := errors.New("down")
	site.store.fail = func(string) error { return down }
	if cookie, err := site.NewCookie(t.Context(), Visitor{}); cookie != nil || !errors.Is(err, down) {
		t.Errorf("%v, %v", cookie, err)
	}
	site.store.fail = nil
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if cookie, err := site.NewCookie(over, Visitor{}); cookie != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", cookie, err)
	}
}

func TestWithVisitorTellsWhatBecameOfTheSession(t *testing.T) {
	for _, c := range []struct {
		what               string
		do                 func(*VisitorSession)
		destroyed, renewed bool
	}{
		{"nothing", func(*VisitorSession) {}, false, false},
		{"a change", func(s *VisitorSession) { s.SetName("Eve") }, false, false},
		{"a sign-in", signIn, false, true},
		{"a sign-out", func(s *VisitorSession) { s.ClearUserID() }, false, true},
		{"a renewal", func(s *VisitorSession) { s.Renew() }, false, true},
		{"an end", func(s *VisitorSession) { s.Destroy() }, true, false},
		{"an expiry that has passed", func(s *VisitorSession) { s.SetExpiry(time.Unix(1, 0)) }, true, false},
		{"an end and a new session", func(s *VisitorSession) { s.Destroy(); s.SetNotice("Goodbye.") }, true, false},
		{"what is dropped", func(s *VisitorSession) { s.Renew(); s.Destroy(); s.Discard() }, false, false},
	} {
		for _, v := range []Visitor{{}, {UserID: 9, Name: "Ada"}} {
			if v.UserID == 0 && c.what == "a sign-out" {
				continue // of nobody
			}
			ctx, s := WithVisitor(t.Context(), v)
			if s.IsNew() || s.Dirty() || s.Destroyed() || s.Renewed() || s.SignedInAt().IsZero() != (v.UserID == 0) {
				t.Errorf("at the beginning: new %v, dirty %v, destroyed %v, renewed %v, signed in %v",
					s.IsNew(), s.Dirty(), s.Destroyed(), s.Renewed(), s.SignedInAt())
			}
			c.do(VisitorFrom(ctx))
			for _, saved := range []bool{false, true} {
				if s.Destroyed() != c.destroyed || s.Renewed() != c.renewed {
					t.Errorf("%s, saved %v: destroyed %v, renewed %v", c.what, saved, s.Destroyed(), s.Renewed())
				}
				if err := s.Save(ctx); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func TestSessionsTellWhatTheirRequestDidToThem(t *testing.T) {
	site := newSite(t)
	b := site.browser()
	var tells []bool
	tell := func(s *VisitorSession) { tells = append(tells, s.Destroyed(), s.Renewed()) }
	b.visit(func(s *VisitorSession) {
		s.SetName("Ada")
		s.Destroy()
		tell(s) // there was none
		signIn(s)
		tell(s) // a new one, with its first token
	})
	b.visit(func(s *VisitorSession) {
		s.Renew()
		tell(s)
		if err := s.Save(t.Context()); err != nil {
			t.Error(err)
		}
		tell(s)
	})
	b.visit(func(s *VisitorSession) {
		tell(s)
		s.Destroy()
		tell(s)
		if err := s.Save(t.Context()); err != nil {
			t.Error(err)
		}
		tell(s)
	})
	want := []bool{
		false, false, false, false,
		false, true, false, true,
		false, false, true, false, true, false,
	}
	if !slices.Equal(tells, want) {
		t.Errorf("%v, want %v", tells, want)
	}
}
