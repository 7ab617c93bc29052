package sessiontest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// Each test is an attack on a token's life. The attacker has a session of their
// own, or knows a token or an old one, and must not come to see what the victim
// does afterwards.

// planted is a session of the attacker whose token the victim's browser holds,
// too.
func (s *site) planted() (attacker, victim *browser) {
	s.t.Helper()
	attacker = s.known()
	return attacker, attacker.clone()
}

// wantNothing demands that no browser of the attacker sees the victim's sign-in.
func wantNothing(t *testing.T, what string, attackers ...*browser) {
	t.Helper()
	for _, a := range attackers {
		if got := a.user(); got == 7 {
			t.Errorf("%s: the attacker is signed in as the victim", what)
		}
	}
}

func TestT3PlantedTokenFollowsNoSignIn(t *testing.T) {
	signIns := map[string]func(*browser){
		"by a request": func(b *browser) { b.visit(func(v *VisitorSession) { v.SetUserID(7); v.SetAPIKey("k") }) },
		"by a socket": func(b *browser) {
			c := b.connect()
			c.must(func(v *VisitorSession) { v.SetUserID(7); v.SetAPIKey("k") })
			c.sync()
		},
	}
	for name, signIn := range signIns {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			attacker, victim := s.planted()
			socket := attacker.connect()
			signIn(victim)
			if got := victim.user(); got != 7 {
				t.Fatalf("user %d for the victim", got)
			}
			for _, after := range []time.Duration{0, 29 * time.Second, time.Minute} {
				s.now = begin.Add(after)
				wantNothing(t, after.String(), attacker.clone())
				_ = socket.event(func(v *VisitorSession) {
					if v.UserID() == 7 || v.APIKey() != "" {
						t.Errorf("%v: the attacker's socket follows the sign-in", after)
					}
				})
				_ = socket.event(func(v *VisitorSession) { v.Renew() })
				_ = socket.event(func(v *VisitorSession) { v.SetExpiry(s.now.Add(time.Hour)) })
				if got := socket.told(); got != "" {
					t.Errorf("%v: the attacker's page was told %q", after, got)
				}
			}
			if got := victim.user(); got != 7 {
				t.Errorf("user %d: the attacker's replays ended the victim's session", got)
			}
		})
	}
}

func TestT3TicketFromBeforeASignInIsWorthless(t *testing.T) {
	tickets := map[string]func(*VisitorSession){
		"of a renewal":       func(v *VisitorSession) { v.Renew() },
		"of a later expiry":  func(v *VisitorSession) { v.SetExpiry(begin.Add(300 * time.Hour)) },
		"of a nearer expiry": func(v *VisitorSession) { v.SetExpiry(begin.Add(time.Hour)) },
	}
	for name, change := range tickets {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			attacker, victim := s.planted()
			c := attacker.connect()
			c.must(change)
			url := c.told()
			victim.visit(func(v *VisitorSession) { v.SetUserID(7) })
			for _, b := range []*browser{attacker.clone(), s.browser(), s.known()} {
				b.fetch(url)
				wantNothing(t, "a redemption after the sign-in", b)
			}
			if got := victim.user(); got != 7 {
				t.Errorf("user %d for the victim", got)
			}
		})
	}
}

func TestT3TicketOfAnEventThatASignInOvertakesIsWorthless(t *testing.T) {
	s := newSite(t)
	attacker, victim := s.planted()
	c := attacker.connect()
	err := c.event(func(v *VisitorSession) {
		v.Name()
		victim.visit(func(v *VisitorSession) { v.SetUserID(7) })
		v.SetExpiry(begin.Add(300 * time.Hour))
		if v.UserID() == 7 {
			t.Error("the event sees the sign-in")
		}
	})
	if !errors.Is(err, runtime.ErrSuperseded) {
		t.Fatalf("the event ends with %v, want %v", err, runtime.ErrSuperseded)
	}
	if got := c.told(); got != "" {
		t.Errorf("the attacker's page was told %q", got)
	}
	s.now = s.now.Add(time.Hour)
	if got := victim.user(); got != 7 {
		t.Errorf("user %d: the attacker's event ended the victim's session", got)
	}
}

func TestT3UndeliveredSocketCannotCutASignInShort(t *testing.T) {
	s := newSite(t)
	attacker := s.browser()
	c := attacker.connect()
	c.must(func(v *VisitorSession) { v.SetName("bait") })
	wantStatus(t, "redemption", c.sync(), http.StatusNoContent)
	victim := attacker.clone()
	_ = c.event(func(v *VisitorSession) {
		v.Name()
		victim.visit(func(v *VisitorSession) { v.SetUserID(7) })
		v.SetExpiry(begin.Add(2 * time.Hour))
	})
	s.now = s.now.Add(time.Minute)
	if got := victim.user(); got != 7 {
		t.Errorf("user %d a minute later: a ticket bounds the victim's session", got)
	}
}

