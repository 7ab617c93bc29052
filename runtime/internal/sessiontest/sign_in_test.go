package sessiontest

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// Signing in and out between tabs, lost answers, retries and tokens that others
// hold.

// lose lets a request happen whose answer never arrives.
func (b *browser) lose(handler func(*VisitorSession)) { b.clone().visit(handler) }

func signIn(v *VisitorSession) { v.SetUserID(7) }

func TestT8ADoubleClickSignsInOnce(t *testing.T) {
	for name, look := range map[string]func(*VisitorSession){
		"unseen": func(*VisitorSession) {},
		"seen":   func(v *VisitorSession) { v.Name() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			first, second := b.clone(), b.clone()
			first.visit(signIn)
			s.wait(time.Second)
			res := second.visit(func(v *VisitorSession) {
				look(v)
				v.SetUserID(7)
				v.AddViews(1)
				if err := v.Save(context.Background()); err != nil || v.UserID() != 7 {
					t.Errorf("Save: %v, user %d", err, v.UserID())
				}
			})
			wantAnswer(t, res, http.StatusOK)
			if !sameID(first.cookie, second.cookie) {
				t.Error("the second click has a session of its own")
			}
			s.wait(time.Hour)
			for _, tab := range []*browser{second, first, second} {
				if tab.user() != 7 || tab.name() != "Ada" {
					t.Errorf("user %d, name %q", tab.user(), tab.name())
				}
				s.wait(time.Hour)
			}
			wantEvents(t, s)
		})
	}
}

func TestT2ASignInAfterALostRenewalKeepsTheSession(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	id := b.cookie
	b.visit(func(v *VisitorSession) { v.SetCartItem("captain", 1) })
	b.lose(func(v *VisitorSession) { v.Renew() })
	s.wait(time.Hour)
	b.visit(signIn)
	if !sameID(b.cookie, id) || b.user() != 7 || b.name() != "Ada" {
		t.Errorf("user %d, name %q under %q: want the session of before", b.user(), b.name(), b.cookie)
	}
}

// It is not taken for one that changes nothing. The sign-out is by the token of before
// a plain renewal, which ends all others.
func TestT3ASignInIsRefusedIfSomebodyHasSignedOutSinceItLooked(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.visit(signIn)
	old := b.clone()
	b.visit(func(v *VisitorSession) { v.Renew() })
	res := b.visit(func(v *VisitorSession) {
		v.UserID()
		old.visit(func(v *VisitorSession) { v.SetUserID(0) })
		signIn(v)
	})
	wantAnswer(t, res, http.StatusConflict)
	if user := old.user(); user != 0 {
		t.Errorf("user %d, want nobody signed in", user)
	}
}

func TestT8ARetriedSignInAfterALostAnswerLeavesNoOther(t *testing.T) {
	for _, later := range []time.Duration{time.Second, time.Hour} {
		t.Run(later.String(), func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			id := b.cookie
			b.lose(signIn)
			s.wait(later)
			b.visit(func(v *VisitorSession) {
				v.Name() // which opens nothing any more
				v.SetUserID(7)
			})
			if !sameID(b.cookie, id) || b.user() != 7 || b.name() != "Ada" {
				t.Errorf("user %d, name %q under %q: want the session of before", b.user(), b.name(), b.cookie)
			}
			if n := len(s.find(7)); n != 1 {
				t.Errorf("%d sessions are signed in, want 1", n)
			}
		})
	}
}

func TestT8SomebodyElseStartsASessionOfTheirOwn(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	other := b.clone()
	b.visit(signIn)
	other.visit(func(v *VisitorSession) { v.SetUserID(8) })
	if sameID(other.cookie, b.cookie) || other.user() != 8 || other.name() != "" || b.user() != 7 {
		t.Errorf("users %d and %d, name %q", b.user(), other.user(), other.name())
	}
	wantEvents(t, s, runtime.EventSignInApart)
}

// A sign-in that has to begin a session of its own has everything that its request
// wrote, also what the record that it leaves had already (V3).
func TestV3ASessionBegunAfreshHasAllThatWasWritten(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.visit(func(v *VisitorSession) { v.SetTheme("dark"); v.SetCartItem("captain", 2); v.AddViews(3) })
	other := b.clone()
	other.visit(func(v *VisitorSession) {
		v.Name()
		b.visit(signIn)
		v.SetTheme("dark") // as it is stored
		v.SetCartItem("captain", 2)
		v.AddViews(1)
		v.SetUserID(8)
	})
	other.visit(func(v *VisitorSession) {
		n, _ := v.CartItem("captain")
		if v.UserID() != 8 || v.Theme() != "dark" || n != 2 || v.Views() != 1 {
			t.Errorf("user %d, theme %q, %d captains, %d views", v.UserID(), v.Theme(), n, v.Views())
		}
	})
}

