package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
)

// Stepped has fields of each shape that can be claimed or ensured.
//
//duckgen:session cookie=stepped
type Stepped struct {
	UserID  int64             `session:"user_id,index,renew"`
	Name    string            `session:"name"`
	State   string            `session:"state,once"`
	Secret  string            `session:"secret,once,secret"`
	Moved   string            `session:"moved,once,was=stood"`
	Best    int               `session:"best,once,merge=max"`
	Points  int64             `session:"points,once,merge=sum"`
	Listed  []string          `session:"listed,once"`
	Inbox   []string          `session:"inbox,once,merge=append"`
	Links   map[string]string `session:"links,once"`
	Gifts   map[string]int    `session:"gifts,once,merge=sum"`
	CSRF    string            `session:"csrf,merge=first,secret"`
	Landing string            `session:"landing,merge=first,was=entry,max=8,default=/"`
	Route   []string          `session:"route,merge=first,max=2"`
	Buckets map[string]string `session:"buckets,merge=first,max=2"`
	Nonce   string            `session:"nonce,merge=first,once"`
}

const steppedKind = "github.com/duckgen/duckgen/runtime/internal/sessiontest.Stepped"

// A stepsite is a program with stepped sessions.
type stepsite struct {
	*SteppedSessions
	t      *testing.T
	store  *spyStore
	events atomic.Int64
	errs   atomic.Pointer[error] // the last one
}

func newStepsite(t *testing.T, store runtime.Store, configure ...func(*runtime.Config)) *stepsite {
	t.Helper()
	s := &stepsite{t: t, store: &spyStore{Store: store}}
	basics := func(c *runtime.Config) {
		c.Keys = [][]byte{testKey}
		c.OnEvent = func(context.Context, runtime.Event) { s.events.Add(1) }
		c.OnError = func(_ context.Context, err error) { s.errs.Store(&err) }
	}
	var err error
	s.SteppedSessions, err = NewSteppedSessions(s.store, append([]func(*runtime.Config){basics}, configure...)...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serve sends a request with the jar's cookie.
func (s *stepsite) serve(j *jar, handler func(w http.ResponseWriter, s *SteppedSession)) *http.Response {
	r := httptest.NewRequest("GET", "https://shop.example/", nil)
	if j.cookie != "" {
		r.Header.Set("Cookie", "stepped="+j.cookie)
	}
	w := httptest.NewRecorder()
	s.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler(w, SteppedFrom(r.Context()))
	})).ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		j.cookie = c.Value
	}
	return w.Result()
}

func (s *stepsite) visit(j *jar, handler func(s *SteppedSession)) *http.Response {
	return s.serve(j, func(_ http.ResponseWriter, v *SteppedSession) { handler(v) })
}

// A claim takes one thing, and reads as what it took.
type steppedClaim struct {
	name string
	set  func(v *SteppedSession)
	take func(ctx context.Context, v *SteppedSession) (string, bool, error)
	want string
}

func shown[T any](v T, ok bool, err error) (string, bool, error) { return fmt.Sprint(v), ok, err }

var steppedClaims = []steppedClaim{
	{"a value", func(v *SteppedSession) { v.SetState("one") },
		func(ctx context.Context, v *SteppedSession) (string, bool, error) { return shown(v.ClaimState(ctx)) }, "one"},
	{"a secret", func(v *SteppedSession) { v.SetSecret("one") },
		func(ctx context.Context, v *SteppedSession) (string, bool, error) { return shown(v.ClaimSecret(ctx)) }, "one"},
	{"one that has moved", func(v *SteppedSession) { v.SetMoved("one") },
		func(ctx context.Context, v *SteppedSession) (string, bool, error) { return shown(v.ClaimMoved(ctx)) }, "one"},
	{"a maximum", func(v *SteppedSession) { v.SetBest(7) },
		func(ctx context.Context, v *SteppedSession) (string, bool, error) { return shown(v.ClaimBest(ctx)) }, "7"},
	{"a counter", func(v *SteppedSession) { v.SetPoints(7) },
		func(ctx context.Context, v *SteppedSession) (string, bool, error) { return shown(v.ClaimPoints(ctx)) }, "7"},
	{"a slice", func(v *SteppedSession) { v.SetListed([]string{"one"}) },
		func(ctx context.Context, v *SteppedSession) (string, bool, error) { return shown(v.ClaimListed(ctx)) }, "[one]"},
	{"an appended slice", func(v *SteppedSession) { v.AppendInbox("one") },
		func(ctx context.Context, v *SteppedSession) (string, bool, error) { return shown(v.ClaimInbox(ctx)) }, "[one]"},
	{"a map", func(v *SteppedSession) { v.SetLinksItem("a", "one") },
		func(ctx context.Context, v *SteppedSession) (string, bool, error) { return shown(v.ClaimLinks(ctx)) }, "map[a:one]"},
	{"an element", func(v *SteppedSession) { v.SetLinksItem("a", "one") },
		func(ctx context.Context, v *SteppedSession) (string, bool, error) {
			return shown(v.ClaimLinksItem(ctx, "a"))
		}, "one"},
	{"a map of counters", func(v *SteppedSession) { v.SetGiftsItem("a", 7) },
		func(ctx context.Context, v *SteppedSession) (string, bool, error) { return shown(v.ClaimGifts(ctx)) }, "map[a:7]"},
	{"a counted element", func(v *SteppedSession) { v.SetGiftsItem("a", 7) },
		func(ctx context.Context, v *SteppedSession) (string, bool, error) {
			return shown(v.ClaimGiftsItem(ctx, "a"))
		}, "7"},
}

