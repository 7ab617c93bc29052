package sessiontest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

func TestL1HandshakeLoads(t *testing.T) {
	s := newSite(t)
	b := s.known()
	b.connect()
	if got := s.store.took(); got != "load" {
		t.Errorf("a handshake that touches nothing: calls %q, want one load", got)
	}
}

func TestL1SwitchingProtocolsLoadsASessionThatTheHandshakeUses(t *testing.T) {
	s := newSite(t)
	b := s.known()
	b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		v.AddViews(1)
		w.WriteHeader(http.StatusSwitchingProtocols)
	})
	if got := s.store.took(); got != "load update" {
		t.Errorf("a 101 response: calls %q, want one load and the commit", got)
	}
}

// hijackUntouched takes a connection over without a use of the session.
func (b *browser) hijackUntouched(then func(ctx context.Context, v *VisitorSession)) *http.Response {
	b.site.t.Helper()
	r := httptest.NewRequest("GET", "https://shop.example/lively", nil)
	r.Header.Set("Cookie", b.header())
	w := hijackable{httptest.NewRecorder()}
	b.site.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			b.site.t.Fatal(err)
		}
		_ = conn.Close()
		then(r.Context(), VisitorFrom(r.Context()))
	})).ServeHTTP(w, r)
	return w.Result()
}

func TestL1AHijackThatNeverUsesItsSessionLoadsNothing(t *testing.T) {
	for name, fail := range map[string]error{"": nil, "during an outage": errOutage} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.known()
			s.store.fail = func(string) error { return fail }
			res := b.hijackUntouched(func(context.Context, *VisitorSession) {})
			wantAnswer(t, res, http.StatusOK) // the recorder's: nothing was written
			wantCalls(t, s, "")
		})
	}
}

func TestL1AHijackedConnectionLoadsWhenItIsALiveOne(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := &socket{browser: b}
	b.hijackUntouched(func(ctx context.Context, v *VisitorSession) {
		c.ctx, c.session = ctx, v
		v.SetTheme("lost")
	})
	wantEvents(t, s, runtime.EventOutsideEvent)
	wantCalls(t, s, "")
	c.must(func(v *VisitorSession) { v.AddViews(1) })
	wantEvents(t, s, runtime.EventDiscarded)
	wantCalls(t, s, "load update")
	s.store.fail = func(string) error { return errOutage }
	b.hijackUntouched(func(ctx context.Context, v *VisitorSession) {
		wantErr(t, s.LivelyEvent(ctx, c, v, func(context.Context) error { return nil }), errOutage)
	})
}

// TestL1WhatCannotBeginSaysSo calls each function of a live connection as the first
// one of a hijacked handshake.
func TestL1WhatCannotBeginSaysSo(t *testing.T) {
	for name, begin := range map[string]func(*site, *closer) error{
		"LivelyConnect": func(s *site, c *closer) error {
			_, err := s.LivelyConnect(c.ctx, c, c.session)
			return err
		},
		"LivelyEvent":        func(_ *site, c *closer) error { return c.act(func(*VisitorSession) error { return nil }) },
		"ProcessLivelyEvent": func(s *site, c *closer) error { return s.ProcessLivelyEvent(c.ctx, c, c.session) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.known()
			first := func(ctx context.Context) error {
				return begin(s, &closer{socket: &socket{browser: b, ctx: ctx, session: VisitorFrom(ctx)}})
			}
			wantErr(t, first(t.Context()), runtime.ErrNoMiddleware)
			b.hijackUntouched(func(ctx context.Context, _ *VisitorSession) {
				s.store.fail = func(string) error { return errOutage }
				wantErr(t, first(ctx), errOutage)
			})
		})
	}
}

func TestL1HandshakeFailsWhileTheStoreIsDown(t *testing.T) {
	s := newSite(t)
	b := s.known()
	s.store.fail = func(string) error { return errOutage }
	r := httptest.NewRequest("GET", "https://shop.example/lively", nil)
	r.Header.Set("Cookie", "shop="+b.cookie)
	w := hijackable{httptest.NewRecorder()}
	s.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = VisitorFrom(r.Context()).Load(r.Context())
		if _, _, err := http.NewResponseController(w).Hijack(); err == nil {
			t.Error("the connection was taken over by a handshake whose session could not be loaded")
		}
	})).ServeHTTP(w, r)
	wantStatus(t, "handshake during an outage", w.Code, http.StatusServiceUnavailable)
}

