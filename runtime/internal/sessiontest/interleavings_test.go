package sessiontest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
)

// rounds is how often each interleaving is forced on each store.
func rounds() int { return testtier.Count(5, 2, 1000) }

// interleave runs one case on every store, many times, each time with a new
// visitor who has a stored session.
func interleave(t *testing.T, round func(s *site, b *browser), configure ...func(*runtime.Config)) {
	t.Helper()
	onEveryStore(t, func(t *testing.T, on backend) {
		s := on.site(t, configure...)
		for range rounds() {
			round(s, s.known())
			if t.Failed() {
				return
			}
			s.kinds()
		}
	})
}

// during runs one request of the browser's cookie and, between its own steps,
// what others do. It returns the response.
func (b *browser) during(steps ...func(s *VisitorSession)) *http.Response {
	return b.clone().visit(func(s *VisitorSession) {
		for _, step := range steps {
			step(s)
		}
	})
}

// others makes a step of what does not concern the request's own session.
func others(do func()) func(*VisitorSession) { return func(*VisitorSession) { do() } }

func TestR7InterleavedDisjointFieldsSurvive(t *testing.T) {
	interleave(t, func(s *site, b *browser) {
		b.during(
			func(v *VisitorSession) { v.Name() },
			others(func() { b.visit(func(v *VisitorSession) { v.Theme(); v.SetTheme("dark") }) }),
			func(v *VisitorSession) { v.SetRatio(0.5) },
		)
		b.visit(func(v *VisitorSession) {
			if v.Name() != "Ada" || v.Theme() != "dark" || v.Ratio() != 0.5 {
				s.t.Errorf("name %q, theme %q, ratio %v, want all three", v.Name(), v.Theme(), v.Ratio())
			}
		})
	})
}

func TestR7InterleavedMapEntriesSurvive(t *testing.T) {
	interleave(t, func(s *site, b *browser) {
		b.visit(func(v *VisitorSession) { v.SetPrefsItem(9, Setting{On: true}); v.SetCartItem("gone", 1) })
		b.during(
			func(v *VisitorSession) { v.PrefsLen(); v.CartLen() },
			others(func() {
				b.visit(func(v *VisitorSession) {
					v.SetPrefsItem(1, Setting{Value: "B"})
					v.SetCartItem("b", 1)
					v.DeleteCartItem("gone")
				})
			}),
			func(v *VisitorSession) { v.SetPrefsItem(2, Setting{Value: "A"}); v.SetCartItem("a", 2) },
		)
		b.visit(func(v *VisitorSession) {
			one, _ := v.PrefsItem(1)
			two, _ := v.PrefsItem(2)
			nine, _ := v.PrefsItem(9)
			here, _ := v.CartItem("b")
			there, _ := v.CartItem("a")
			if one.Value != "B" || two.Value != "A" || !nine.On || here != 1 || there != 2 || v.CartLen() != 2 {
				s.t.Errorf("prefs %v %v %v, cart %d %d of %d: an entry was lost or came back", one, two, nine, here, there, v.CartLen())
			}
		})
	})
}

func TestV6InterleavedAppendsAndMaximaSurvive(t *testing.T) {
	interleave(t, func(s *site, b *browser) {
		early, late := begin.Add(-time.Hour), begin.Add(time.Hour)
		b.during(
			func(v *VisitorSession) { v.RecentLen() },
			others(func() { b.visit(func(v *VisitorSession) { v.AppendRecent("first"); v.SetSeenAt(late) }) }),
			func(v *VisitorSession) { v.AppendRecent("second"); v.SetSeenAt(early) },
		)
		b.visit(func(v *VisitorSession) {
			if v.RecentLen() != 2 || v.RecentAt(0) != "first" || !v.SeenAt().Equal(late) {
				s.t.Errorf("%d recent, seen at %v: a merge was lost", v.RecentLen(), v.SeenAt())
			}
		})
	})
}

