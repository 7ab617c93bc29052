package sessiontest

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

func idleFor(d time.Duration) func(*runtime.Config) {
	return func(c *runtime.Config) { c.Idle = d }
}

func touchEvery(d time.Duration) func(*runtime.Config) {
	return func(c *runtime.Config) { c.TouchEvery = d }
}

func reads(v *VisitorSession) { v.Name() }

func (b *browser) wantLastUse(what string, want time.Time) {
	b.site.t.Helper()
	b.visit(func(v *VisitorSession) {
		v.Passive()
		if got := v.LastUsedAt(); !got.Equal(want) {
			b.site.t.Errorf("%s: last used at %v, want %v", what, got, want)
		}
	})
	b.site.store.took()
}

func (b *browser) wantEnd(what string, want time.Time) {
	b.site.t.Helper()
	b.visit(func(v *VisitorSession) {
		v.Passive()
		if got := v.ExpiresAt(); !got.Equal(want) {
			b.site.t.Errorf("%s: expires at %v, want %v", what, got, want)
		}
	})
	b.site.store.took()
}

func TestLastUsedAtIsExactToATenthOfTheIdleLimit(t *testing.T) {
	s := newSite(t, idleFor(100*time.Minute))
	b := s.signedUp()
	created := s.now
	b.visit(func(v *VisitorSession) { created = v.CreatedAt() })
	s.store.took()
	b.wantLastUse("created", created)
	s.now = created.Add(10*time.Minute - time.Millisecond)
	b.visit(reads)
	wantCalls(t, s, "load")
	b.wantLastUse("used within a tenth", created)
	s.now = created.Add(10 * time.Minute)
	b.visit(reads)
	if d := s.store.deltas[len(s.store.deltas)-1]; len(d.Ops) > 0 || d.Renewal != nil || !d.Deadline.IsZero() {
		t.Errorf("what records a use carries more: %+v", d)
	}
	wantCalls(t, s, "load update")
	b.wantLastUse("used after a tenth", s.now)
	used := s.now
	s.wait(time.Minute)
	b.visit(func(v *VisitorSession) { v.Passive(); v.SetName("Grace") })
	s.store.took()
	b.wantLastUse("changed by a request that is no use", used)
	b.visit(func(v *VisitorSession) { v.SetName("Ada") })
	s.store.took()
	b.wantLastUse("changed", s.now)
}

func TestLastUsedAtIsRecordedToTheDeadline(t *testing.T) {
	s := newSite(t, idleFor(100*time.Minute), func(c *runtime.Config) { c.Age = 110 * time.Minute })
	b := s.signedUp()
	s.wait(60 * time.Minute)
	b.visit(reads)
	s.wait(30 * time.Minute)
	s.store.took()
	b.visit(reads) // no activity moves the end any more
	wantCalls(t, s, "load update")
	b.wantLastUse("near its deadline", s.now)
}

func TestWithoutAnIdleLimitNoUseIsRecorded(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	var created time.Time
	b.visit(func(v *VisitorSession) { created = v.CreatedAt() })
	s.store.took()
	s.wait(24 * time.Hour)
	b.visit(reads)
	wantCalls(t, s, "load")
	b.visit(func(v *VisitorSession) { v.SetName("Grace") })
	s.store.took()
	b.wantLastUse("never used but by a change", created)
	b.visit(func(v *VisitorSession) { v.Renew() })
	s.store.took()
	b.wantLastUse("renewed", s.now)
}

func TestTouchEveryRecordsUseWithoutAnIdleLimit(t *testing.T) {
	s := newSite(t, touchEvery(time.Hour))
	b := s.signedUp()
	var deadline time.Time
	b.visit(func(v *VisitorSession) { deadline = v.ExpiresAt() })
	s.store.took()
	s.wait(59 * time.Minute)
	b.visit(reads)
	wantCalls(t, s, "load")
	s.wait(2 * time.Minute)
	b.visit(reads)
	wantCalls(t, s, "load update")
	b.wantLastUse("used after an hour", s.now)
	b.wantEnd("used", deadline)
	b.visit(func(*VisitorSession) {})
	wantCalls(t, s, "")
}