func TestL1HandshakeCommitsAtTheUpgradeAndNotAtItsEnd(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect(func(v *VisitorSession) { v.SetTheme("dark") })
	if got := s.store.took(); got != "load update" {
		t.Errorf("calls %q, want the handshake loaded and its change committed", got)
	}
	c.session.SetName("lost")
	b.visit(func(v *VisitorSession) {
		if v.Theme() != "dark" || v.Name() != "Ada" {
			t.Errorf("theme %q, name %q: want what was written before the upgrade alone", v.Theme(), v.Name())
		}
	})
}

func TestL1EventLoadsAtItsFirstTouch(t *testing.T) {
	s := newSite(t)
	c := s.known().connect()
	s.store.took()
	c.must(func(*VisitorSession) {})
	if got := s.store.took(); got != "" {
		t.Errorf("an event that touches nothing: calls %q, want none", got)
	}
	c.must(func(v *VisitorSession) { v.Name(); v.Theme() })
	if got := s.store.took(); got != "load" {
		t.Errorf("an event that reads: calls %q, want one load", got)
	}
	c.must(func(v *VisitorSession) { v.SetTheme("dark") })
	if got := s.store.took(); got != "update" {
		t.Errorf("an event that writes: calls %q, want one update", got)
	}
}

func TestL1EventSeesWhatOthersWrote(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	c.must(func(v *VisitorSession) { v.Name() })
	b.visit(func(v *VisitorSession) { v.SetName("Grace") })
	c.must(func(v *VisitorSession) {
		if got := v.Name(); got != "Grace" {
			t.Errorf("name %q in an event, want what a request stored meanwhile", got)
		}
	})
}

func TestL1WriteOutsideAnEventRaisesAnEvent(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	c.session.SetName("outside")
	if got := s.kinds(); !slices.Equal(got, []runtime.EventKind{runtime.EventOutsideEvent}) {
		t.Errorf("a write between events raised %q", got)
	}
	c.must(func(v *VisitorSession) {
		if got := v.Name(); got != "Ada" {
			t.Errorf("name %q: an event began with what was written outside", got)
		}
	})
	if got := s.kinds(); !slices.Equal(got, []runtime.EventKind{runtime.EventDiscarded}) {
		t.Errorf("the next event raised %q, want that the change was discarded", got)
	}
}

func TestL1EventDiscardsWhateverWasUnsavedWithAnEvent(t *testing.T) {
	changes := map[string]func(*VisitorSession){
		"write":   func(v *VisitorSession) { v.SetName("x") },
		"renew":   func(v *VisitorSession) { v.Renew() },
		"expiry":  func(v *VisitorSession) { v.SetExpiry(begin.Add(time.Hour)) },
		"destroy": func(v *VisitorSession) { v.Destroy() },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.known()
			c := b.connect()
			change(c.session)
			s.kinds()
			c.must(func(v *VisitorSession) {
				if got := v.Name(); got != "Ada" || v.Dirty() {
					t.Errorf("name %q, dirty %v at the start of an event, want it fresh", got, v.Dirty())
				}
			})
			if got := s.kinds(); !slices.Equal(got, []runtime.EventKind{runtime.EventDiscarded}) {
				t.Errorf("events %q, want one that tells of the discarded change", got)
			}
			if got := b.name(); got != "Ada" {
				t.Errorf("name %q, want it as it was", got)
			}
		})
	}
}

func TestL1SaveOutsideAnEventStoresWhatNeedsNoCookie(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	c.session.SetTheme("dark")
	if err := c.session.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.visit(func(v *VisitorSession) {
		if got := v.Theme(); got != "dark" {
			t.Errorf("theme %q, want what was saved", got)
		}
	})
}