func TestV9AClaimTakesOnce(t *testing.T) {
	for _, c := range steppedClaims {
		t.Run(c.name, func(t *testing.T) {
			for _, format := range storeFormats {
				t.Run(format.name, func(t *testing.T) {
					s, j := newStepsite(t, format.newStore(t)), &jar{}
					s.visit(j, c.set)
					s.store.took()
					s.visit(j, func(v *SteppedSession) {
						if got, ok, err := c.take(t.Context(), v); got != c.want || !ok || err != nil {
							t.Errorf("claimed %s, %v, %v, want %s", got, ok, err, c.want)
						}
						if got, ok, err := c.take(t.Context(), v); ok || err != nil {
							t.Errorf("claimed %s, %v the second time", got, err)
						}
						if v.Dirty() {
							t.Errorf("dirty: %q", v.DirtyFields())
						}
					})
					if got := s.store.took(); got != "load update" {
						t.Errorf("calls %q, want one step behind the load", got)
					}
					s.visit(j, func(v *SteppedSession) {
						if got, ok, err := c.take(t.Context(), v); ok || err != nil {
							t.Errorf("claimed %s, %v in a later request", got, err)
						}
					})
				})
			}
		})
	}
}

func TestV9AClaimHasOneWinner(t *testing.T) {
	onEveryStore(t, func(t *testing.T, on backend) {
		s := newStepsite(t, on.open(t))
		claimBy64(t, s, claimRounds(on), 1, 1)
	})
}

// claimRounds is how often 64 requests claim: a server takes its time.
func claimRounds(on backend) int {
	if on.name == "memory" {
		return testtier.Count(200, 40, 1000)
	}
	return testtier.Count(20, 4, 1000)
}

// TestV9AClaimWithLostAnswersHasOneWinnerAtMost loses the answer of every third
// step, which the store may or may not have made.
func TestV9AClaimWithLostAnswersHasOneWinnerAtMost(t *testing.T) {
	onEveryStore(t, func(t *testing.T, on backend) {
		lossy := &lossyStore{Store: on.open(t)}
		s := newStepsite(t, lossy)
		claimBy64(t, s, claimRounds(on), 0, 1)
		if lossy.lost.Load() == 0 {
			t.Error("no answer was lost")
		}
	})
}

// claimBy64 lets 64 requests claim one value at the same time, in turn of each
// kind.
func claimBy64(t *testing.T, s *stepsite, rounds, least, most int) {
	j := &jar{}
	s.visit(j, func(v *SteppedSession) { v.SetName("Ada") })
	for round := range rounds {
		c := steppedClaims[round%len(steppedClaims)]
		s.visit(j, c.set)
		var winners, wrong atomic.Int64
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				s.visit(&jar{cookie: j.cookie}, func(v *SteppedSession) {
					got, ok, _ := c.take(t.Context(), v)
					if ok {
						winners.Add(1)
						if got != c.want {
							wrong.Add(1)
						}
					}
				})
			})
		}
		all.Wait()
		if n := int(winners.Load()); n < least || n > most || wrong.Load() > 0 {
			t.Fatalf("round %d, %s: %d of 64 have it (%d another value), want %d to %d", round, c.name, n, wrong.Load(), least, most)
		}
		s.visit(j, func(v *SteppedSession) {
			if left := v.Snapshot(); most == least && (left.State != "" || left.Points != 0 || len(left.Links)+len(left.Gifts) > 0) {
				t.Fatalf("round %d, %s: %+v is left", round, c.name, left)
			}
			v.TakeLinks() // what a lost answer has left
			v.TakeGifts()
			v.TakePoints()
			v.TakeBest()
			v.TakeInbox()
		})
	}
}

// A lossyStore loses the answer of every third step that has a condition, half of
// them before it is made.
type lossyStore struct {
	runtime.Store
	steps, lost atomic.Int64
}

func (s *lossyStore) Unwrap() runtime.Store { return s.Store }

func (s *lossyStore) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	conditional := slices.ContainsFunc(d.Ops, func(op runtime.Op) bool { return op.If != nil })
	n := int64(1)
	if conditional {
		n = s.steps.Add(1)
	}
	if n%6 == 0 {
		s.lost.Add(1)
		return nil, errOutage
	}
	result, err := s.Store.Update(ctx, key, d)
	if n%6 == 3 {
		s.lost.Add(1)
		return nil, errOutage
	}
	return result, err
}