func TestT3EventThatBeganBeforeASignInLoadsNothingAfterIt(t *testing.T) {
	s := newSite(t)
	attacker, victim := s.planted()
	c := attacker.connect()
	_ = c.event(func(v *VisitorSession) {
		victim.visit(func(v *VisitorSession) { v.SetUserID(7) })
		if v.UserID() == 7 || v.Name() != "" || !errors.Is(v.Err(), runtime.ErrSuperseded) {
			t.Errorf("user %d, name %q, Err %v", v.UserID(), v.Name(), v.Err())
		}
	})
}

func TestT3ConflictDoesNotReloadAfterASignIn(t *testing.T) {
	s := newSite(t)
	attacker, victim := s.planted()
	attacker.during(
		func(v *VisitorSession) { v.RecentLen() },
		others(func() {
			victim.visit(func(v *VisitorSession) { v.SetUserID(7); v.AppendRecent("secret") })
		}),
		func(v *VisitorSession) {
			v.AppendRecent("bait")
			_ = v.Save(context.Background())
			for item := range v.Recent() {
				if item == "secret" {
					t.Error("a retried commit shows what was written after the sign-in")
				}
			}
		},
	)
}

// A planted token that the attacker has renewed signs the victim in, because nobody
// is signed in there; every other token ends with that.
func TestT2AttackerWhoRenewsFirstGetsNoSignIn(t *testing.T) {
	for _, way := range []string{"request", "socket"} {
		s := newSite(t)
		attacker, victim := s.planted()
		var c *socket
		if way == "socket" {
			c = victim.connect()
		}
		attacker.visit(func(v *VisitorSession) { v.Renew() })
		if c == nil {
			victim.visit(func(v *VisitorSession) { v.SetUserID(7) })
		} else {
			c.must(func(v *VisitorSession) { v.SetUserID(7) })
			wantStatus(t, "redemption", c.sync(), http.StatusNoContent)
		}
		wantNothing(t, "renewed first, sign-in by "+way, attacker)
		if got := victim.user(); got != 7 {
			t.Errorf("%s: user %d, want the victim signed in", way, got)
		}
		if res := attacker.visit(func(v *VisitorSession) { v.SetName("bait") }); len(res.Cookies()) > 0 || victim.name() == "bait" {
			t.Errorf("%s: the attacker writes %q, with cookies %v", way, victim.name(), res.Cookies())
		}
	}
}

func TestT2AttackersSocketRenewalDoesNotCatchASignIn(t *testing.T) {
	s := newSite(t)
	attacker, victim := s.planted()
	c := attacker.connect()
	c.must(func(v *VisitorSession) { v.Renew() })
	url := c.told()
	victim.visit(func(v *VisitorSession) { v.SetUserID(7) })
	_ = c.event(func(v *VisitorSession) {
		if v.UserID() == 7 {
			t.Error("the attacker's socket holds the record of the sign-in")
		}
	})
	attacker.fetch(url)
	wantNothing(t, "a redemption after the sign-in", attacker)
	if got := victim.user(); got != 7 {
		t.Errorf("user %d for the victim", got)
	}
}

func TestT2RacingRenewalsAndSignIns(t *testing.T) {
	for range 200 {
		s := newSite(t)
		attacker, victim := s.planted()
		c := attacker.connect()
		var all sync.WaitGroup
		all.Go(func() { victim.visit(func(v *VisitorSession) { v.Name(); v.SetUserID(7) }) })
		all.Go(func() { _ = c.event(func(v *VisitorSession) { v.Name(); v.Renew() }) })
		other := attacker.clone()
		all.Go(func() { other.visit(func(v *VisitorSession) { v.Name(); v.Renew() }) })
		all.Wait()
		if got := victim.user(); got != 7 {
			t.Fatalf("user %d for the victim", got)
		}
		for _, url := range c.urls {
			attacker.clone().fetch(url)
			other.fetch(url)
		}
		wantNothing(t, "racing renewals", attacker, other)
		_ = c.event(func(v *VisitorSession) {
			if v.UserID() == 7 {
				t.Error("the attacker's socket is signed in as the victim")
			}
		})
		if t.Failed() {
			return
		}
	}
}

func TestT3SignInOfASupersededTokenStartsItsOwnSession(t *testing.T) {
	s := newSite(t)
	attacker, victim := s.planted()
	victim.visit(func(v *VisitorSession) { v.SetUserID(7) })
	attacker.visit(func(v *VisitorSession) { v.SetUserID(1) })
	if attacker.user() != 1 || victim.user() != 7 {
		t.Errorf("users %d and %d, want two sessions", attacker.user(), victim.user())
	}
}