func TestL1SaveOutsideAnEventIsTooLateForACookie(t *testing.T) {
	s := newSite(t)
	b := s.known()
	changes := map[string]func(*VisitorSession){
		"renewal": func(v *VisitorSession) { v.Renew() },
		"sign-in": func(v *VisitorSession) { v.SetUserID(7) },
	}
	for name, change := range changes {
		c := b.connect()
		change(c.session)
		if err := c.session.Save(t.Context()); !errors.Is(err, runtime.ErrTooLate) {
			t.Errorf("%s: Save between events: %v, want ErrTooLate", name, err)
		}
	}
	fresh := s.browser().connect()
	fresh.session.SetName("x")
	if err := fresh.session.Save(t.Context()); !errors.Is(err, runtime.ErrTooLate) {
		t.Errorf("new session: Save between events: %v, want ErrTooLate", err)
	}
	if got := b.name(); got != "Ada" || b.user() != 0 {
		t.Errorf("name %q, user %d: what was too late was stored", got, b.user())
	}
}

func TestL1ExpirySavedOutsideAnEventKeepsTheCookie(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	s.kinds()
	c.session.SetExpiry(begin.Add(time.Hour))
	if err := c.session.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.kinds(); !slices.Contains(got, runtime.EventCookieLate) {
		t.Errorf("events %q, want that the cookie stayed as it was", got)
	}
	c.must(func(*VisitorSession) {})
	if got := c.told(); got != "" {
		t.Errorf("the page was told %q by a later event", got)
	}
}

func TestL1EventThatFailsDiscards(t *testing.T) {
	changes := map[string]func(*VisitorSession){
		"write":   func(v *VisitorSession) { v.SetName("lost"); v.AddViews(1) },
		"renew":   func(v *VisitorSession) { v.Renew() },
		"sign-in": func(v *VisitorSession) { v.SetUserID(7) },
		"expiry":  func(v *VisitorSession) { v.SetExpiry(begin.Add(time.Hour)) },
		"destroy": func(v *VisitorSession) { v.Destroy(); v.SetName("lost") },
	}
	failed := errors.New("handler failed")
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.known()
			c := b.connect()
			s.store.took()
			if err := c.run(func(v *VisitorSession) error { change(v); return failed }); !errors.Is(err, failed) {
				t.Errorf("got error %v, want the handler's", err)
			}
			wantDiscarded(t, s, c)
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the handler's panic was swallowed")
					}
				}()
				_ = c.event(func(v *VisitorSession) { change(v); panic("boom") })
			}()
			wantDiscarded(t, s, c)
		})
	}
}

// wantDiscarded demands that nothing was stored or told and that the connection
// still has its session.
func wantDiscarded(t *testing.T, s *site, c *socket) {
	t.Helper()
	if got := strings.ReplaceAll(strings.ReplaceAll(s.store.took(), "load", ""), " ", ""); got != "" {
		t.Errorf("calls %q after a failed handler, want no write", got)
	}
	if got := c.told(); got != "" {
		t.Errorf("the page was told %q", got)
	}
	if c.session.Dirty() {
		t.Error("the session is dirty after the event")
	}
	c.must(func(v *VisitorSession) {
		if got := v.Name(); got != "Ada" || v.UserID() != 0 || v.Views() != 0 {
			t.Errorf("the next event finds name %q, user %d, views %d: want the session as it was", got, v.UserID(), v.Views())
		}
	})
	s.store.took()
}

func TestL1WhatAFailedEventSavedIsDelivered(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	failed := errors.New("handler failed")
	err := c.run(func(v *VisitorSession) error {
		v.SetUserID(7)
		if err := v.Save(t.Context()); err != nil {
			t.Error(err)
		}
		v.SetName("lost")
		return failed
	})
	if !errors.Is(err, failed) {
		t.Errorf("got error %v", err)
	}
	wantStatus(t, "redeeming what was saved", c.sync(), http.StatusNoContent)
	if got := b.user(); got != 7 {
		t.Errorf("user %d, want the saved sign-in", got)
	}
	if got := b.name(); got != "Ada" {
		t.Errorf("name %q, want what was not saved discarded", got)
	}
}