func TestV9AClaimSeesWhatThisRequestHasPending(t *testing.T) {
	for _, format := range storeFormats {
		for _, c := range []struct {
			name   string
			before func(v *SteppedSession)
			claim  func(ctx context.Context, v *SteppedSession) (string, bool, error)
			want   string // "": nothing
			calls  string
			left   Stepped
		}{
			{name: "a value that it set", before: func(v *SteppedSession) { v.SetState("mine") },
				claim: steppedClaims[0].take, want: "mine", calls: ""},
			{name: "a value that it cleared", before: func(v *SteppedSession) { v.ClearState() },
				claim: steppedClaims[0].take, calls: ""},
			{name: "a value that it took", before: func(v *SteppedSession) { v.TakeState() },
				claim: steppedClaims[0].take, calls: "load"},
			{name: "what it appended", before: func(v *SteppedSession) { v.AppendInbox("mine") },
				claim: steppedClaims[6].take, want: "[stored mine]", calls: "load update"},
			{name: "what it added", before: func(v *SteppedSession) { v.AddPoints(2) },
				claim: steppedClaims[4].take, want: "3", calls: "load update"},
			{name: "elements that it set and deleted", before: func(v *SteppedSession) {
				v.SetLinksItem("mine", "two")
				v.DeleteLinksItem("b")
			}, claim: steppedClaims[7].take, want: "map[a:stored mine:two]", calls: "load update"},
			{name: "an element of a map that it replaced", before: func(v *SteppedSession) {
				v.SetLinks(map[string]string{"a": "mine", "c": "too"})
			}, claim: steppedClaims[8].take, want: "mine", calls: "", left: Stepped{Links: map[string]string{"c": "too"}}},
			{name: "an element beside one that it set", before: func(v *SteppedSession) { v.SetLinksItem("c", "mine") },
				claim: steppedClaims[8].take, want: "stored", calls: "load update",
				left: Stepped{Links: map[string]string{"b": "stored", "c": "mine"}}},
		} {
			t.Run(c.name+", "+format.name, func(t *testing.T) {
				s, j := newStepsite(t, format.newStore(t)), &jar{}
				s.visit(j, func(v *SteppedSession) {
					v.SetState("stored")
					v.AppendInbox("stored")
					v.AddPoints(1)
					v.SetLinks(map[string]string{"a": "stored", "b": "stored"})
				})
				s.store.took()
				s.visit(j, func(v *SteppedSession) {
					c.before(v)
					v.SetName("Ada")
					got, ok, err := c.claim(t.Context(), v)
					if ok != (c.want != "") || ok && got != c.want || err != nil {
						t.Errorf("claimed %s, %v, %v, want %q", got, ok, err, c.want)
					}
					if calls := s.store.took(); calls != c.calls {
						t.Errorf("calls %q, want %q", calls, c.calls)
					}
					if !slices.Contains(v.DirtyFields(), "name") {
						t.Errorf("what else was pending is not any more: %q", v.DirtyFields())
					}
					if _, ok, _ := c.claim(t.Context(), v); ok {
						t.Error("it was claimed twice")
					}
				})
				s.visit(j, func(v *SteppedSession) {
					if v.Name() != "Ada" {
						t.Errorf("what else was pending is not stored: %q", v.Name())
					}
					if got, ok, _ := c.claim(t.Context(), v); ok {
						t.Errorf("%s can be claimed in a later request", got)
					}
					if left := v.Snapshot().Links; c.left.Links != nil && !maps.Equal(left, c.left.Links) {
						t.Errorf("left: %v, want %v", left, c.left.Links)
					}
				})
			})
		}
	}
}

func TestV9AClaimWithoutASessionFindsNothing(t *testing.T) {
	s, j := newStepsite(t, storeFormats[0].newStore(t)), &jar{}
	res := s.visit(j, func(v *SteppedSession) {
		if got, ok, err := v.ClaimState(t.Context()); ok || err != nil || got != "" {
			t.Errorf("claimed %q, %v, %v", got, ok, err)
		}
	})
	if got := s.store.took(); got != "" || j.cookie != "" {
		t.Errorf("calls %q, cookie %q", got, j.cookie)
	}
	if got := res.Header.Get("Vary"); got != "Cookie" {
		t.Errorf("Vary: %q", got)
	}
	s.visit(j, func(v *SteppedSession) { v.SetName("Ada"); v.SetState("one") })
	s.visit(j, func(v *SteppedSession) {
		v.Destroy()
		if got, ok, err := v.ClaimState(t.Context()); ok || err != nil {
			t.Errorf("claimed %q, %v of a session that is destroyed", got, err)
		}
	})
	unknown := &jar{cookie: j.cookie}
	s.visit(unknown, func(v *SteppedSession) {
		if got, ok, err := v.ClaimState(t.Context()); ok || err != nil {
			t.Errorf("claimed %q, %v by a token that opens nothing", got, err)
		}
	})
}

