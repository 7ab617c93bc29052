package sessiontest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

const (
	age   = 168 * time.Hour
	grace = 30 * time.Second
	after = time.Millisecond // a moment after something: the clock counts every reading
)

func wantEvents(t *testing.T, s *site, want ...runtime.EventKind) {
	t.Helper()
	if got := s.kinds(); !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
}

// wantName looks at the stored session that a token opens.
func wantName(t *testing.T, s *site, token, want string) {
	t.Helper()
	if got := s.nameIn(token); got != want {
		t.Errorf("the token opens a session with the name %q, want %q", got, want)
	}
}

func TestT1TheTokenOfOneTypeIsAWrongProofForAnother(t *testing.T) {
	s := newSite(t)
	visitor := s.signedUp()
	realistic, err := NewRealisticSessions(s.store, func(c *runtime.Config) {
		c.Cookie.Name = "shop"
		c.Now = func() time.Time { return s.now }
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(do func(*RealisticSession)) *http.Response {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", "shop="+visitor.cookie)
		w := httptest.NewRecorder()
		realistic.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			do(RealisticFrom(r.Context()))
		})).ServeHTTP(w, r)
		return w.Result()
	}
	ask(func(s *RealisticSession) {
		if !s.IsNew() || s.Name() != "" {
			t.Error("the token of a Visitor opens a Realistic")
		}
	})
	ask(func(s *RealisticSession) { s.Destroy() })
	ask(func(s *RealisticSession) { s.Renew() })
	res := ask(func(s *RealisticSession) { s.SetName("Grace") })
	if c := ownCookies(res); len(c) != 1 || sameID(c[0].Value, visitor.cookie) {
		t.Errorf("cookies %v, want one of a new session", c)
	}
	wantName(t, s, visitor.cookie, "Ada")
}

func TestT2SettingARenewFieldAlwaysRenews(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	for range 2 {
		old := b.cookie
		b.visit(func(s *VisitorSession) { s.UserID(); s.SetUserID(7) })
		if b.cookie == old || !sameID(b.cookie, old) {
			t.Errorf("token %q after %q: want another of the same session", b.cookie, old)
		}
		s.wait(time.Minute)
	}
	b.visit(func(v *VisitorSession) {
		if v.RenewedAt() != s.now.Add(-time.Minute) {
			t.Errorf("renewed at %v", v.RenewedAt())
		}
	})
}

func TestT2SettingARenewFieldToItsDefaultRenewsIfThatIsAChange(t *testing.T) {
	toDefault := map[string]func(*VisitorSession){
		"clear": func(s *VisitorSession) { s.ClearUserID() },
		"set":   func(s *VisitorSession) { s.SetUserID(0) },
	}
	for name, do := range toDefault {
		for _, c := range []struct {
			name          string
			signedIn      bool
			before        func(*VisitorSession)
			calls         string
			wantsNewToken bool
		}{
			{"signed in", true, func(s *VisitorSession) { s.UserID() }, "load update", true},
			{"signed in, unseen", true, func(*VisitorSession) {}, "update", true},
			{"anonymous", false, func(s *VisitorSession) { s.UserID() }, "load", false},
			{"anonymous, unseen", false, func(*VisitorSession) {}, "update", true},
		} {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				s := newSite(t)
				b := s.signedUp()
				if c.signedIn {
					b.visit(func(s *VisitorSession) { s.SetUserID(7) })
					s.store.took()
				}
				old := b.cookie
				b.visit(func(s *VisitorSession) { c.before(s); do(s) })
				wantCalls(t, s, c.calls)
				if (b.cookie != old) != c.wantsNewToken {
					t.Errorf("renewed: %v, want %v", b.cookie != old, c.wantsNewToken)
				}
			})
		}
	}
}