func TestV5SumIsExactUnder64Goroutines(t *testing.T) {
	onEveryStore(t, func(t *testing.T, on backend) {
		s := on.site(t)
		b := s.known()
		each := testtier.Count(16, 2, 16)
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				for range each {
					b.clone().visit(func(v *VisitorSession) { v.Name(); v.AddViews(2); v.AddViews(-1); v.AddCartItem("a", 1) })
				}
			})
		}
		all.Wait()
		b.visit(func(v *VisitorSession) {
			if n, _ := v.CartItem("a"); v.Views() != int64(64*each) || n != 64*each {
				s.t.Errorf("views %d, cart %d, want %d", v.Views(), n, 64*each)
			}
		})
	})
}

func TestV5SumIsExactUnder64GoroutinesOfOneRequest(t *testing.T) {
	onEveryStore(t, func(t *testing.T, on backend) {
		s := on.site(t)
		b := s.known()
		b.visit(func(v *VisitorSession) {
			var all sync.WaitGroup
			for range 64 {
				all.Go(func() { v.AddViews(1); v.Name(); v.AddCartItem("a", 1) })
			}
			all.Wait()
		})
		b.visit(func(v *VisitorSession) {
			if n, _ := v.CartItem("a"); v.Views() != 64 || n != 64 {
				s.t.Errorf("views %d, cart %d, want 64", v.Views(), n)
			}
		})
	})
}

// writers are the ways in which a slow request changes a session.
var writers = map[string][]func(*VisitorSession){
	"blind write":    {func(*VisitorSession) {}, func(v *VisitorSession) { v.SetTheme("dark") }},
	"read and write": {func(v *VisitorSession) { v.Name() }, func(v *VisitorSession) { v.SetTheme("dark") }},
	"add":            {func(*VisitorSession) {}, func(v *VisitorSession) { v.AddViews(1) }},
	"append":         {func(v *VisitorSession) { v.RecentLen() }, func(v *VisitorSession) { v.AppendRecent("a") }},
	"blind sign-in":  {func(*VisitorSession) {}, func(v *VisitorSession) { v.SetUserID(7) }},
	"renewal":        {func(v *VisitorSession) { v.Name() }, func(v *VisitorSession) { v.Renew() }},
	"expiry":         {func(v *VisitorSession) { v.Name() }, func(v *VisitorSession) { v.SetExpiry(begin.Add(time.Hour)) }},
}

func TestR7DestroyedSessionsDoNotComeBack(t *testing.T) {
	for name, writer := range writers {
		t.Run(name, func(t *testing.T) {
			interleave(t, func(s *site, b *browser) {
				s.store.took()
				res := b.during(
					writer[0],
					others(func() { b.clone().visit(func(v *VisitorSession) { v.Destroy() }) }),
					writer[1],
				)
				wantStatus(s.t, "the slow request", res.StatusCode, http.StatusConflict)
				if len(res.Cookies()) != 0 {
					s.t.Errorf("the slow request sets the cookies %v", res.Cookies())
				}
				if got := b.name(); got != "" {
					s.t.Errorf("name %q: the session came back", got)
				}
				if calls := s.store.took(); strings.Contains(calls, "create") {
					s.t.Errorf("calls %q: a session was created", calls)
				}
			})
		})
	}
}

func TestR7ExpiredSessionsDoNotComeBack(t *testing.T) {
	for name, writer := range writers {
		if name == "expiry" {
			continue // its time has passed, too, and it destroys
		}
		t.Run(name, func(t *testing.T) {
			interleave(t, func(s *site, b *browser) {
				fresh := b.clone()
				fresh.last = fresh.clone().visit(func(v *VisitorSession) {
					writer[0](v)
					s.now = s.now.Add(168 * time.Hour)
					writer[1](v)
				})
				seen := fresh.last.StatusCode == http.StatusConflict
				if blind := name == "blind write" || name == "add" || name == "blind sign-in"; seen == blind {
					s.t.Errorf("status %d: want 409 where the session was seen alive, a new session where not", fresh.last.StatusCode)
				}
				if fresh.take(fresh.last); seen && len(fresh.last.Cookies()) != 0 {
					s.t.Errorf("cookies %v with ErrEnded", fresh.last.Cookies())
				}
				if got := b.name() + fresh.name(); got != "" {
					s.t.Errorf("name %q: a field of the expired session came back", got)
				}
			})
		})
	}
}

