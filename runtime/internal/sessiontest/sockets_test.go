package sessiontest

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/sqlitestore"
)

// closer is a socket that its session can close.
type closer struct {
	*socket
	ends       chan runtime.LivelyEnd
	disconnect func()
	toldLate   bool // something, after it was closed
}

func (c *closer) SyncBrowserState(ctx context.Context, url string) error {
	c.toldLate = c.toldLate || len(c.ends) > 0
	return c.socket.SyncBrowserState(ctx, url)
}

func (c *closer) CloseLively(end runtime.LivelyEnd) { c.ends <- end }

// closable makes a connection of the browser one that its session can close.
func (b *browser) closable() *closer {
	b.site.t.Helper()
	c := &closer{socket: b.connect(), ends: make(chan runtime.LivelyEnd, 8)}
	disconnect, err := b.site.LivelyConnect(c.ctx, c, c.session)
	if err != nil {
		b.site.t.Fatal(err)
	}
	c.disconnect = disconnect
	b.site.t.Cleanup(disconnect)
	return c
}

// act runs one event that is told to this connection.
func (c *closer) act(handle func(s *VisitorSession) error) error {
	return c.browser.site.LivelyEvent(c.ctx, c, c.session, func(ctx context.Context) error {
		return handle(VisitorFrom(ctx))
	})
}

func (c *closer) do(handle func(s *VisitorSession)) {
	c.browser.site.t.Helper()
	if err := c.act(func(s *VisitorSession) error { handle(s); return nil }); err != nil {
		c.browser.site.t.Fatal(err)
	}
}

// runLive runs a subtest whose goroutines can be waited for: what a store notifies
// of is looked at in one of its own.
func runLive(t *testing.T, name string, test func(*testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// closed demands that the connection was told to close, once, for this reason.
func (c *closer) closed(what string, want runtime.LivelyEnd) {
	c.browser.site.t.Helper()
	synctest.Wait()
	if len(c.ends) != 1 {
		c.browser.site.t.Fatalf("%s: the connection was closed %d times, want once", what, len(c.ends))
	}
	if got := <-c.ends; got != want {
		c.browser.site.t.Errorf("%s: closed because %q, want %q", what, got, want)
	}
}

func (c *closer) open(what string) {
	c.browser.site.t.Helper()
	synctest.Wait()
	if len(c.ends) != 0 {
		c.browser.site.t.Errorf("%s: the connection was closed because %q", what, <-c.ends)
	}
}

func TestL2EveryEndClosesAllSockets(t *testing.T) {
	for name, end := range map[string]func(*site, *browser){
		"destroyed by a request": func(_ *site, b *browser) { b.clone().visit(func(v *VisitorSession) { v.Destroy() }) },
		"revoked": func(s *site, _ *browser) {
			if n, err := s.RevokeByUserID(s.t.Context(), 7); n != 1 || err != nil {
				s.t.Fatalf("RevokeByUserID = %d, %v", n, err)
			}
		},
		"destroyed through the index": func(s *site, _ *browser) {
			for v, err := range s.FindByUserID(s.t.Context(), 7) {
				if err != nil {
					s.t.Fatal(err)
				}
				v.Destroy()
				if err := v.Save(s.t.Context()); err != nil {
					s.t.Fatal(err)
				}
			}
		},
		"destroyed by another socket": func(_ *site, b *browser) { b.clone().connect().must(func(v *VisitorSession) { v.Destroy() }) },
	} {
		runLive(t, name, func(t *testing.T) {
			s := newSite(t)
			b, other := s.known(), s.known()
			b.visit(func(v *VisitorSession) { v.SetUserID(7) })
			one, two, stranger := b.closable(), b.closable(), other.closable()
			end(s, b)
			one.closed("first socket", runtime.LivelyEnded)
			two.closed("second socket", runtime.LivelyEnded)
			stranger.open("socket of another session")
		})
	}
}

func TestL2ReuseClosesTheSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.known()
		old := b.clone()
		b.visit(func(v *VisitorSession) { v.Renew() })
		b.name()
		c := b.closable()
		s.now = s.now.Add(time.Minute)
		old.name()
		c.closed("a reused token", runtime.LivelyEnded)
	})
}