func TestV9AClaimThatFailsTakesNothing(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name  string
		fail  string // the call that fails
		ctx   context.Context
		want  error
		calls string
		stays bool // and the request can go on
	}{
		{"the load fails", "load", t.Context(), errOutage, "load", false},
		{"the answer is lost", "update", t.Context(), runtime.ErrOutcomeUnknown, "load update", false},
		{"the context is over", "", over, context.Canceled, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, j := newStepsite(t, storeFormats[0].newStore(t)), &jar{}
			s.visit(j, func(v *SteppedSession) { v.SetState("one"); v.SetName("Ada") })
			s.store.took()
			s.store.setFail(func(call string) error {
				if call == c.fail {
					return errOutage
				}
				return nil
			})
			res := s.visit(j, func(v *SteppedSession) {
				v.SetName("Bea")
				if got, ok, err := v.ClaimState(c.ctx); ok || got != "" || !errors.Is(err, c.want) {
					t.Errorf("claimed %q, %v, %v", got, ok, err)
				}
				if calls := s.store.took(); calls != c.calls {
					t.Errorf("calls %q, want %q", calls, c.calls)
				}
				if _, ok, err := v.ClaimState(c.ctx); ok || err == nil {
					t.Errorf("claimed after that: %v", err)
				}
				if v.Err() == nil {
					t.Error("Err is nil")
				}
			})
			want := http.StatusServiceUnavailable
			if c.stays {
				want = http.StatusOK
			}
			if res.StatusCode != want {
				t.Errorf("status %d, want %d", res.StatusCode, want)
			}
			s.store.setFail(nil)
			s.visit(j, func(v *SteppedSession) {
				if got, ok, err := v.ClaimState(t.Context()); got != "one" || !ok || err != nil {
					t.Errorf("then claimed %q, %v, %v", got, ok, err)
				}
				if name := v.Name(); (name == "Bea") != c.stays {
					t.Errorf("name %q", name)
				}
			})
		})
	}
}

func TestV9EveryClaimSaysThatItFailed(t *testing.T) {
	for _, c := range steppedClaims {
		s, j := newStepsite(t, storeFormats[0].newStore(t)), &jar{}
		s.visit(j, c.set)
		s.store.setFail(func(call string) error {
			if call == "update" {
				return errOutage
			}
			return nil
		})
		s.visit(j, func(v *SteppedSession) {
			if got, ok, err := c.take(t.Context(), v); ok || !errors.Is(err, runtime.ErrOutcomeUnknown) {
				t.Errorf("%s: claimed %s, %v, %v", c.name, got, ok, err)
			}
		})
	}
}

// What this request has set is not stored: no step is needed, and nothing is left.
func TestV9AClaimOfWhatIsOnlyPendingIsNoStep(t *testing.T) {
	pends := append(slices.Clone(steppedClaims), steppedClaim{
		"an added count", func(v *SteppedSession) { v.AddPoints(7) },
		func(ctx context.Context, v *SteppedSession) (string, bool, error) { return shown(v.ClaimPoints(ctx)) }, "7",
	})
	for _, c := range pends {
		s, j := newStepsite(t, storeFormats[0].newStore(t)), &jar{}
		s.visit(j, func(v *SteppedSession) { v.SetName("Ada") })
		s.store.took()
		s.visit(j, func(v *SteppedSession) {
			c.set(v)
			if got, ok, err := c.take(t.Context(), v); got != c.want || !ok || err != nil {
				t.Errorf("%s: claimed %s, %v, %v, want %s", c.name, got, ok, err, c.want)
			}
			if calls := s.store.took(); strings.Contains(calls, "update") {
				t.Errorf("%s: calls %q", c.name, calls)
			}
		})
	}
}

// A conflict whose reload fails is told once, as the outage that it is.
func TestV9AClaimThatCannotLookAgainIsToldOnce(t *testing.T) {
	told, conflict := 0, true
	s, j := newStepsite(t, storeFormats[0].newStore(t), func(c *runtime.Config) {
		c.OnError = func(context.Context, error) { told++ }
	}), &jar{}
	s.visit(j, func(v *SteppedSession) { v.SetState("one") })
	s.store.setFail(func(call string) error {
		switch {
		case call == "update":
			conflict = true
			return runtime.ErrConflict
		case call == "load" && conflict:
			return errOutage
		}
		return nil
	})
	conflict = false
	s.visit(j, func(v *SteppedSession) {
		if _, ok, err := v.ClaimState(t.Context()); ok || !errors.Is(err, errOutage) {
			t.Errorf("claimed: %v, %v", ok, err)
		}
	})
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

func TestV9AClaimWorksAsLongAsTheRequest(t *testing.T) {
	s, j := newStepsite(t, storeFormats[0].newStore(t)), &jar{}
	s.visit(j, func(v *SteppedSession) { v.SetState("one"); v.SetLinks(map[string]string{"a": "one", "b": "two"}) })
	var kept *SteppedSession
	s.serve(j, func(w http.ResponseWriter, v *SteppedSession) {
		kept = v
		_, _ = w.Write([]byte("begun"))
		if got, ok, err := v.ClaimState(t.Context()); got != "one" || !ok || err != nil {
			t.Errorf("claimed %q, %v, %v after the response began", got, ok, err)
		}
	})
	if got, ok, err := kept.ClaimLinks(t.Context()); ok || !errors.Is(err, runtime.ErrTooLate) {
		t.Errorf("claimed %v, %v after the end", got, err)
	}
	if got, ok, err := SteppedFrom(t.Context()).ClaimState(t.Context()); ok || !errors.Is(err, runtime.ErrNoMiddleware) {
		t.Errorf("claimed %q, %v without the middleware", got, err)
	}
	s.visit(j, func(v *SteppedSession) {
		if got, ok, err := v.ClaimLinksItem(t.Context(), "b"); got != "two" || !ok || err != nil {
			t.Errorf("claimed %q, %v, %v", got, ok, err)
		}
		v.Discard()
		if n := v.LinksLen(); n != 1 {
			t.Errorf("%d elements are left", n)
		}
	})
}

func TestV9AClaimStaysWhateverBecomesOfItsRequest(t *testing.T) {
	s, j := newStepsite(t, storeFormats[0].newStore(t)), &jar{}
	s.visit(j, func(v *SteppedSession) { v.SetState("one") })
	s.serve(j, func(w http.ResponseWriter, v *SteppedSession) {
		v.SetName("Ada")
		if _, ok, err := v.ClaimState(t.Context()); !ok || err != nil {
			t.Errorf("claimed: %v, %v", ok, err)
		}
		w.WriteHeader(http.StatusInternalServerError)
	})
	s.visit(j, func(v *SteppedSession) {
		if got, ok, _ := v.ClaimState(t.Context()); ok || v.Name() != "" {
			t.Errorf("claimed %q after the handler failed, name %q", got, v.Name())
		}
	})
}

func TestV9AClaimOnASessionThatEndsIsAnError(t *testing.T) {
	s, j := newStepsite(t, storeFormats[0].newStore(t)), &jar{}
	s.visit(j, func(v *SteppedSession) { v.SetState("one") })
	s.visit(&jar{cookie: j.cookie}, func(v *SteppedSession) {
		v.Name()
		s.visit(j, func(v *SteppedSession) { v.Destroy() })
		if got, ok, err := v.ClaimState(t.Context()); ok || !errors.Is(err, runtime.ErrEnded) {
			t.Errorf("claimed %q, %v", got, err)
		}
	})
}

func TestV9ASessionThatWasFoundClaims(t *testing.T) {
	onEveryStore(t, func(t *testing.T, on backend) {
		s, j := newStepsite(t, on.open(t)), &jar{}
		s.visit(j, func(v *SteppedSession) { v.SetUserID(7); v.SetState("one") })
		n := 0
		for v, err := range s.FindByUserID(t.Context(), 7) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			if got, ok, err := v.ClaimState(t.Context()); got != "one" || !ok || err != nil {
				t.Errorf("claimed %q, %v, %v", got, ok, err)
			}
			if got, err := v.EnsureLanding(t.Context(), "/here"); got != "/here" || err != nil {
				t.Errorf("ensured %q, %v", got, err)
			}
		}
		s.visit(j, func(v *SteppedSession) {
			if got, ok, _ := v.ClaimState(t.Context()); n != 1 || ok || v.Landing() != "/here" || v.UserID() != 7 {
				t.Errorf("%d found, claimed %q, landing %q, user %d", n, got, v.Landing(), v.UserID())
			}
		})
	})
}