func TestT4RenewalAgainstASlowCommit(t *testing.T) {
	interleave(t, func(s *site, b *browser) {
		old := b.clone()
		res := b.during(
			func(v *VisitorSession) { v.Name() },
			others(func() { b.visit(func(v *VisitorSession) { v.Renew(); v.SetRatio(0.5) }); b.name() }),
			func(v *VisitorSession) { v.SetTheme("dark"); v.Renew() },
		)
		if res.StatusCode != http.StatusOK || len(res.Cookies()) != 0 {
			s.t.Errorf("status %d, cookies %v: want the data applied and no cookie", res.StatusCode, res.Cookies())
		}
		if b.cookie == old.cookie {
			s.t.Error("the first renewal did not change the token")
		}
		b.visit(func(v *VisitorSession) {
			if v.Theme() != "dark" || v.Ratio() != 0.5 {
				s.t.Errorf("theme %q, ratio %v with the new token, want both changes", v.Theme(), v.Ratio())
			}
		})
	})
}

func TestT3SignInAgainstASlowCommitWithTheOldToken(t *testing.T) {
	interleave(t, func(s *site, b *browser) {
		old := b.clone()
		res := b.during(
			func(v *VisitorSession) { v.Name() },
			others(func() { b.visit(func(v *VisitorSession) { v.SetUserID(7) }) }),
			func(v *VisitorSession) { v.SetTheme("dark") },
		)
		if res.StatusCode != http.StatusConflict || len(res.Cookies()) != 0 {
			s.t.Errorf("the request under way: status %d, cookies %v, want 409 and none", res.StatusCode, res.Cookies())
		}
		res = old.visit(func(v *VisitorSession) { v.SetTheme("blue") })
		if res.StatusCode != http.StatusConflict || len(res.Cookies()) != 0 {
			s.t.Errorf("a later request with the old token: status %d, cookies %v, want 409 and none", res.StatusCode, res.Cookies())
		}
		b.visit(func(v *VisitorSession) {
			if v.Theme() != "light" || v.UserID() != 7 {
				s.t.Errorf("theme %q, user %d: the old token reached the record", v.Theme(), v.UserID())
			}
		})
	})
}

func TestT2SignInAgainstASlowSignIn(t *testing.T) {
	interleave(t, func(s *site, b *browser) {
		first, second := b.clone(), b.clone()
		second.take(second.clone().visit(func(v *VisitorSession) {
			v.Name()
			first.visit(func(v *VisitorSession) { v.SetUserID(1) })
			v.SetUserID(2)
			v.SetTheme("dark")
		}))
		first.visit(func(v *VisitorSession) {
			if v.UserID() != 1 || v.Name() != "Ada" || v.Theme() != "light" {
				s.t.Errorf("user %d, name %q, theme %q in the first sign-in's session", v.UserID(), v.Name(), v.Theme())
			}
		})
	})
}

// A sign-in with the token of before a plain renewal finds the record as long as
// nobody has presented the new one; otherwise only the same user's or nobody's.
func TestT2SlowSignInBeginsASessionOfItsOwn(t *testing.T) {
	interleave(t, func(s *site, b *browser) {
		b.visit(func(v *VisitorSession) { v.SetUserID(1) })
		slow := b.clone()
		slow.do(func(_ http.ResponseWriter, _ *http.Request, v *VisitorSession) {
			v.Name()
			b.visit(func(v *VisitorSession) { v.Renew() })
			b.name()
			v.SetUserID(2)
		})
		slow.visit(func(v *VisitorSession) {
			if v.UserID() != 2 || v.Name() != "" {
				s.t.Errorf("user %d, name %q, want a new session with the sign-in alone", v.UserID(), v.Name())
			}
		})
		if b.name() != "Ada" || b.user() != 1 {
			s.t.Errorf("name %q, user %d: the sign-in landed in a record that somebody had renewed", b.name(), b.user())
		}
	})
}