// A sign-in never lands in a record that somebody else has signed in to meanwhile,
// or that was somebody else's and has been renewed.
func TestT2ASignInAppliesOnlyWithTheCurrentProof(t *testing.T) {
	for name, renew := range map[string]func(*VisitorSession){
		"after a sign-in":       func(s *VisitorSession) { s.SetUserID(8) },
		"after a plain renewal": func(s *VisitorSession) { s.Renew() },
	} {
		for seen, look := range map[string]func(*VisitorSession){
			"unseen": func(*VisitorSession) {},
			"seen":   func(s *VisitorSession) { s.Name() },
		} {
			t.Run(name+"/"+seen, func(t *testing.T) {
				s := newSite(t)
				winner := s.signedUp()
				winner.visit(func(s *VisitorSession) { s.SetUserID(8) })
				late := winner.tab()
				late.visit(func(v *VisitorSession) {
					look(v)
					s.wait(time.Second)
					winner.visit(renew)
					winner.visit(func(s *VisitorSession) { s.Name() })
					s.wait(time.Second)
					v.SetUserID(7)
					v.SetName("Grace")
					v.AddViews(1)
				})
				if late.cookie == "" || sameID(late.cookie, winner.cookie) {
					t.Fatalf("the late sign-in has the token %q", late.cookie)
				}
				wantName(t, s, winner.cookie, "Ada")
				wantName(t, s, late.cookie, "Grace")
				winner.visit(func(s *VisitorSession) {
					if s.UserID() == 7 || s.Views() != 0 {
						t.Error("the late sign-in touched the record")
					}
				})
				late.visit(func(s *VisitorSession) {
					if s.UserID() != 7 || s.Views() != 1 {
						t.Errorf("user %d, views %d in the new session", s.UserID(), s.Views())
					}
				})
			})
		}
	}
}

func TestT3AfterASignInTheOldTokenReachesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		do     func(*VisitorSession)
		status int
	}{
		"read":           {func(s *VisitorSession) { s.Name() }, http.StatusOK},
		"write":          {func(s *VisitorSession) { s.SetName("Mallory") }, http.StatusConflict},
		"read and write": {func(s *VisitorSession) { s.Name(); s.SetName("Mallory") }, http.StatusConflict},
		"clear":          {func(s *VisitorSession) { s.ClearName() }, http.StatusConflict},
		"sign out":       {func(s *VisitorSession) { s.ClearUserID() }, http.StatusConflict},
		"renew":          {func(s *VisitorSession) { s.Renew() }, http.StatusConflict},
		"destroy":        {func(s *VisitorSession) { s.Destroy() }, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			thief := b.tab()
			b.visit(func(s *VisitorSession) { s.SetUserID(7) })
			s.wait(grace - time.Second)
			s.store.took()
			res := thief.visit(func(s *VisitorSession) {
				c.do(s)
				if s.UserID() != 0 {
					t.Error("the old token sees the sign-in")
				}
			})
			wantAnswer(t, res, c.status)
			wantCookies(t, res, 0)
			wantEvents(t, s)
			wantName(t, s, b.cookie, "Ada")
		})
	}
}

func TestT3ARequestWithTheOldTokenSeesAnEmptySessionAndErr(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	thief := b.tab()
	b.visit(func(s *VisitorSession) { s.SetUserID(7) })
	s.wait(time.Millisecond)
	thief.visit(func(s *VisitorSession) {
		if s.Name() != "" || s.UserID() != 0 || s.CartLen() != 0 || !s.CreatedAt().IsZero() {
			t.Error("the old token opens the session")
		}
		wantErr(t, s.Err(), runtime.ErrSuperseded)
	})
}