func TestV9ClaimsInTestsOfHandlers(t *testing.T) {
	_, v := WithStepped(t.Context(), Stepped{State: "one", Links: map[string]string{"a": "b"}, CSRF: "stored"})
	for _, want := range []bool{true, false} {
		if got, ok, err := v.ClaimState(t.Context()); ok != want || err != nil || v.Dirty() {
			t.Errorf("claimed %q, %v, %v, dirty: %q", got, ok, err, v.DirtyFields())
		}
		if got, ok, err := v.ClaimLinksItem(t.Context(), "a"); ok != want || err != nil {
			t.Errorf("claimed %q, %v, %v", got, ok, err)
		}
	}
	for _, give := range []string{"new", "newer"} {
		if got, err := v.EnsureCSRF(t.Context(), give); got != "stored" || err != nil {
			t.Errorf("ensured %q, %v", got, err)
		}
		if got, err := v.EnsureBucketsItem(t.Context(), "a", give); got != "new" || err != nil {
			t.Errorf("ensured %q, %v", got, err)
		}
	}
}

func TestV9TakingOneElement(t *testing.T) {
	for _, format := range storeFormats {
		s, j := newStepsite(t, format.newStore(t)), &jar{}
		s.visit(j, func(v *SteppedSession) {
			v.SetLinks(map[string]string{"a": "one", "b": "two"})
			v.SetGifts(map[string]int{"a": 1, "b": 2})
		})
		s.visit(j, func(v *SteppedSession) {
			if got, ok := v.LinksItem("a"); got != "one" || !ok || v.LinksLen() != 2 || v.GiftsLen() != 2 || v.Dirty() {
				t.Errorf("looked at %q, %v of %d", got, ok, v.LinksLen())
			}
			link, ok := v.TakeLinksItem("a")
			gift, also := v.TakeGiftsItem("b")
			if link != "one" || gift != 2 || !ok || !also {
				t.Errorf("took %q and %d", link, gift)
			}
			if _, ok := v.TakeLinksItem("a"); ok {
				t.Error("took it twice")
			}
			v.SetLinksItem("c", "mine")
			if link, ok := v.TakeLinksItem("c"); link != "mine" || !ok {
				t.Errorf("took %q of what was set in the same request", link)
			}
			s.visit(&jar{cookie: j.cookie}, func(v *SteppedSession) { v.SetLinksItem("b", "three"); v.AddGiftsItem("b", 5) })
		})
		s.visit(j, func(v *SteppedSession) {
			if got := v.Snapshot(); !maps.Equal(got.Links, map[string]string{"b": "three"}) || !maps.Equal(got.Gifts, map[string]int{"a": 1, "b": 7}) {
				t.Errorf("left: %v, %v", got.Links, got.Gifts)
			}
		})
	}
}