func TestR4SaveInsideAnEventIsDeliveredAtItsEnd(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	c := b.connect()
	c.must(func(v *VisitorSession) {
		v.SetName("Ada")
		if err := v.Save(t.Context()); err != nil {
			t.Error(err)
		}
		if got := c.told(); got != "" {
			t.Errorf("the page was told %q inside the event", got)
		}
		v.SetTheme("dark")
	})
	wantStatus(t, "redemption", c.sync(), http.StatusNoContent)
	b.visit(func(v *VisitorSession) {
		if v.Name() != "Ada" || v.Theme() != "dark" {
			t.Errorf("name %q, theme %q, want both deltas", v.Name(), v.Theme())
		}
	})
}

func TestL1ProcessLivelyEventLeavesTheSessionUnloadedAndClean(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	s.store.took()
	c.must(func(v *VisitorSession) { v.Name(); v.SetTheme("dark") })
	s.store.fail = func(call string) error {
		if call == "update" {
			return errOutage
		}
		return nil
	}
	if err := c.event(func(v *VisitorSession) { v.Name(); v.SetTheme("blue") }); !errors.Is(err, errOutage) {
		t.Errorf("an event whose commit fails: %v, want the store's error", err)
	}
	if c.session.Dirty() {
		t.Error("dirty after a failed commit")
	}
	s.store.fail = nil
	s.store.took()
	c.must(func(v *VisitorSession) {
		if got := v.Theme(); got != "dark" {
			t.Errorf("theme %q, want what is stored", got)
		}
		if v.Err() != nil {
			t.Errorf("Err %v from an earlier event", v.Err())
		}
	})
	if got := s.store.took(); got != "load" {
		t.Errorf("calls %q, want the record loaded anew", got)
	}
}

func TestL1ProcessLivelyEventCommitsByItself(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	c.session.SetTheme("dark")
	if err := s.ProcessLivelyEvent(c.ctx, c, c.session); err != nil {
		t.Fatal(err)
	}
	c.session.SetUserID(7)
	if err := s.ProcessLivelyEvent(c.ctx, c, c.session); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, "redemption", c.sync(), http.StatusNoContent)
	b.visit(func(v *VisitorSession) {
		if v.Theme() != "dark" || v.UserID() != 7 {
			t.Errorf("theme %q, user %d, want both commits", v.Theme(), v.UserID())
		}
	})
}

func TestL1EventsRunOneAfterTheOther(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	running, most := 0, 0
	var events sync.WaitGroup
	for range 32 {
		events.Go(func() {
			_ = c.event(func(v *VisitorSession) {
				running++ // without a lock: the race detector would see two events at once
				most = max(most, running)
				v.SetViews(v.Views() + 1)
				for range 100 {
					goruntime.Gosched() // to the other events, if they could run
				}
				running--
			})
		})
	}
	events.Wait()
	b.visit(func(v *VisitorSession) {
		if most != 1 || v.Views() != 32 {
			t.Errorf("%d events at once, %d views after 32 events", most, v.Views())
		}
	})
}

func TestL1EventBesideARequestOfTheSameVisitor(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	var both sync.WaitGroup
	both.Go(func() {
		for range 50 {
			if err := c.event(func(v *VisitorSession) { v.Name(); v.AddViews(1); v.AddCartItem("socket", 1) }); err != nil {
				t.Error(err)
			}
		}
	})
	both.Go(func() {
		for range 50 {
			b.clone().visit(func(v *VisitorSession) { v.Name(); v.AddViews(1); v.AddCartItem("http", 1) })
		}
	})
	both.Wait()
	b.visit(func(v *VisitorSession) {
		socket, _ := v.CartItem("socket")
		http, _ := v.CartItem("http")
		if v.Views() != 100 || socket != 50 || http != 50 {
			t.Errorf("views %d, cart %d and %d, want 100, 50 and 50", v.Views(), socket, http)
		}
	})
}