func TestT11ASessionHasAnIdleLimitOfItsOwn(t *testing.T) {
	for name, configured := range map[string]time.Duration{"": 0, "a longer one": 10 * time.Hour, "a shorter one": time.Minute} {
		t.Run("configured: "+name, func(t *testing.T) {
			s := newSite(t, idleFor(configured))
			b := s.signedUp()
			const limit = 100 * time.Minute
			b.visit(func(v *VisitorSession) {
				v.SetIdle(limit)
				if !v.Dirty() || len(v.DirtyFields()) > 0 {
					t.Error("an idle limit of its own is no change of the session, or one of a field")
				}
			})
			b.wantEnd("limited", s.now.Add(limit))
			s.wait(9 * time.Minute)
			s.store.took()
			b.visit(reads)
			wantCalls(t, s, "load")
			s.wait(2 * time.Minute)
			b.visit(reads)
			wantCalls(t, s, "load update")
			b.wantEnd("used", s.now.Add(limit))
			s.wait(time.Minute)
			b.visit(func(v *VisitorSession) { v.SetName("Grace") }) // a blind write
			wantCalls(t, s, "update")
			b.wantEnd("changed", s.now.Add(limit))
			b.visit(func(v *VisitorSession) {
				v.Name()
				v.SetIdle(limit)
				if v.Dirty() {
					t.Error("the limit that the session has is a change")
				}
			})
			s.wait(limit)
			if b.name() != "" {
				t.Error("the session lives beyond its own limit")
			}
		})
	}
}

func TestT11ZeroGoesBackToTheConfiguredLimit(t *testing.T) {
	s := newSite(t, idleFor(time.Hour))
	b := s.signedUp()
	b.visit(func(v *VisitorSession) { v.SetIdle(10 * time.Hour) })
	s.wait(2 * time.Hour)
	b.visit(func(v *VisitorSession) {
		v.Passive()
		v.SetIdle(-1)
		if want := s.now.Add(time.Hour); !v.ExpiresAt().Equal(want) {
			t.Errorf("a pending limit: expires at %v, want %v", v.ExpiresAt(), want)
		}
	})
	b.wantEnd("under the configured limit", s.now.Add(time.Hour))
	b.visit(func(v *VisitorSession) { v.SetIdle(1) })
	b.wantEnd("of the shortest life", s.now.Add(time.Millisecond))
	b.visit(func(v *VisitorSession) { v.SetIdle(1 << 62); v.SetExpiry(s.now.Add(2 * runtime.MaxAge)) })
	b.wantEnd("of the longest life", s.now.Add(runtime.MaxAge))
}

func TestT11ANewSessionIsCreatedWithSettingsOfItsOwn(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	res := b.visit(func(v *VisitorSession) { v.SetIdle(time.Minute); v.SetPersistent(false) })
	wantCalls(t, s, "")
	wantCookies(t, res, 0)
	res = b.visit(func(v *VisitorSession) { v.SetIdle(time.Minute); v.SetPersistent(false); v.SetName("Ada") })
	wantCalls(t, s, "create")
	wantEndless(t, res, true)
	b.wantEnd("created with a limit", s.now.Add(time.Minute))
}

func wantEndless(t *testing.T, res *http.Response, want bool) {
	t.Helper()
	wantCookies(t, res, 1)
	if c := ownCookies(res)[0]; (c.MaxAge == 0 && c.Expires.IsZero()) != want {
		t.Errorf("a cookie that ends with the browser: %t, want %t (%s)", !want, want, c.Raw)
	}
}

func TestT11SetPersistentInTestsOfHandlers(t *testing.T) {
	_, v := WithVisitor(t.Context(), Visitor{})
	for _, on := range []bool{false, true} {
		v.SetPersistent(on)
		for range 2 { // what is stored stays when something else is
			if err := v.Save(t.Context()); err != nil {
				t.Fatal(err)
			}
			if v.SetPersistent(on); v.Dirty() {
				t.Errorf("persistent %v is a change again", on)
			}
			v.AddViews(1)
		}
	}
}

func TestASessionThatHasSavedKnowsWhenItWas(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(7)
	s.wait(10 * time.Minute)
	b.visit(func(v *VisitorSession) {
		created := v.CreatedAt()
		v.SetUserID(7)
		if err := v.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		if now := s.clock(); !v.SignedInAt().Equal(now) || !v.RenewedAt().Equal(now) || !v.CreatedAt().Equal(created) || v.CreatedAt().Equal(now) {
			t.Errorf("created at %v, renewed at %v, signed in at %v; want %v, and %v twice", v.CreatedAt(), v.RenewedAt(), v.SignedInAt(), created, now)
		}
	})
}

func TestSetExpiryInTestsOfHandlers(t *testing.T) {
	_, v := WithVisitor(t.Context(), Visitor{Name: "Ada"})
	want := v.CreatedAt().Add(time.Hour)
	v.SetExpiry(want)
	if err := v.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := v.ExpiresAt(); !got.Equal(want) || v.Dirty() {
		t.Errorf("it expires at %v, want %v; changed: %v", got, want, v.Dirty())
	}
}