func TestV15TheFirstOneStays(t *testing.T) {
	for _, format := range storeFormats {
		t.Run(format.name, func(t *testing.T) {
			s, j := newStepsite(t, format.newStore(t)), &jar{}
			s.visit(j, func(v *SteppedSession) { v.SetName("Ada") })
			for round, give := range []string{"one", "two"} {
				s.visit(j, func(v *SteppedSession) {
					s.store.took()
					ctx := t.Context()
					csrf, err := v.EnsureCSRF(ctx, give)
					landing, err2 := v.EnsureLanding(ctx, give)
					route, err3 := v.EnsureRoute(ctx, []string{give})
					bucket, err4 := v.EnsureBucketsItem(ctx, "a", give)
					if err := errors.Join(err, err2, err3, err4); err != nil {
						t.Fatal(err)
					}
					if csrf != "one" || landing != "one" || !slices.Equal(route, []string{"one"}) || bucket != "one" {
						t.Errorf("round %d: %q, %q, %q, %q", round, csrf, landing, route, bucket)
					}
					want := "load update update update update"
					if round > 0 {
						want = "load"
					}
					if got := s.store.took(); got != want || v.Dirty() {
						t.Errorf("calls %q, want %q; dirty: %q", got, want, v.DirtyFields())
					}
					route[0] = "changed"
					if got := v.RouteAt(0); got != "one" {
						t.Errorf("what was returned is the session's own: %q", got)
					}
				})
			}
			s.visit(j, func(v *SteppedSession) {
				v.ClearCSRF()
				if got, err := v.EnsureCSRF(t.Context(), "three"); got != "three" || err != nil {
					t.Errorf("ensured %q, %v after a clear", got, err)
				}
				v.DeleteBucketsItem("a")
				if got, err := v.EnsureBucketsItem(t.Context(), "a", "three"); got != "three" || err != nil {
					t.Errorf("ensured %q, %v after a deletion", got, err)
				}
				v.ClearBuckets()
				if got, err := v.EnsureBucketsItem(t.Context(), "b", "four"); got != "four" || err != nil || v.Dirty() {
					t.Errorf("ensured %q, %v after a clear, dirty: %q", got, err, v.DirtyFields())
				}
			})
			s.visit(j, func(v *SteppedSession) {
				if got := v.Snapshot(); got.CSRF != "three" || !maps.Equal(got.Buckets, map[string]string{"b": "four"}) || got.Name != "Ada" {
					t.Errorf("stored: %+v", got)
				}
			})
		})
	}
}

func TestV15TheDefaultIsNotStored(t *testing.T) {
	s, j := newStepsite(t, storeFormats[0].newStore(t)), &jar{}
	s.visit(j, func(v *SteppedSession) {
		landing, err := v.EnsureLanding(t.Context(), "/")
		route, err2 := v.EnsureRoute(t.Context(), nil)
		if landing != "/" || route != nil || err != nil || err2 != nil {
			t.Errorf("ensured %q, %v, %v, %v", landing, route, err, err2)
		}
	})
	if got := s.store.took(); got != "" || j.cookie != "" {
		t.Errorf("calls %q, cookie %q", got, j.cookie)
	}
}

func TestV15OneValueForAll(t *testing.T) {
	onEveryStore(t, func(t *testing.T, on backend) {
		s, j := newStepsite(t, on.open(t)), &jar{}
		s.visit(j, func(v *SteppedSession) { v.SetName("Ada") })
		for round := range testtier.Count(5, 2, 200) {
			s.visit(j, func(v *SteppedSession) { v.ClearCSRF(); v.ClearRoute(); v.ClearBuckets() })
			var mu sync.Mutex
			seen := map[string]int{}
			var all sync.WaitGroup
			for i := range 64 {
				all.Go(func() {
					s.visit(&jar{cookie: j.cookie}, func(v *SteppedSession) {
						give := fmt.Sprintf("%d by %d", round, i)
						csrf, err := v.EnsureCSRF(t.Context(), give)
						route, err2 := v.EnsureRoute(t.Context(), []string{give})
						bucket, err3 := v.EnsureBucketsItem(t.Context(), "a", give)
						if err := errors.Join(err, err2, err3); err != nil {
							t.Error(err)
						}
						mu.Lock()
						defer mu.Unlock()
						seen["csrf "+csrf]++
						seen["route "+strings.Join(route, " ")]++
						seen["bucket "+bucket]++
					})
				})
			}
			all.Wait()
			if len(seen) != 3 {
				t.Fatalf("round %d: 64 requests got %v, want one value of each", round, seen)
			}
		}
	})
}