func TestT3SupersededSocketSignInIsNotForTheVictimsBrowser(t *testing.T) {
	s := newSite(t)
	attacker, victim := s.planted()
	c := attacker.connect()
	victim.visit(func(v *VisitorSession) { v.SetUserID(7) })
	c.must(func(v *VisitorSession) { v.SetUserID(1) })
	url := c.told()
	wantStatus(t, "the attacker's ticket in the victim's browser", victim.fetch(url), http.StatusConflict)
	if got := victim.user(); got != 7 {
		t.Errorf("user %d: the victim was signed in as somebody else", got)
	}
}

func TestT5StolenOldTokenIsNoticedAtTheHandshake(t *testing.T) {
	s := newSite(t)
	victim := s.known()
	thief := victim.clone()
	victim.visit(func(v *VisitorSession) { v.Renew() })
	victim.name()
	s.now = s.now.Add(time.Minute)
	s.kinds()
	thief.connect()
	if got := s.kinds(); len(got) != 1 || got[0] != runtime.EventReused {
		t.Errorf("events %q, want that the token was reused", got)
	}
	if got := victim.name(); got != "" {
		t.Errorf("name %q: the stolen session lives", got)
	}
}

func TestT5ConnectionThatKeepsItsTokenIsNoThief(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	b.visit(func(v *VisitorSession) { v.Renew() })
	b.name()
	s.now = s.now.Add(time.Minute)
	for range 2 {
		if err := c.event(func(v *VisitorSession) { v.SetTheme("dark") }); !errors.Is(err, runtime.ErrEnded) {
			t.Errorf("an event with a token whose grace is over: %v, want ErrEnded", err)
		}
	}
	if got := b.name(); got != "Ada" {
		t.Errorf("name %q: a connection's old token passed for reuse", got)
	}
}

func TestT4SocketDoesNotPresentItsOwnRenewal(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	c.must(func(v *VisitorSession) { v.Renew() })
	for range 3 {
		s.now = s.now.Add(time.Minute)
		c.must(func(v *VisitorSession) { v.Name(); v.AddViews(1) })
	}
	if got := b.name(); got != "Ada" {
		t.Errorf("name %q: the connection's use of the new token ended the browser's old one", got)
	}
}

func TestL3TicketOfADestroyedSessionIsGone(t *testing.T) {
	s := newSite(t)
	b, _, url := s.renewedBySocket()
	b.clone().visit(func(v *VisitorSession) { v.Destroy() })
	wantStatus(t, "redemption", b.fetch(url), http.StatusGone)
	if got := b.name(); got != "" {
		t.Errorf("name %q: a ticket revived a destroyed session", got)
	}
}

func TestL3TicketOfARevokedUserIsGone(t *testing.T) {
	s := newSite(t)
	b, _, url := s.signedInBySocket()
	s.revoke(7)
	wantStatus(t, "redemption", b.fetch(url), http.StatusGone)
	if got := b.user(); got != 0 {
		t.Errorf("user %d: a ticket escaped the revocation", got)
	}
}

func TestL3LaterTicketReplacesTheEarlier(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	c.must(func(v *VisitorSession) { v.Renew() })
	first := c.told()
	c.must(func(v *VisitorSession) { v.SetUserID(7) })
	second := c.told()
	wantStatus(t, "the ticket from before the sign-in", b.clone().fetch(first), http.StatusGone)
	wantStatus(t, "the sign-in's ticket", b.fetch(second), http.StatusNoContent)
	if got := b.user(); got != 7 {
		t.Errorf("user %d", got)
	}
}

func TestL3WrongBrowserCannotEndADeliveredSession(t *testing.T) {
	s := newSite(t)
	b, _, url := s.newBySocket()
	wantStatus(t, "redemption", b.fetch(url), http.StatusNoContent)
	other := s.known()
	other.fetch(url)
	if got := b.name(); got != "Ada" {
		t.Errorf("name %q: a used ticket ended the session", got)
	}
}

func TestT3TicketSecretsAndTokensAppearNowhere(t *testing.T) {
	s := newSite(t)
	b, c, url := s.signedInBySocket()
	b.fetch(url)
	c.must(func(v *VisitorSession) { v.SetTheme("dark") })
	_ = c.event(func(v *VisitorSession) { v.SetName(strings.Repeat("x", 41)) })
	text := ""
	for _, e := range s.events {
		text += e.String()
	}
	for _, err := range s.errs {
		text += err.Error()
	}
	if text == "" {
		t.Fatal("nothing was told, so nothing was looked at")
	}
	_, ticket, _ := strings.Cut(url, "=")
	for _, secret := range []string{b.cookie, b.cookie[22:], ticket, ticket[22:]} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret is in %q", text)
		}
	}
}