func TestL1EventBindsItsContextToLazyLoads(t *testing.T) {
	s := newSite(t)
	c := s.known().connect()
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	err := s.LivelyEvent(ctx, c, c.session, func(context.Context) error {
		c.session.Name()
		return c.session.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a read under a cancelled context: %v, want that it was cancelled", err)
	}
	c.must(func(v *VisitorSession) {
		if got := v.Name(); got != "Ada" {
			t.Errorf("name %q in the next event", got)
		}
	})
}

func TestL1EventContextCarriesTheSession(t *testing.T) {
	s := newSite(t)
	c := s.known().connect()
	err := s.LivelyEvent(context.Background(), c, c.session, func(ctx context.Context) error {
		VisitorFrom(ctx).SetTheme("dark")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.store.took(); got != "load update" {
		t.Errorf("calls %q, want the write of the event's own session", got)
	}
}

func TestL1SlowPageHoldsUpOnlyItsOwnEvents(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	c := b.connect()
	c.hold = make(chan struct{})
	done := make(chan error, 1)
	go func() { done <- c.event(func(v *VisitorSession) { v.SetName("Ada") }) }()
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	other := b.connect()
	other.must(func(v *VisitorSession) { v.SetName("Grace") })
	close(c.hold)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	c.hold = make(chan struct{})
	err := s.LivelyEvent(ctx, c, c.session, func(context.Context) error { c.session.Renew(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a page that never answers: %v, want the event's context to end the wait", err)
	}
}

func TestL1PageThatCannotBeToldIsAnErrorAfterTheCommit(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	c.fail = errors.New("page gone")
	if err := c.event(func(v *VisitorSession) { v.SetName("Grace"); v.Renew() }); !errors.Is(err, c.fail) {
		t.Errorf("got %v, want the connection's error", err)
	}
	if got := b.name(); got != "Grace" {
		t.Errorf("name %q, want the event's change stored", got)
	}
}

func TestL1LivelyWithoutHijack(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := &socket{browser: b}
	b.do(func(_ http.ResponseWriter, r *http.Request, v *VisitorSession) {
		c.ctx, c.session = context.WithoutCancel(r.Context()), v
	})
	c.must(func(v *VisitorSession) {
		if got := v.Name(); got != "Ada" {
			t.Errorf("name %q in an event after the response", got)
		}
		v.SetUserID(7)
	})
	wantStatus(t, "redemption", c.sync(), http.StatusNoContent)
	if got := b.user(); got != 7 {
		t.Errorf("user %d, want the sign-in", got)
	}
}

func TestL1LivelyOfAFrameworkWithoutHandlers(t *testing.T) {
	s := newSite(t)
	b := s.known()
	r := httptest.NewRequest("GET", "https://shop.example/lively", nil)
	r.Header.Set("Cookie", "shop="+b.cookie)
	r = s.ProcessRequest(r)
	w := httptest.NewRecorder()
	if err := s.ProcessResponse(w, r); err != nil {
		t.Fatal(err)
	}
	c := &socket{browser: b, session: VisitorFrom(r.Context()), ctx: r.Context()}
	c.must(func(v *VisitorSession) { v.SetUserID(7) })
	wantStatus(t, "redemption", c.sync(), http.StatusNoContent)
	if got := b.user(); got != 7 {
		t.Errorf("user %d, want the sign-in", got)
	}
}

func TestL1EventHandlersCanBeTestedWithoutAStore(t *testing.T) {
	s := newSite(t)
	ctx, v := WithVisitor(t.Context(), Visitor{Name: "Ada"})
	c := &socket{browser: s.browser(), session: v, ctx: ctx}
	c.must(func(v *VisitorSession) { v.SetTheme(v.Name()) })
	if v.Name() != "Ada" || v.Theme() != "Ada" {
		t.Errorf("name %q, theme %q after an event without a store", v.Name(), v.Theme())
	}
}

func TestR7SessionThatEndedElsewhereEndsOnTheConnection(t *testing.T) {
	ends := map[string]func(*site, *browser){
		"destroyed": func(_ *site, b *browser) { b.clone().visit(func(v *VisitorSession) { v.Destroy() }) },
		"expired":   func(s *site, _ *browser) { s.now = s.now.Add(168 * time.Hour) },
	}
	acts := map[string]func(*VisitorSession){
		"read":           func(v *VisitorSession) { v.Name() },
		"write":          func(v *VisitorSession) { v.SetName("Grace") },
		"read and write": func(v *VisitorSession) { v.SetName(v.Name() + "!") },
		"sign in":        func(v *VisitorSession) { v.SetUserID(7) },
		"renew":          func(v *VisitorSession) { v.Renew() },
	}
	for how, end := range ends {
		for what, act := range acts {
			t.Run(how+", then "+what, func(t *testing.T) {
				s := newSite(t)
				b := s.known()
				c := b.connect()
				end(s, b)
				for range 2 {
					s.store.took()
					if err := c.event(act); !errors.Is(err, runtime.ErrEnded) {
						t.Errorf("got %v, want ErrEnded", err)
					}
					if got := s.store.took(); strings.Contains(got, "create") {
						t.Errorf("calls %q: the connection made a new session", got)
					}
					if got := c.told(); got != "" {
						t.Errorf("the page was told %q", got)
					}
				}
				if got := b.name(); got != "" {
					t.Errorf("name %q: the session came back", got)
				}
			})
		}
	}
}

func TestR7HourOldConnection(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Idle = 90 * time.Minute })
	b := s.known()
	c := b.connect()
	c.must(func(v *VisitorSession) { v.Name(); v.Theme() })
	s.now = s.now.Add(time.Hour)
	b.visit(func(v *VisitorSession) { v.SetName("Grace"); v.SetCartItem("a", 2) })
	s.store.took()
	c.must(func(v *VisitorSession) {
		if v.Name() != "Grace" {
			t.Errorf("name %q an hour later, want the fresh one", v.Name())
		}
		v.SetTheme("dark")
	})
	if got := len(s.store.deltas); got != 1 || len(s.store.deltas[0].Ops) != 1 {
		t.Errorf("%d deltas, want one with the theme alone", got)
	}
	b.visit(func(v *VisitorSession) {
		n, _ := v.CartItem("a")
		if v.Name() != "Grace" || n != 2 || v.Theme() != "dark" {
			t.Errorf("name %q, cart %d, theme %q: the connection wrote back what was stale", v.Name(), n, v.Theme())
		}
	})
}

func TestT6EventsAreActivityAndPingsAreNot(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Idle = time.Hour })
	c := s.known().connect()
	for range 4 {
		s.now = s.now.Add(50 * time.Minute)
		c.must(func(v *VisitorSession) { v.Name() })
	}
	s.now = s.now.Add(30 * time.Minute)
	c.must(func(*VisitorSession) {}) // touches nothing, as a ping
	s.now = s.now.Add(30 * time.Minute)
	if err := c.event(func(v *VisitorSession) { v.Name() }); !errors.Is(err, runtime.ErrEnded) {
		t.Errorf("an hour after the last event that touched the session: %v, want ErrEnded", err)
	}
}

func TestR6EventDuringAnOutage(t *testing.T) {
	for _, closed := range []bool{false, true} {
		s := newSite(t, func(c *runtime.Config) { c.FailClosed = closed })
		b := s.known()
		c := b.connect()
		s.store.fail = func(string) error { return errOutage }
		err := c.event(func(v *VisitorSession) {
			if v.Name() != "" || !errors.Is(v.Err(), errOutage) {
				t.Errorf("name %q, Err %v during an outage", v.Name(), v.Err())
			}
		})
		if got := errors.Is(err, errOutage); got != closed {
			t.Errorf("FailClosed %v: a read during an outage returns %v", closed, err)
		}
		if err := c.event(func(v *VisitorSession) { v.Name(); v.SetName("x") }); !errors.Is(err, errOutage) {
			t.Errorf("a write after a failed load: %v, want the outage", err)
		}
		if err := c.event(func(v *VisitorSession) { v.Destroy() }); !errors.Is(err, errOutage) {
			t.Errorf("a destruction during an outage: %v, want the outage", err)
		}
		s.store.fail = nil
		c.must(func(v *VisitorSession) {
			if got := v.Name(); got != "Ada" {
				t.Errorf("name %q after the outage, want the session back", got)
			}
		})
		if got := c.told(); got != "" {
			t.Errorf("the page was told %q: an outage is not a logout", got)
		}
	}
}