func TestL2TheSocketThatEndsItsSessionIsToldFirst(t *testing.T) {
	for name, act := range map[string]func(*VisitorSession){
		"sign-out":                func(v *VisitorSession) { v.Destroy() },
		"sign-out with a message": func(v *VisitorSession) { v.Destroy(); v.SetName("gone") },
	} {
		runLive(t, name, func(t *testing.T) {
			s := newSite(t)
			b := s.known()
			c := b.closable()
			c.do(act)
			if c.toldLate {
				t.Error("the page was told after its connection was closed")
			}
			c.closed("after it told the page", runtime.LivelyEnded)
			wantStatus(t, "the fetch afterwards", c.sync(), http.StatusNoContent)
		})
	}
}

func TestL2RenewalSendsTheOtherSocketsToReconnect(t *testing.T) {
	for name, renew := range map[string]func(*VisitorSession){
		"sign-in": func(v *VisitorSession) { v.SetUserID(7) },
		"renewal": func(v *VisitorSession) { v.Renew() },
	} {
		runLive(t, name, func(t *testing.T) {
			s := newSite(t)
			b := s.known()
			one, two := b.closable(), b.closable()
			one.do(renew)
			one.open("the socket that renewed")
			two.closed("the other socket", runtime.LivelyReconnect)
			wantStatus(t, "redemption", one.sync(), http.StatusNoContent)
			one.open("the socket whose ticket was redeemed")
			s.now = s.now.Add(time.Hour)
			one.do(func(v *VisitorSession) { v.SetName("Grace") })
			if got := b.name(); got != "Grace" {
				t.Errorf("name %q: the socket whose ticket was redeemed has stored nothing", got)
			}
			again := b.closable()
			again.open("a socket with the new cookie")
			again.do(func(v *VisitorSession) { v.Renew() })
			again.do(func(v *VisitorSession) { v.Renew() })
			again.open("a socket that renewed twice")
			one.closed("after another socket has renewed", runtime.LivelyReconnect)
		})
	}
}

func TestL2RenewalByARequestSendsAllSocketsToReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.known()
		c := b.closable()
		b.visit(func(v *VisitorSession) { v.SetUserID(7) })
		c.closed("after a sign-in by a request", runtime.LivelyReconnect)
	})
}

func TestL2ChangesDuringAnEventAreJudgedAfterIt(t *testing.T) {
	type change struct {
		name   string
		during func(*browser)
		act    func(*VisitorSession)
		want   runtime.LivelyEnd
	}
	for _, x := range []change{
		{"ended elsewhere", func(b *browser) { b.clone().visit(func(v *VisitorSession) { v.Destroy() }) },
			func(*VisitorSession) {}, runtime.LivelyEnded},
		{"renewed elsewhere", func(b *browser) { b.clone().visit(func(v *VisitorSession) { v.Renew() }) },
			func(*VisitorSession) {}, runtime.LivelyReconnect},
		{"signed in elsewhere, then here", func(b *browser) { b.clone().visit(func(v *VisitorSession) { v.SetUserID(7) }) },
			func(v *VisitorSession) { v.SetUserID(8) }, runtime.LivelyReconnect},
	} {
		runLive(t, x.name, func(t *testing.T) {
			s := newSite(t)
			b := s.known()
			c := b.closable()
			_ = c.act(func(v *VisitorSession) error {
				x.during(b)
				c.open("inside the event")
				x.act(v)
				return nil
			})
			c.closed("after the event", x.want)
		})
	}
}

func TestL2SessionBegunByASocketIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		c := b.closable()
		c.do(func(v *VisitorSession) { v.SetUserID(7) })
		wantStatus(t, "redemption", c.sync(), http.StatusNoContent)
		c.open("after the redemption")
		b.visit(func(v *VisitorSession) { v.Renew() })
		c.closed("after a renewal by a request", runtime.LivelyReconnect)

		c = s.browser().closable()
		c.do(func(v *VisitorSession) { v.SetUserID(8) })
		if _, err := s.RevokeByUserID(t.Context(), 8); err != nil {
			t.Fatal(err)
		}
		c.closed("after the revocation", runtime.LivelyEnded)
	})
}