func TestT3WhoSignsInWithTheOldTokenStartsANewSession(t *testing.T) {
	for name, look := range map[string]func(*VisitorSession){
		"unseen": func(*VisitorSession) {},
		"seen":   func(s *VisitorSession) { s.Name() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			first := s.signedUp()
			second := first.tab()
			first.visit(func(s *VisitorSession) { s.SetUserID(7) })
			s.wait(time.Second)
			res := second.visit(func(s *VisitorSession) { look(s); s.SetUserID(8) })
			wantAnswer(t, res, http.StatusOK)
			if sameID(first.cookie, second.cookie) || second.cookie == "" {
				t.Errorf("token %q of the second", second.cookie)
			}
			second.visit(func(s *VisitorSession) {
				if s.UserID() != 8 || s.Name() != "" {
					t.Errorf("user %d, name %q", s.UserID(), s.Name())
				}
			})
			first.visit(func(s *VisitorSession) {
				if s.UserID() != 7 || s.Name() != "Ada" {
					t.Errorf("user %d, name %q of the first", s.UserID(), s.Name())
				}
			})
		})
	}
}

func TestT3AfterTheGraceTheOldTokenIsAnUnknownCookie(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	late := b.tab()
	b.visit(func(s *VisitorSession) { s.SetUserID(7) })
	s.wait(grace + time.Millisecond)
	res := late.visit(func(s *VisitorSession) {
		if !s.IsNew() || s.Err() != nil {
			t.Errorf("not a new session: %v", s.Err())
		}
		s.SetName("Grace")
	})
	wantAnswer(t, res, http.StatusOK)
	wantName(t, s, late.cookie, "Grace")
	wantName(t, s, b.cookie, "Ada")
	wantEvents(t, s)
}

func TestT3NorMayARequestThatArrivedBeforeTheSignInCommit(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	early := b.tab()
	res := early.visit(func(v *VisitorSession) {
		s.wait(time.Second)
		b.visit(func(s *VisitorSession) { s.SetUserID(7) })
		s.wait(time.Second)
		v.AddViews(1)
		v.SetExpiry(s.now.Add(time.Hour))
	})
	wantAnswer(t, res, http.StatusConflict)
	wantCookies(t, res, 0)
	b.visit(func(s *VisitorSession) {
		if s.Views() != 0 || s.UserID() != 7 {
			t.Errorf("views %d, user %d", s.Views(), s.UserID())
		}
	})
}

func TestT3ArrivingBeforeTheSignInNeverAdmitsALoad(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.tab().visit(func(v *VisitorSession) {
		s.wait(time.Second)
		b.visit(func(s *VisitorSession) { s.SetUserID(7) })
		s.wait(time.Second)
		if v.UserID() != 0 || v.Name() != "" {
			t.Error("a request from before the sign-in sees it")
		}
		wantErr(t, v.Err(), runtime.ErrSuperseded)
	})
}

func TestT3ArrivingBeforeTheSignInCountsForTheGraceOnly(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.tab().visit(func(v *VisitorSession) {
		s.wait(time.Second)
		b.visit(func(s *VisitorSession) { s.SetUserID(7) })
		s.wait(grace + after)
		v.AddViews(1)
	})
	b.visit(func(s *VisitorSession) {
		if s.Views() != 0 {
			t.Error("a commit by a request from before the sign-in, after the grace")
		}
	})
}

func TestT4TheOldTokenWorksUntilTheNewOneWasPresentedAndTheGraceHasPassed(t *testing.T) {
	for name, present := range map[string]func(*VisitorSession){
		"by a load":  func(s *VisitorSession) { s.Name() },
		"by a write": func(s *VisitorSession) { s.SetTheme("dark") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			old := b.tab()
			b.visit(func(s *VisitorSession) { s.Renew() })
			see := func(when string, want string) {
				old.tab().visit(func(s *VisitorSession) {
					if got := s.Name(); got != want {
						t.Errorf("%s: the old token sees %q, want %q", when, got, want)
					}
				})
			}
			s.wait(time.Hour)
			see("an hour later, the response lost", "Ada")
			b.visit(present)
			s.wait(grace - time.Millisecond)
			see("within the grace", "Ada")
			s.wait(time.Millisecond + after)
			see("after the grace", "")
		})
	}
}