func TestT10ARetiredTokenDoesNotEndTheSignedInSession(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	old := b.clone()
	b.visit(func(v *VisitorSession) { v.Renew() })
	b.name()
	s.wait(time.Minute)
	b.visit(signIn)
	s.wait(5 * 24 * time.Hour)
	if old.name(); b.user() != 7 {
		t.Errorf("user %d: a retired anonymous token has ended the session", b.user())
	}
	wantEvents(t, s)
}

func TestT3ARequestHeldOverASignInWritesNothing(t *testing.T) {
	s := newSite(t)
	attacker, victim := s.planted()
	res := attacker.during(
		func(v *VisitorSession) { v.Name() },
		others(func() { victim.visit(signIn) }),
		func(v *VisitorSession) { v.SetName("bait") },
	)
	wantAnswer(t, res, http.StatusConflict)
	if victim.user() != 7 || victim.name() == "bait" {
		t.Errorf("user %d, name %q", victim.user(), victim.name())
	}
	res = attacker.during(others(func() { victim.visit(signIn) }), func(v *VisitorSession) { v.Destroy() })
	if victim.user() != 7 {
		t.Errorf("user %d: a planted token destroys the session, status %d", victim.user(), res.StatusCode)
	}
}

func TestT3ASignInFromBeforeASignOutStartsNothing(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	slow := b.clone()
	res := slow.visit(func(v *VisitorSession) {
		s.wait(time.Second)
		b.visit(signIn)
		s.wait(time.Second)
		b.visit(func(v *VisitorSession) { v.ClearUserID() })
		s.wait(time.Second)
		v.SetUserID(7)
	})
	wantAnswer(t, res, http.StatusConflict)
	wantCookies(t, res, 0)
	if n := len(s.find(7)); n != 0 {
		t.Errorf("%d sessions are signed in after the sign-out", n)
	}
}

func TestT12AThiefCannotRenewUntilTheVisitorIsForgotten(t *testing.T) {
	aThiefRenews(t, newSite(t))
}

// A store that is no [runtime.Judge] is given every family.
func TestT12AStoreThatJudgesByItselfKnowsTheFamily(t *testing.T) {
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	aThiefRenews(t, newSiteOn(t, &spyStore{Store: bare{store}}))
}

func aThiefRenews(t *testing.T, s *site) {
	b := s.signedUp()
	b.visit(signIn)
	thief := b.clone()
	for range runtime.MaxEarlier + 1 {
		thief.visit(func(v *VisitorSession) { v.Renew() })
		thief.name()
		s.wait(time.Minute)
	}
	b.name()
	wantEvents(t, s, runtime.EventReused)
	if got := thief.user(); got != 0 {
		t.Errorf("the thief goes on as user %d", got)
	}
}

func TestT12ManyRenewalsForgetNoTokenInUse(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.visit(signIn)
	s.wait(time.Minute)
	slow := b.clone()
	renewals := 0
	for range runtime.MaxEarlier + 2 {
		before := b.cookie
		b.visit(func(v *VisitorSession) { v.Renew(); v.AddViews(1) })
		if b.cookie != before {
			renewals++
		}
	}
	if renewals != runtime.MaxEarlier || b.user() != 7 {
		t.Errorf("%d renewals took place, user %d, want %d within a grace", renewals, b.user(), runtime.MaxEarlier)
	}
	slow.visit(func(v *VisitorSession) { v.AddViews(1) })
	if got := slow.user(); got != 7 {
		t.Errorf("a token of before finds user %d", got)
	}
	s.wait(time.Minute)
	before := b.cookie
	b.visit(func(v *VisitorSession) { v.Renew() })
	if b.cookie == before || b.user() != 7 {
		t.Errorf("after the grace the token is not renewed, user %d", b.user())
	}
	wantEvents(t, s)
}

// TestT4WhoHasWaitedMayStillLeave is about requests whose token's grace ends while
// their handler waits.
func TestT4WhoHasWaitedMayStillLeave(t *testing.T) {
	for name, leave := range map[string]func(v *VisitorSession){
		"Destroy":   (*VisitorSession).Destroy,
		"Clear":     (*VisitorSession).ClearUserID,
		"SetUserID": func(v *VisitorSession) { v.SetUserID(0) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			b.visit(signIn)
			old := b.clone()
			b.visit(func(v *VisitorSession) { v.Renew() })
			b.user()
			res := old.visit(func(v *VisitorSession) {
				s.wait(time.Minute)
				leave(v)
			})
			wantAnswer(t, res, http.StatusOK)
			if got := b.user(); got != 0 || len(s.find(7)) != 0 {
				t.Errorf("user %d is still signed in, in %d sessions", got, len(s.find(7)))
			}
		})
	}
}