func TestDestroyInTestsOfHandlers(t *testing.T) {
	_, v := WithVisitor(t.Context(), Visitor{Name: "Ada"})
	before := v.Handle()
	v.Destroy()
	if err := v.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !v.Destroyed() || v.Dirty() || v.Name() != "" || before == "" || v.Handle() == before {
		t.Errorf("destroyed: %v, changed: %v, name %q; %q has become %q", v.Destroyed(), v.Dirty(), v.Name(), before, v.Handle())
	}
}

func TestT11SetPersistentSendsTheCookie(t *testing.T) {
	for _, byBrowser := range []bool{false, true} {
		s := newSite(t, func(c *runtime.Config) { c.Cookie.BrowserClose = byBrowser })
		b := s.signedUp()
		token := b.cookie
		wantEndless(t, b.visit(func(v *VisitorSession) { v.SetPersistent(false) }), true)
		wantEndless(t, b.visit(func(v *VisitorSession) { v.SetPersistent(true) }), false)
		if b.cookie != token {
			t.Error("the token is another one")
		}
		wantCookies(t, b.visit(func(v *VisitorSession) { v.Name(); v.SetPersistent(true) }), 0)
		wantEndless(t, b.visit(func(v *VisitorSession) { v.SetExpiry(s.now.Add(time.Hour)) }), false)
		wantEndless(t, b.visit(func(v *VisitorSession) { v.SetPersistent(false); v.SetExpiry(s.now.Add(2 * time.Hour)) }), true)
		wantCookies(t, b.visit(func(v *VisitorSession) { v.Name(); v.SetExpiry(s.now.Add(3 * time.Hour)) }), 0)
		b.visit(reads)
		// A sign-in that loads nothing has to know it, too.
		wantEndless(t, b.visit(signIn), true)
		wantEndless(t, b.visit(func(v *VisitorSession) { v.SetPersistent(true); v.Renew() }), false)
	}
}

func TestT11ALiveConnectionDeliversThePersistence(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	c := b.connect()
	c.must(func(v *VisitorSession) { v.SetPersistent(false) })
	wantStatus(t, "redemption", c.sync(), http.StatusNoContent)
	wantEndless(t, b.last, true)
	c = b.connect()
	c.must(func(v *VisitorSession) { v.Renew() })
	wantStatus(t, "redemption", c.sync(), http.StatusNoContent)
	wantEndless(t, b.last, true)
}

func TestDiscardDropsSettings(t *testing.T) {
	s := newSite(t, idleFor(time.Hour))
	b := s.signedUp()
	s.store.took()
	res := b.visit(func(v *VisitorSession) {
		v.SetIdle(time.Minute)
		v.SetPersistent(false)
		v.Discard()
	})
	wantCalls(t, s, "")
	wantCookies(t, res, 0)
}

// TestASessionThatHasSavedKnowsWhatItSaved: the same setting again is no change, and the
// same use is recorded once.
func TestASessionThatHasSavedKnowsWhatItSaved(t *testing.T) {
	s := newSite(t, idleFor(time.Hour))
	b := s.signedUp()
	s.wait(10 * time.Minute)
	b.visit(func(v *VisitorSession) {
		v.Name()
		for range 2 {
			v.SetIdle(100 * time.Minute)
			v.SetExpiry(begin.Add(24 * time.Hour))
			if err := v.Save(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := v.ExpiresAt(), s.now.Add(100*time.Minute); !got.Equal(want) {
			t.Errorf("it says that it ends at %v, want %v", got, want)
		}
	})
	wantCalls(t, s, "load update")
}

func TestDestroyForgetsWhatAnOutageHasLeftInView(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	s.store.fail = func(call string) error {
		if call == "update" {
			return errOutage
		}
		return nil
	}
	b.visit(func(v *VisitorSession) {
		v.Name()
		v.SetTheme("dark")
		if err := v.Save(t.Context()); !errors.Is(err, errOutage) || v.Name() != "Ada" {
			t.Errorf("Save = %v, and the name is %q", err, v.Name())
		}
		v.Destroy()
		if name := v.Name(); name != "" {
			t.Errorf("a destroyed session has the name %q", name)
		}
	})
}

func TestAStoreThatRefusesASessionAsTooLargeSaysSo(t *testing.T) {
	s := newSite(t)
	s.store.fail = func(string) error { return &runtime.LimitError{Limit: 1 << 20, Err: runtime.ErrTooLarge} }
	b := s.browser()
	res := b.visit(func(v *VisitorSession) {
		v.SetName("Ada")
		if err := v.Save(t.Context()); !errors.Is(err, runtime.ErrTooLarge) {
			t.Errorf("Save = %v, want %v", err, runtime.ErrTooLarge)
		}
	})
	if len(res.Cookies()) > 0 {
		t.Errorf("a session that is not stored has the cookies %v", res.Cookies())
	}
}