func TestT4TheRequestThatRenewsDoesNotPresentTheNewToken(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	old := b.tab()
	b.visit(func(v *VisitorSession) {
		v.Renew()
		if err := v.Save(context.Background()); err != nil {
			t.Fatal(err)
		}
		v.Name()
		v.SetTheme("dark")
	})
	s.wait(time.Hour)
	old.visit(func(s *VisitorSession) {
		if s.Name() != "Ada" {
			t.Error("the old token ended, although the response may be lost")
		}
	})
}

func TestT4ParallelRequestsWithTheOldTokenLoseNothing(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	other := b.tab()
	res := other.visit(func(v *VisitorSession) {
		v.Name()
		b.visit(func(s *VisitorSession) { s.Renew(); s.AddViews(1) })
		s.wait(time.Second)
		v.AddViews(1)
		v.SetTheme("dark")
	})
	wantAnswer(t, res, http.StatusOK)
	wantCookies(t, res, 0)
	b.visit(func(s *VisitorSession) {
		if s.Views() != 2 || s.Theme() != "dark" {
			t.Errorf("views %d, theme %q", s.Views(), s.Theme())
		}
	})
}

func TestT4OfSeveralPlainRenewalsAtOnceOneWins(t *testing.T) {
	s := newSite(t)
	winner := s.signedUp()
	loser := winner.tab()
	res := loser.visit(func(v *VisitorSession) {
		v.Renew()
		v.AddViews(1)
		v.SetExpiry(s.now.Add(48 * time.Hour))
		winner.visit(func(s *VisitorSession) { s.Renew(); s.AddViews(1) })
	})
	wantAnswer(t, res, http.StatusOK)
	wantCookies(t, res, 0)
	winner.visit(func(s *VisitorSession) {
		if s.Views() != 2 || s.Name() != "Ada" {
			t.Errorf("views %d, name %q", s.Views(), s.Name())
		}
	})
}

// reused returns a browser with a renewed token that was presented, and one with
// the old token, whose grace is over.
func reused(t *testing.T, s *site) (current, old *browser) {
	t.Helper()
	current = s.signedUp()
	old = current.tab()
	current.visit(func(s *VisitorSession) { s.Renew() })
	current.visit(func(s *VisitorSession) { s.Name() })
	s.wait(grace + after)
	s.store.took()
	return current, old
}

func TestT5TheOldTokenPresentedAfterTheGraceEndsTheSession(t *testing.T) {
	for name, do := range map[string]func(*VisitorSession){
		"read":    func(s *VisitorSession) { s.Name() },
		"write":   func(s *VisitorSession) { s.AddViews(1) },
		"renew":   func(s *VisitorSession) { s.Renew() },
		"sign in": func(s *VisitorSession) { s.SetUserID(7) },
		"destroy": func(s *VisitorSession) { s.Destroy() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			current, old := reused(t, s)
			res := old.visit(do)
			wantAnswer(t, res, http.StatusOK)
			wantEvents(t, s, runtime.EventReused)
			wantName(t, s, current.cookie, nothing)
		})
	}
}

func TestT5ASecretThatWasNeverValidIsPlainNotFound(t *testing.T) {
	s := newSite(t)
	current, old := reused(t, s)
	old.cookie = idOf(current.cookie) + unknownToken[20:]
	res := old.visit(func(s *VisitorSession) {
		if !s.IsNew() {
			t.Error("a wrong secret opens the session")
		}
		s.Destroy()
	})
	wantCookies(t, res, 0)
	wantEvents(t, s)
	wantName(t, s, current.cookie, "Ada")
}

func TestT5AProofHeldByARunningRequestIsNoEvidenceOfReuse(t *testing.T) {
	for name, c := range map[string]struct {
		look   func(*VisitorSession)
		status int
	}{
		"admitted before":           {func(s *VisitorSession) { s.Name() }, http.StatusConflict},
		"arrived before, untouched": {func(*VisitorSession) {}, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			current := s.signedUp()
			res := current.tab().visit(func(v *VisitorSession) {
				c.look(v)
				current.visit(func(s *VisitorSession) { s.Renew() })
				current.visit(func(s *VisitorSession) { s.Name() })
				s.wait(grace + after)
				v.AddViews(1)
			})
			wantAnswer(t, res, c.status)
			wantEvents(t, s)
			wantName(t, s, current.cookie, "Ada")
			current.visit(func(s *VisitorSession) {
				if s.Views() != 0 {
					t.Error("the old token wrote after its end")
				}
			})
		})
	}
}