// TestT4WhoseTokenIsForgottenMayStillLeave is about requests that have waited until the
// session has forgotten their token.
func TestT4WhoseTokenIsForgottenMayStillLeave(t *testing.T) {
	for name, leave := range map[string]func(v *VisitorSession){
		"Destroy":               (*VisitorSession).Destroy,
		"Clear":                 (*VisitorSession).ClearUserID,
		"a look, and then both": func(v *VisitorSession) { v.UserID(); v.ClearUserID(); v.Destroy() },
	} {
		t.Run(name, func(t *testing.T) {
			onEveryStore(t, func(t *testing.T, store backend) {
				s := store.site(t)
				b := s.signedUp()
				b.visit(signIn)
				res := b.clone().visit(func(v *VisitorSession) {
					v.Name()
					for range runtime.MaxEarlier + 1 {
						b.visit(func(v *VisitorSession) { v.Renew() })
						b.user()
						s.wait(time.Minute)
					}
					leave(v)
				})
				wantAnswer(t, res, http.StatusOK)
				if got := b.user(); got != 0 || len(s.find(7)) != 0 {
					t.Errorf("user %d is still signed in, in %d sessions", got, len(s.find(7)))
				}
			})
		})
	}
}

func TestT4AThiefWhoKeepsASuccessorInHandStopsNothing(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.lose(func(v *VisitorSession) { v.Renew() }) // the thief's, never presented
	s.wait(time.Minute)
	before := b.cookie
	b.visit(func(v *VisitorSession) { v.Renew() })
	if b.cookie == before || b.name() != "Ada" {
		t.Errorf("the token is not renewed: name %q", b.name())
	}
}

func TestT9SignedInAt(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	at := func(what string, want time.Time) {
		t.Helper()
		b.visit(func(v *VisitorSession) {
			if got := v.SignedInAt(); !got.Equal(want) {
				t.Errorf("%s: signed in at %v, want %v", what, got, want)
			}
		})
	}
	at("nobody", time.Time{})
	s.wait(time.Minute)
	signedIn := s.now
	b.visit(signIn)
	at("signed in", signedIn)
	s.wait(time.Minute)
	b.visit(func(v *VisitorSession) { v.Renew() })
	at("renewed", signedIn)
	s.wait(time.Minute)
	c := b.connect()
	c.must(func(v *VisitorSession) { v.Renew() })
	wantStatus(t, "redemption", c.sync(), http.StatusNoContent)
	at("a ticket was redeemed", signedIn)
	s.wait(time.Minute)
	b.visit(signIn)
	at("signed in again", s.now)
	b.visit(func(v *VisitorSession) { v.ClearUserID() })
	at("signed out", time.Time{})

	b = s.browser()
	b.visit(signIn)
	at("a session that begins with a sign-in", s.now)
}

func TestR3ASecondDestroyLeavesANewerCookie(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	second := b.clone()
	res := second.during(
		func(v *VisitorSession) { v.Name() },
		others(func() { b.visit(func(v *VisitorSession) { v.Destroy() }) }),
		func(v *VisitorSession) { v.Destroy() },
	)
	wantAnswer(t, res, http.StatusOK)
	wantCookies(t, res, 0)
}

func TestS2ARevocationSparesOnlyConfirmedTokens(t *testing.T) {
	s := newSite(t)
	stranger := s.signedIn(42)
	planted := s.browser()
	planted.cookie = stranger.cookie[:22] + unknownToken[22:] // the stranger's id, a wrong secret
	planted.visit(func(v *VisitorSession) {
		v.SetUserID(42)
		if n := s.revoke(42, v); n != 1 {
			t.Errorf("%d sessions are revoked, want the stranger's", n)
		}
	})
	if got := stranger.user(); got != 0 {
		t.Errorf("the stranger goes on as user %d", got)
	}
	if got := planted.user(); got != 42 {
		t.Errorf("user %d, want the request's own sign-in", got)
	}
}

func TestT6ASignInThatJoinsAnUnfetchedOneOutlivesItsTicket(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b backend) {
		s := b.site(t)
		ada := s.known()
		c := ada.connect()
		c.must(func(s *VisitorSession) { s.SetUserID(7) })
		c.told() // and never fetches
		ada.visit(func(s *VisitorSession) { s.SetUserID(7) })
		s.wait(31 * time.Second)
		if user := ada.user(); user != 7 {
			t.Errorf("31 s after the sign-in it is user %d, want 7", user)
		}
	})
}