// Of a session that the event itself has begun nobody else knows, unless the store has
// notified of a change meanwhile.
func TestL2AnEventThatBeginsASessionChecksItOnce(t *testing.T) {
	for name, x := range map[string]struct {
		meanwhile func(*site)
		want      string
	}{
		"undisturbed":       {func(*site) {}, "create"},
		"beside other ends": {func(s *site) { s.known().visit(func(v *VisitorSession) { v.Destroy() }) }, "load delete create load"},
	} {
		runLive(t, name, func(t *testing.T) {
			s := newSite(t)
			c := s.browser().closable()
			s.known().visit(func(v *VisitorSession) { v.Destroy() }) // which the connection hears of, before the event
			s.store.took()
			c.do(func(v *VisitorSession) {
				x.meanwhile(s)
				v.SetName("Grace")
			})
			c.open("after the event")
			wantCalls(t, s, x.want)
		})
	}
}

func TestL2RevocationBetweenSaveAndTheEndOfTheEventIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		c := s.browser().closable()
		c.do(func(v *VisitorSession) {
			v.SetUserID(7)
			if err := v.Save(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n, err := s.RevokeByUserID(t.Context(), 7); n != 1 || err != nil {
				t.Fatalf("RevokeByUserID = %d, %v", n, err)
			}
		})
		c.closed("after the event", runtime.LivelyEnded)
	})
}

func TestL2WhatHappenedBeforeConnectingIsSeen(t *testing.T) {
	for name, x := range map[string]struct {
		change func(*VisitorSession)
		want   runtime.LivelyEnd
	}{
		"ended":     {func(v *VisitorSession) { v.Destroy() }, runtime.LivelyEnded},
		"signed in": {func(v *VisitorSession) { v.SetUserID(7) }, runtime.LivelyReconnect},
	} {
		runLive(t, name, func(t *testing.T) {
			s := newSite(t)
			b := s.known()
			c := &closer{socket: b.connect(), ends: make(chan runtime.LivelyEnd, 8)}
			b.clone().visit(x.change)
			disconnect, err := s.LivelyConnect(c.ctx, c, c.session)
			if err != nil {
				t.Fatal(err)
			}
			defer disconnect()
			c.closed("at once", x.want)
		})
	}
}

func TestL2ConnectingWithARenewedTokenIsGivenTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.known()
		page := b.clone()
		b.visit(func(v *VisitorSession) { v.Renew() })
		b.name()
		c := page.closable()
		c.open("in the grace")
		time.Sleep(time.Minute)
		c.closed("after the grace", runtime.LivelyReconnect)
	})
}

// The answer to a sign-in was lost, and no other cookie comes.
func TestL2ConnectingWithATokenThatASignInEndedLeavesTimeToSignInAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.known()
		b.lose(signIn)
		c := b.closable()
		c.open("before it signs in again")
		c.do(signIn)
		if err := c.act(func(v *VisitorSession) error { return errors.New(v.Name()) }); err.Error() != "Ada" {
			t.Errorf("after the second sign-in the name is %q, want Ada", err)
		}
		time.Sleep(10 * time.Second)
		c.open("with the session")

		b = s.known()
		b.lose(signIn)
		c = b.closable()
		time.Sleep(10 * time.Second)
		c.closed("without another sign-in", runtime.LivelyReconnect)
	})
}

func TestL2AnEventThatMeetsTheEndClosesWithoutAWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSiteOn(t, &spyStore{Store: blindStore{newSite(t).store}})
		b := s.known()
		c := b.closable()
		b.clone().visit(func(v *VisitorSession) { v.Destroy() })
		c.open("nobody tells")
		failed := errors.New("no name")
		if err := c.act(func(v *VisitorSession) error {
			if v.Name() == "" {
				return failed
			}
			return nil
		}); !errors.Is(err, failed) {
			t.Errorf("got %v, want the handler's error", err)
		}
		c.closed("the event that met the end", runtime.LivelyEnded)
	})
}

// blindStore has none of the abilities of the store.
type blindStore struct{ runtime.Store }

func TestL2DisconnectedSocketsAreLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.known()
		c, other := b.closable(), b.closable()
		c.disconnect()
		c.disconnect()
		b.clone().visit(func(v *VisitorSession) { v.Destroy() })
		c.open("after it disconnected")
		other.closed("the one that is left", runtime.LivelyEnded)
		other.disconnect()
		third := s.known().closable()
		third.browser.clone().visit(func(v *VisitorSession) { v.Destroy() })
		third.closed("a connection after all others are gone", runtime.LivelyEnded)
	})
}

func TestL2ExpiryClosesTheSocketInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *runtime.Config) { c.Now, c.Idle = time.Now, time.Hour })
		b := s.known()
		c := b.closable()
		time.Sleep(50 * time.Minute)
		b.name() // activity of a request moves the end
		time.Sleep(59 * time.Minute)
		c.open("59 minutes after the last activity")
		time.Sleep(time.Minute + 100*time.Millisecond)
		c.closed("a tenth of a second after the end", runtime.LivelyEnded)
		c.disconnect()
	})
}

func TestL2EndBroughtForwardClosesTheSocketInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *runtime.Config) { c.Now = time.Now })
		b := s.known()
		c := b.closable()
		b.visit(func(v *VisitorSession) { v.SetExpiry(time.Now().Add(time.Minute)) })
		s.store.took()
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if calls := s.store.took(); calls != "" {
			t.Errorf("what this process knows is asked of the store: %s", calls)
		}
		time.Sleep(time.Second + 100*time.Millisecond)
		c.closed("a tenth of a second after the new end", runtime.LivelyEnded)
		c.disconnect()
	})
}

func TestL2EndBroughtForwardInAnotherProcessClosesTheSocketInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := func(c *runtime.Config) { c.Now = time.Now }
		here := newSite(t, clock)
		there := newSiteOn(t, &spyStore{Store: here.store.Store}, clock)
		b := here.known()
		c := b.closable()
		elsewhere := &browser{site: there, cookie: b.cookie}
		elsewhere.visit(func(v *VisitorSession) { v.SetExpiry(time.Now().Add(time.Minute)) })
		time.Sleep(59 * time.Second)
		c.open("before the new end")
		time.Sleep(time.Second + 100*time.Millisecond)
		c.closed("a tenth of a second after the new end", runtime.LivelyEnded)
		c.disconnect()
	})
}

func TestL2AnOutageIsNoEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *runtime.Config) { c.Now, c.Idle = time.Now, time.Minute })
		b := s.known()
		c := b.closable()
		s.store.setFail(func(string) error { return errOutage })
		time.Sleep(time.Minute + time.Second)
		c.open("while the store is down")
		s.mu.Lock()
		failures := slices.Clone(s.errs)
		s.mu.Unlock()
		var failed *runtime.Error
		if len(failures) == 0 || !errors.As(failures[0], &failed) || failed.Op != "check" {
			t.Errorf("the program is told of %v, want that a check failed", failures)
		}
		s.store.setFail(nil)
		time.Sleep(5 * time.Second)
		c.closed("once the store answers", runtime.LivelyEnded)
		c.disconnect()
	})
}

func TestL2AnEndInAnotherProcessClosesTheSocket(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sessions.db")
	process := func() *site {
		store, err := sqlitestore.Open(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		return newSiteOn(t, &spyStore{Store: store})
	}
	here, there := process(), process()
	for name, x := range map[string]struct {
		change func(*VisitorSession)
		want   runtime.LivelyEnd
	}{
		"ended":     {func(v *VisitorSession) { v.Destroy() }, runtime.LivelyEnded},
		"signed in": {func(v *VisitorSession) { v.SetUserID(7) }, runtime.LivelyReconnect},
	} {
		b := here.known()
		c := b.closable()
		elsewhere := &browser{site: there, cookie: b.cookie}
		elsewhere.visit(x.change)
		select {
		case end := <-c.ends:
			if end != x.want {
				t.Errorf("%s: closed because %q, want %q", name, end, x.want)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s in another process: the connection stays open", name)
		}
		c.disconnect()
	}
}

// missing is a store whose watcher loses sight.
type missing struct {
	*spyStore
	tell func(runtime.Change)
}

func (m *missing) Watch(_ context.Context, tell func(runtime.Change)) error {
	m.tell = tell
	return nil
}

func TestL2MissedChangesAreLookedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newSite(t)
		store := &missing{spyStore: inner.store}
		s := newSiteOn(t, &spyStore{Store: store})
		ended, renewed, alive := s.known(), s.known(), s.known()
		sockets := []*closer{ended.closable(), renewed.closable(), alive.closable()}
		ended.clone().visit(func(v *VisitorSession) { v.Destroy() })
		renewed.clone().visit(func(v *VisitorSession) { v.Renew() })
		store.tell(runtime.Change{Kind: runtime.ChangesMissed})
		synctest.Wait()
		sockets[0].closed("the one that ended", runtime.LivelyEnded)
		sockets[1].closed("the one that was renewed", runtime.LivelyReconnect)
		sockets[2].open("the one that lives")
		for _, c := range sockets {
			c.disconnect()
		}
	})
}