func TestL1SocketEventAgainstARequest(t *testing.T) {
	interleave(t, func(s *site, b *browser) {
		c := b.connect()
		c.must(func(v *VisitorSession) {
			v.Theme()
			b.visit(func(v *VisitorSession) { v.SetTheme("dark"); v.SetCartItem("a", 1) })
			v.SetRatio(0.5)
			v.SetCartItem("b", 2)
		})
		b.during(
			func(v *VisitorSession) { v.Theme() },
			others(func() { c.must(func(v *VisitorSession) { v.AddViews(3) }) }),
			func(v *VisitorSession) { v.AddViews(4) },
		)
		b.visit(func(v *VisitorSession) {
			if v.Theme() != "dark" || v.Ratio() != 0.5 || v.CartLen() != 2 || v.Views() != 7 {
				s.t.Errorf("theme %q, ratio %v, cart of %d, views %d: a change was lost", v.Theme(), v.Ratio(), v.CartLen(), v.Views())
			}
		})
	})
}

func TestR7SocketEventAgainstADestruction(t *testing.T) {
	for name, writer := range writers {
		t.Run(name, func(t *testing.T) {
			interleave(t, func(s *site, b *browser) {
				c := b.connect()
				err := c.event(func(v *VisitorSession) {
					writer[0](v)
					b.clone().visit(func(v *VisitorSession) { v.Destroy() })
					writer[1](v)
				})
				if !errors.Is(err, runtime.ErrEnded) {
					s.t.Errorf("the event: %v, want ErrEnded", err)
				}
				if got := c.told(); got != "" {
					s.t.Errorf("the page was told %q", got)
				}
				if got := b.name(); got != "" {
					s.t.Errorf("name %q: the session came back", got)
				}
			})
		})
	}
}

func TestS2SignInAgainstARevocation(t *testing.T) {
	interleave(t, func(s *site, b *browser) {
		res := b.during(
			func(v *VisitorSession) { v.Name() },
			others(func() {
				if _, err := s.RevokeByUserID(context.Background(), 7); err != nil {
					s.t.Error(err)
				}
			}),
			func(v *VisitorSession) { v.SetUserID(7) },
		)
		if res.StatusCode != http.StatusConflict || len(res.Cookies()) != 0 {
			s.t.Errorf("status %d, cookies %v: want 409 and no cookie", res.StatusCode, res.Cookies())
		}
		if got := b.user(); got != 0 {
			s.t.Errorf("user %d: a sign-in escaped the revocation", got)
		}
		b.visit(func(v *VisitorSession) { v.SetUserID(7) })
		if got := b.user(); got != 7 {
			s.t.Errorf("user %d: a sign-in after the revocation was refused", got)
		}
	})
}

func TestT4OfManyRenewalsAtOnceOneWins(t *testing.T) {
	onEveryStore(t, func(t *testing.T, on backend) {
		s := on.site(t)
		for range testtier.Count(20, 4, 20) {
			b := s.known()
			tabs := make([]*browser, 32)
			var all, ready sync.WaitGroup
			ready.Add(len(tabs))
			for i := range tabs {
				tabs[i] = b.clone()
				all.Go(func() {
					tabs[i].visit(func(v *VisitorSession) {
						v.Name()
						ready.Done()
						ready.Wait()
						v.Renew()
						v.AddViews(1)
					})
				})
			}
			all.Wait()
			changed, winner := 0, b
			for _, tab := range tabs {
				if tab.cookie != b.cookie {
					changed++
					winner = tab
				}
			}
			winner.visit(func(v *VisitorSession) {
				if changed != 1 || v.Views() != int64(len(tabs)) {
					s.t.Errorf("%d of %d renewals sent a cookie, %d of their changes stored", changed, len(tabs), v.Views())
				}
			})
		}
	})
}