func TestT6ASessionEndsAtItsDeadline(t *testing.T) {
	s := newSite(t)
	b := s.signedUp() // a second after it began
	s.wait(age - 2*time.Second)
	b.visit(func(s *VisitorSession) { s.SetTheme("dark") })
	wantName(t, s, b.cookie, "Ada")
	s.wait(time.Second - time.Millisecond)
	wantName(t, s, b.cookie, "Ada")
	s.wait(time.Millisecond)
	wantName(t, s, b.cookie, nothing)
}

func TestT6ActivityMovesTheEndForwardUpToTheDeadlineAndSendsNoCookie(t *testing.T) {
	const idle = 100 * time.Minute
	idling := func(c *runtime.Config) { c.Idle = idle }
	for name, touch := range map[string]func(*VisitorSession){
		"read":           func(s *VisitorSession) { s.Name() },
		"write":          func(s *VisitorSession) { s.AddViews(1) },
		"read and write": func(s *VisitorSession) { s.Name(); s.AddViews(1) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, idling)
			b := s.signedUp()
			s.wait(idle - 2*time.Second)
			wantCookies(t, b.visit(touch), 0)
			s.wait(idle - time.Millisecond)
			wantName(t, s, b.cookie, "Ada")
			s.wait(time.Millisecond)
			wantName(t, s, b.cookie, nothing)
		})
	}
	t.Run("untouched", func(t *testing.T) {
		s := newSite(t, idling)
		b := s.signedUp()
		s.wait(idle - 2*time.Second)
		b.visit(func(*VisitorSession) {})
		s.wait(time.Second)
		wantName(t, s, b.cookie, nothing)
	})
	t.Run("at the deadline", func(t *testing.T) {
		s := newSite(t, func(c *runtime.Config) { c.Age, c.Idle = 3*time.Hour, idle })
		b := s.signedUp()
		for range 2 {
			s.wait(80 * time.Minute)
			b.visit(func(s *VisitorSession) { s.Name() })
		}
		b.visit(func(s *VisitorSession) {
			if got := s.ExpiresAt(); !got.Equal(begin.Add(3 * time.Hour)) {
				t.Errorf("expires %v, want the deadline", got)
			}
		})
	})
}

func TestT6AReadExtendsAtMostOnceInATenthOfTheIdleLimit(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Idle = 100 * time.Minute })
	b := s.signedUp()
	read := func(s *VisitorSession) { s.Name() }
	s.wait(10*time.Minute - 2*time.Second)
	b.visit(read)
	wantCalls(t, s, "load")
	s.wait(time.Second)
	b.visit(read)
	if d := s.store.deltas[0]; len(d.Ops) > 0 || d.Renewal != nil || !d.Deadline.IsZero() {
		t.Errorf("the extension carries more than an activity: %+v", d)
	}
	wantCalls(t, s, "load update")
	b.visit(read)
	wantCalls(t, s, "load")
}

func TestT6AReadAfterTheFirstByteIsActivity(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Idle = 100 * time.Minute })
	b := s.signedUp()
	s.wait(time.Hour)
	b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		_, _ = io.WriteString(w, "begun")
		v.Name()
		s.wait(30 * time.Minute) // the response streams on
	})
	if got, want := s.store.deltas[0].Active, begin.Add(time.Second+time.Hour+100*time.Minute); !got.Equal(want) {
		t.Errorf("the session lives until %v, want %v: the request arrived then", got, want)
	}
	wantCalls(t, s, "load update")
}