func TestV15ANewSessionIsCreatedAtOnce(t *testing.T) {
	s, j := newStepsite(t, storeFormats[0].newStore(t)), &jar{}
	s.serve(j, func(w http.ResponseWriter, v *SteppedSession) {
		v.SetName("Ada")
		if got, err := v.EnsureCSRF(t.Context(), "one"); got != "one" || err != nil {
			t.Errorf("ensured %q, %v", got, err)
		}
		if calls, cookie := s.store.took(), w.Header().Get("Set-Cookie"); calls != "create" || cookie == "" {
			t.Errorf("calls %q, cookie %q", calls, cookie)
		}
		if v.IsNew() || !slices.Equal(v.DirtyFields(), []string{"name"}) {
			t.Errorf("dirty: %q", v.DirtyFields())
		}
	})
	s.visit(j, func(v *SteppedSession) {
		if v.CSRF() != "one" || v.Name() != "Ada" {
			t.Errorf("stored: %q, %q", v.CSRF(), v.Name())
		}
	})

	late := &jar{}
	s.store.took()
	s.serve(late, func(w http.ResponseWriter, v *SteppedSession) {
		_, _ = w.Write([]byte("begun"))
		if got, err := v.EnsureCSRF(t.Context(), "two"); got != "" || !errors.Is(err, runtime.ErrTooLate) {
			t.Errorf("ensured %q, %v after the response began", got, err)
		}
	})
	if got := s.store.took(); got != "" || late.cookie != "" {
		t.Errorf("calls %q, cookie %q", got, late.cookie)
	}
}

// TestV15ADestroyedSessionIsEndedFirst shows that the cookie of the new session
// stays.
func TestV15ADestroyedSessionIsEndedFirst(t *testing.T) {
	s, j := newStepsite(t, storeFormats[0].newStore(t)), &jar{}
	s.visit(j, func(v *SteppedSession) { v.SetUserID(7) })
	old := *j
	s.store.took()
	s.visit(j, func(v *SteppedSession) {
		v.Destroy()
		if got, err := v.EnsureCSRF(t.Context(), "new"); got != "new" || err != nil {
			t.Errorf("ensured %q, %v", got, err)
		}
	})
	if got := s.store.took(); got != "load delete create" {
		t.Errorf("calls %q", got)
	}
	s.visit(j, func(v *SteppedSession) {
		if v.CSRF() != "new" || v.UserID() != 0 {
			t.Errorf("the new session has %q and user %d", v.CSRF(), v.UserID())
		}
	})
	s.visit(&old, func(v *SteppedSession) {
		if v.UserID() != 0 {
			t.Error("the old one is alive")
		}
	})
}

func TestV15ASignInBesideIt(t *testing.T) {
	s, j := newStepsite(t, storeFormats[0].newStore(t)), &jar{}
	s.visit(j, func(v *SteppedSession) {
		v.SetUserID(7)
		if got, err := v.EnsureCSRF(t.Context(), "one"); got != "one" || err != nil {
			t.Errorf("ensured %q, %v", got, err)
		}
		if !v.SignedInAt().IsZero() {
			t.Error("it has signed in")
		}
	})
	s.visit(j, func(v *SteppedSession) {
		if v.UserID() != 7 || v.CSRF() != "one" || v.SignedInAt().IsZero() {
			t.Errorf("user %d, %q", v.UserID(), v.CSRF())
		}
	})
}

func TestV15LimitsAndFailures(t *testing.T) {
	s, j := newStepsite(t, storeFormats[0].newStore(t)), &jar{}
	s.visit(j, func(v *SteppedSession) { v.SetName("Ada") })
	s.visit(j, func(v *SteppedSession) {
		v.SetName("Bea")
		if _, err := v.EnsureLanding(t.Context(), "123456789"); !errors.Is(err, runtime.ErrTooLarge) {
			t.Errorf("too long a value: %v", err)
		}
		if _, err := v.EnsureRoute(t.Context(), []string{"1", "2", "3"}); !errors.Is(err, runtime.ErrTooLarge) {
			t.Errorf("too long a slice: %v", err)
		}
		for i, want := range []error{nil, nil, runtime.ErrTooLarge} {
			if _, err := v.EnsureBucketsItem(t.Context(), fmt.Sprint(i), "x"); !errors.Is(err, want) {
				t.Errorf("element %d: %v", i, err)
			}
		}
	})
	s.visit(j, func(v *SteppedSession) {
		if v.Name() != "Bea" || v.BucketsLen() != 2 || v.Landing() != "/" {
			t.Errorf("stored: %+v", v.Snapshot())
		}
	})
	s.store.setFail(func(call string) error {
		if call == "update" {
			return errOutage
		}
		return nil
	})
	res := s.visit(j, func(v *SteppedSession) {
		v.SetName("Cid")
		if got, err := v.EnsureCSRF(t.Context(), "one"); got != "" || !errors.Is(err, runtime.ErrOutcomeUnknown) {
			t.Errorf("ensured %q, %v", got, err)
		}
	})
	var op *runtime.Error
	if err := s.errs.Load(); res.StatusCode != http.StatusServiceUnavailable || err == nil || !errors.As(*err, &op) {
		t.Errorf("status %d, error %v", res.StatusCode, err)
	}
	s.store.setFail(nil)
	over, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	s.visit(&jar{}, func(v *SteppedSession) {
		if got, err := v.EnsureCSRF(over, "one"); got != "" || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ensured %q, %v", got, err)
		}
	})
}

func TestV15AnEarlierKeyCounts(t *testing.T) {
	s, j := newStepsite(t, storeFormats[0].newStore(t)), &jar{}
	s.visit(j, func(v *SteppedSession) { v.SetName("Ada") })
	put(t, s.store, keyOf(t, steppedKind, j.cookie, time.Now()), runtime.Entry{Key: "entry", Value: "\xa4/old"})
	s.visit(j, func(v *SteppedSession) {
		if got, err := v.EnsureLanding(t.Context(), "/new"); got != "/old" || err != nil {
			t.Errorf("ensured %q, %v", got, err)
		}
		v.ClearLanding()
		if got, err := v.EnsureLanding(t.Context(), "/new"); got != "/new" || err != nil {
			t.Errorf("ensured %q, %v", got, err)
		}
	})
	s.visit(j, func(v *SteppedSession) {
		if v.Landing() != "/new" {
			t.Errorf("landing %q", v.Landing())
		}
	})
}