func TestWatchingThatFailsRefusesTheConnection(t *testing.T) {
	s := newSiteOn(t, &spyStore{Store: unwatchable{newSite(t).store}})
	b := s.known()
	c := &closer{socket: b.connect(), ends: make(chan runtime.LivelyEnd, 1)}
	if _, err := s.LivelyConnect(c.ctx, c, c.session); !errors.Is(err, errOutage) {
		t.Errorf("got %v, want the error of the watcher", err)
	}
}

type unwatchable struct{ runtime.Store }

func (unwatchable) Watch(context.Context, func(runtime.Change)) error { return errOutage }

func TestOriginOfTheHandshake(t *testing.T) {
	for _, x := range []struct {
		name    string
		host    string
		origins []string
		cookie  bool
		plain   bool // the cookie is for plain HTTP
		allowed bool
	}{
		{"own", "shop.example", []string{"https://shop.example"}, true, false, true},
		{"own with the port spelt out", "shop.example:443", []string{"https://shop.example"}, true, false, true},
		{"own with another port", "shop.example:8443", []string{"https://shop.example:8443"}, true, false, true},
		{"listed", "shop.example", []string{"https://app.example"}, true, false, true},
		{"foreign", "shop.example", []string{"https://evil.example"}, true, false, false},
		{"foreign without a cookie", "shop.example", []string{"https://evil.example"}, false, false, false},
		{"sibling subdomain", "shop.example", []string{"https://other.shop.example"}, true, false, false},
		{"parent domain", "a.shop.example", []string{"https://shop.example"}, true, false, false},
		{"another port", "shop.example", []string{"https://shop.example:8443"}, true, false, false},
		{"a longer host", "shop.example", []string{"https://shop.example.evil.example"}, true, false, false},
		{"with user information", "shop.example", []string{"https://shop.example@evil.example"}, true, false, false},
		{"opaque", "shop.example", []string{"null"}, true, false, false},
		{"empty", "shop.example", []string{""}, true, false, false},
		{"several", "shop.example", []string{"https://shop.example", "https://shop.example"}, true, false, false},
		{"none, with the cookie", "shop.example", nil, true, false, false},
		{"none, without the cookie", "shop.example", nil, false, false, true},
		{"plain HTTP for a Secure cookie", "shop.example", []string{"http://shop.example"}, true, false, false},
		{"plain HTTP on this machine", "localhost:8080", []string{"http://localhost:8080"}, true, false, true},
		{"plain HTTP on the loopback address", "127.0.0.1:8080", []string{"http://127.0.0.1:8080"}, true, false, true},
		{"plain HTTP for a cookie of plain HTTP", "shop.example", []string{"http://shop.example"}, true, true, true},
		{"a file", "shop.example", []string{"file://shop.example"}, true, true, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := newSite(t, func(c *runtime.Config) {
				c.Origins, c.Cookie.Secure = []string{"https://app.example"}, !x.plain
			})
			r := &http.Request{Host: x.host, Header: http.Header{}}
			if x.origins != nil {
				r.Header["Origin"] = slices.Clone(x.origins)
			}
			if x.cookie {
				r.Header.Set("Cookie", "shop="+s.known().cookie)
			}
			err := s.CheckOrigin(r)
			if got := err == nil; got != x.allowed || err != nil && !errors.Is(err, runtime.ErrForeignOrigin) {
				t.Errorf("CheckOrigin: %v, want it allowed: %v", err, x.allowed)
			}
		})
	}
}

func TestL2MissedChangesAreLookedForOnceTheStoreAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newSite(t)
		store := &missing{spyStore: inner.store}
		s := newSiteOn(t, &spyStore{Store: store})
		var sockets []*closer
		for range 20 {
			b := s.known()
			sockets = append(sockets, b.closable())
			b.clone().visit(func(v *VisitorSession) { v.Destroy() })
		}
		asked := 0
		s.store.setFail(func(string) error { asked++; return errOutage })
		store.tell(runtime.Change{Kind: runtime.ChangesMissed})
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if asked > 5 {
			t.Errorf("a store that is down was asked %d times in 4 s by 20 connections, want one after the other", asked)
		}
		for _, c := range sockets {
			c.open("while the store is down")
		}
		s.store.setFail(nil)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		for _, c := range sockets {
			c.closed("once the store answers", runtime.LivelyEnded)
			c.disconnect()
		}
	})
}