func TestT6AStreamingResponseIsOneActivityHoweverLong(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Idle = 100 * time.Minute })
	b := s.signedUp()
	b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		v.Name()
		_, _ = io.WriteString(w, "begun")
		s.wait(90 * time.Minute)
	})
	wantCalls(t, s, "load")
}

func TestT6SetExpiryReplacesTheDeadline(t *testing.T) {
	for name, c := range map[string]struct{ set, want time.Duration }{
		"earlier":         {time.Hour, time.Hour},
		"later":           {20 * 24 * time.Hour, 20 * 24 * time.Hour},
		"beyond 400 days": {1000 * 24 * time.Hour, runtime.MaxAge},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			old := b.cookie
			res := b.visit(func(v *VisitorSession) {
				v.Name()
				v.SetExpiry(s.now.Add(c.set))
				if got := v.ExpiresAt(); !got.Equal(s.now.Add(c.want)) {
					t.Errorf("expires at %v before the commit", got)
				}
			})
			wantCalls(t, s, "load update")
			wantCookies(t, res, 1)
			if got := ownCookies(res)[0]; got.MaxAge != int(c.want/time.Second) || got.Value != old {
				t.Errorf("cookie %v, want the same token for %v", got, c.want)
			}
			s.wait(c.want - time.Millisecond)
			wantName(t, s, b.cookie, "Ada")
			s.wait(time.Millisecond)
			wantName(t, s, b.cookie, nothing)
		})
	}
}

func TestT6ActivityDoesNotPassAnExpiryThatWasSet(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Idle = 100 * time.Minute })
	b := s.signedUp()
	b.visit(func(v *VisitorSession) { v.SetExpiry(s.now.Add(time.Hour)) })
	s.wait(59 * time.Minute)
	b.visit(func(s *VisitorSession) { s.Name(); s.AddViews(1) })
	s.wait(time.Minute)
	wantName(t, s, b.cookie, nothing)
}

func TestT6AnExpiryInThePastDestroys(t *testing.T) {
	for name, past := range map[string]time.Duration{"long ago": -time.Hour, "now": 0, "in the same millisecond": time.Microsecond} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			old := b.cookie
			b.visit(func(v *VisitorSession) { v.SetExpiry(s.now.Add(past)) })
			wantCalls(t, s, "load delete")
			wantName(t, s, old, nothing)
			if b.cookie != "" {
				t.Error("the cookie stays")
			}
		})
	}
}

func TestT6TheZeroExpiryIsTheConfiguredAgeAgain(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	back := func(s *VisitorSession) { s.SetExpiry(time.Time{}) }
	wantCookies(t, b.visit(back), 0)
	wantCalls(t, s, "load")

	b.visit(func(v *VisitorSession) { v.SetExpiry(s.now.Add(300 * 24 * time.Hour)) })
	s.store.took()
	wantCookies(t, b.visit(back), 1)
	wantCalls(t, s, "load update")
	b.visit(func(s *VisitorSession) {
		if got := s.ExpiresAt(); !got.Equal(begin.Add(age)) {
			t.Errorf("expires at %v, want %v", got, begin.Add(age))
		}
	})
}

func TestT6TheZeroExpiryDestroysASessionWhoseAgeIsOver(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.visit(func(v *VisitorSession) { v.SetExpiry(s.now.Add(300 * 24 * time.Hour)) })
	s.wait(age)
	s.store.took()
	old := b.cookie
	b.visit(func(s *VisitorSession) { s.SetExpiry(time.Time{}) })
	wantCalls(t, s, "load delete")
	wantName(t, s, old, nothing)
	if b.cookie != "" {
		t.Error("the cookie stays")
	}
}

func TestT6TheCookieLivesUntilTheDeadlineWhateverTheIdleLimit(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Idle = time.Minute })
	res := s.browser().visit(func(s *VisitorSession) { s.SetName("Ada") })
	if got := res.Cookies()[0].MaxAge; got != int(age/time.Second) {
		t.Errorf("Max-Age %d, want the age", got)
	}
}