// steppedSocket is a live connection with a stepped session.
type steppedSocket struct {
	site    *stepsite
	session *SteppedSession
	ctx     context.Context
	urls    []string
}

func (c *steppedSocket) ExecuteJS(context.Context, string) error { return nil }

func (c *steppedSocket) SyncBrowserState(_ context.Context, url string) error {
	c.urls = append(c.urls, url)
	return nil
}

func (s *stepsite) connect(j *jar) *steppedSocket {
	c := &steppedSocket{site: s}
	r := httptest.NewRequest("GET", "https://shop.example/lively", nil)
	if j.cookie != "" {
		r.Header.Set("Cookie", "stepped="+j.cookie)
	}
	s.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.ctx, c.session = r.Context(), SteppedFrom(r.Context())
		_ = c.session.Load(c.ctx)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			s.t.Fatal(err)
		}
		_ = conn.Close()
	})).ServeHTTP(hijackable{httptest.NewRecorder()}, r)
	return c
}

func (c *steppedSocket) event(handle func(s *SteppedSession) error) error {
	return c.site.LivelyEvent(c.ctx, c, c.session, func(ctx context.Context) error { return handle(SteppedFrom(ctx)) })
}

func TestL1StepsInLiveEvents(t *testing.T) {
	s, j := newStepsite(t, storeFormats[0].newStore(t)), &jar{}
	s.visit(j, func(v *SteppedSession) { v.SetState("one"); v.SetSecret("two") })
	c := s.connect(j)
	failed := errors.New("failed")
	if err := c.event(func(v *SteppedSession) error {
		v.SetName("Ada")
		if got, ok, err := v.ClaimState(c.ctx); got != "one" || !ok || err != nil {
			t.Errorf("claimed %q, %v, %v", got, ok, err)
		}
		if got, err := v.EnsureCSRF(c.ctx, "three"); got != "three" || err != nil {
			t.Errorf("ensured %q, %v", got, err)
		}
		return failed
	}); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	s.events.Store(0)
	if got, ok, err := c.session.ClaimSecret(c.ctx); got != "two" || !ok || err != nil {
		t.Errorf("claimed %q, %v, %v outside of an event", got, ok, err)
	}
	if n := s.events.Load(); n != 1 {
		t.Errorf("%d events tell of it", n)
	}
	if err := c.event(func(v *SteppedSession) error {
		if _, ok, _ := v.ClaimState(c.ctx); ok || v.CSRF() != "three" || v.Name() != "" {
			t.Errorf("claimed again: %v, %q, name %q", ok, v.CSRF(), v.Name())
		}
		return nil
	}); err != nil || len(c.urls) > 0 {
		t.Errorf("%v, told %q", err, c.urls)
	}
}

func TestL3ASessionThatAnEventEnsuresIsFetched(t *testing.T) {
	s, j := newStepsite(t, storeFormats[0].newStore(t)), &jar{}
	c := s.connect(j)
	if _, err := c.session.EnsureCSRF(c.ctx, "one"); !errors.Is(err, runtime.ErrTooLate) {
		t.Errorf("a new session outside of an event: %v", err)
	}
	if err := c.event(func(v *SteppedSession) error {
		v.SetName("Ada")
		got, err := v.EnsureCSRF(c.ctx, "one")
		if got != "one" || !slices.Equal(v.DirtyFields(), []string{"name"}) {
			t.Errorf("ensured %q, dirty: %q", got, v.DirtyFields())
		}
		return err
	}); err != nil || len(c.urls) != 1 {
		t.Fatalf("%v, told %q", err, c.urls)
	}
	r := httptest.NewRequest("POST", "https://shop.example"+c.urls[0], nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "cors")
	r.Header.Set("Sec-Fetch-Dest", "empty")
	w := httptest.NewRecorder()
	s.SyncHandler().ServeHTTP(w, r)
	for _, cookie := range w.Result().Cookies() {
		j.cookie = cookie.Value
	}
	s.visit(j, func(v *SteppedSession) {
		if v.CSRF() != "one" || v.Name() != "Ada" {
			t.Errorf("stored: %q, %q", v.CSRF(), v.Name())
		}
	})
}

func TestEnsureThatCannotEndADestroyedSessionSaysSo(t *testing.T) {
	s, j := newStepsite(t, storeFormats[0].newStore(t)), &jar{}
	s.visit(j, func(v *SteppedSession) { v.SetName("Ada") })
	s.visit(j, func(v *SteppedSession) {
		v.Destroy()
		outages := 1
		s.store.setFail(func(string) error {
			if outages--; outages == 0 {
				return errOutage
			}
			return nil
		})
		if got, err := v.EnsureCSRF(t.Context(), "token"); !errors.Is(err, errOutage) || got != "" {
			t.Errorf("EnsureCSRF = %q, %v, want %v", got, err, errOutage)
		}
		s.store.setFail(nil)
	})
}
