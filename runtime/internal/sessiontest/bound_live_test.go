package sessiontest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// handshake opens a live connection with the device's cookies, nil if it is refused.
func (d *device) handshake() (c *socket, status int) {
	d.t.Helper()
	w := hijackable{httptest.NewRecorder()}
	d.site.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		opened := &socket{browser: d.site.browser(), ctx: r.Context(), session: VisitorFrom(r.Context())}
		_ = opened.session.Load(opened.ctx)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_ = conn.Close()
		c = opened
	})).ServeHTTP(w, d.request("GET", "/lively"))
	return c, w.Code
}

// closable is handshake for a connection that its session can close.
func (d *device) closable() *closer {
	d.t.Helper()
	c, status := d.handshake()
	if c == nil {
		d.t.Fatalf("the handshake is answered %d", status)
	}
	x := &closer{socket: c, ends: make(chan runtime.LivelyEnd, 8)}
	disconnect, err := d.site.LivelyConnect(c.ctx, x, c.session)
	if err != nil {
		d.t.Fatal(err)
	}
	x.disconnect = disconnect
	d.t.Cleanup(disconnect)
	return x
}

// boundLive runs a test of live connections on sessions that are bound, whose clock is
// that of the timers.
func boundLive(t *testing.T, bound runtime.Bound, test func(s *site)) {
	synctest.Test(t, func(t *testing.T) {
		test(newSite(t, func(c *runtime.Config) { c.Bound, c.Grace, c.Now = bound, 0, time.Now }))
	})
}

// enter signs in, and comes once with the bound cookie.
func (d *device) enter() {
	d.t.Helper()
	d.visit(func(s *VisitorSession) { s.SetUserID(7) })
	time.Sleep(time.Second)
	d.opens(true)
}

func TestALiveConnectionEndsWithTheBoundCookieOfItsHandshake(t *testing.T) {
	boundLive(t, runtime.BoundSignIn, func(s *site) {
		d := newDevice(s.t, s)
		d.enter()
		thief := d.copied("shop", boundCookieName)
		page, stolen := d.closable(), thief.closable()
		time.Sleep(8 * time.Minute)
		d.refresh()
		later := d.closable()
		time.Sleep(time.Minute)
		page.open("a minute before its cookie ends")
		page.do(func(s *VisitorSession) { s.AddViews(1) })
		stolen.do(func(s *VisitorSession) { s.AddViews(1) })

		time.Sleep(time.Minute)
		page.closed("at the end of its cookie", runtime.LivelyReconnect)
		stolen.closed("at the end of its cookie", runtime.LivelyReconnect)
		later.open("with the cookie of a refresh")
		if c, status := thief.handshake(); c != nil || status != http.StatusForbidden {
			s.t.Errorf("the thief's next handshake is answered %d", status)
		}
		s.kinds()
		d.closable().do(func(v *VisitorSession) {
			if v.UserID() != 7 || v.Views() != 2 {
				s.t.Errorf("user %d, %d views", v.UserID(), v.Views())
			}
		})
		if kinds := s.kinds(); len(kinds) > 0 {
			s.t.Errorf("an honest page is reported as %v", kinds)
		}
	})
}

func TestALongEventDoesNotKeepALiveConnectionOpen(t *testing.T) {
	boundLive(t, runtime.BoundSignIn, func(s *site) {
		d := newDevice(s.t, s)
		d.enter()
		page := d.closable()
		time.Sleep(9 * time.Minute)
		page.do(func(s *VisitorSession) {
			time.Sleep(time.Hour)
			page.open("while the event runs")
		})
		page.closed("after the event", runtime.LivelyReconnect)
	})
}

// A transport that cannot be closed has its events refused instead.
func TestAnEventWithoutAProofOfTheDeviceDoesNotTakePlace(t *testing.T) {
	boundLive(t, runtime.BoundSignIn, func(s *site) {
		d := newDevice(s.t, s)
		d.enter()
		c, _ := d.handshake()
		c.must(func(s *VisitorSession) { s.AddViews(1) })
		time.Sleep(10 * time.Minute)
		if err := c.event(func(*VisitorSession) { s.t.Error("the handler runs") }); !errors.Is(err, runtime.ErrUnbound) {
			s.t.Errorf("an event gives %v", err)
		}
		for name, change := range map[string]func(*VisitorSession){
			"blind":        func(s *VisitorSession) { s.AddViews(10) },
			"after a read": func(s *VisitorSession) { s.SetViews(s.Views() + 10) },
		} {
			change(c.session)
			if err := s.ProcessLivelyEvent(c.ctx, c, c.session); !errors.Is(err, runtime.ErrUnbound) {
				s.t.Errorf("half an event, %s, gives %v", name, err)
			}
		}
		d.refresh()
		d.visit(func(v *VisitorSession) {
			if v.Views() != 1 {
				s.t.Errorf("%d views", v.Views())
			}
		})
	})
}

// A connection of before the session was bound asks now and then.
func TestALiveConnectionWithoutABoundCookieEndsOnceTheSessionIsBound(t *testing.T) {
	boundLive(t, runtime.BoundAlways, func(s *site) {
		d := newDevice(s.t, s)
		d.see(func(s *VisitorSession) { s.AddViews(1) }) // and does not register
		page := d.closable()
		silent, _ := d.handshake()
		for range 3 {
			time.Sleep(time.Hour)
			page.do(func(s *VisitorSession) { s.AddViews(1) })
			silent.must(func(s *VisitorSession) { s.AddViews(1) })
		}
		page.open("while the session is not bound")

		thief := d.copied("shop")
		res := d.see(func(s *VisitorSession) { s.Destroy(); s.AddViews(1) })
		page.closed("with its session", runtime.LivelyEnded)
		thief.cookies["shop"] = d.cookies["shop"]
		stolen := thief.closable()
		silent, _ = thief.handshake()
		d.invited(res)
		time.Sleep(time.Second)
		d.see(func(s *VisitorSession) { s.Views() })
		stolen.do(func(s *VisitorSession) { s.AddViews(1) })
		time.Sleep(10 * time.Minute)
		stolen.closed("once the session is bound", runtime.LivelyReconnect)
		if err := silent.event(func(*VisitorSession) {}); !errors.Is(err, runtime.ErrUnbound) {
			s.t.Errorf("an event gives %v", err)
		}
	})
}

// A browser that could not refresh may be let in, until it has to say so again.
func TestBoundSkippedLetsALiveConnectionInForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *runtime.Config) {
			c.Bound, c.Grace, c.Now = runtime.BoundSignIn, 0, time.Now
			c.BoundSkipped = func(r *http.Request) bool { return true }
		})
		d := newDevice(t, s)
		d.enter()
		skipped := d.copied("shop")
		skipped.says = `quota_exceeded;session_identifier="` + d.session + `"`
		page := skipped.closable()
		if kinds := s.kinds(); !slices.Contains(kinds, runtime.EventBoundSkipped) {
			t.Errorf("it is reported as %v", kinds)
		}
		time.Sleep(9 * time.Minute)
		page.open("after nine minutes")
		time.Sleep(time.Minute + time.Second)
		page.closed("after BoundAge", runtime.LivelyReconnect)
	})
}

// A refusal that comes of a store which does not answer is none of the device.
func TestAnOutageClosesNoLiveConnection(t *testing.T) {
	boundLive(t, runtime.BoundSignIn, func(s *site) {
		d := newDevice(s.t, s)
		d.enter()
		page := d.closable()
		s.store.setFail(func(string) error { return errOutage })
		time.Sleep(time.Hour)
		page.open("while the store does not answer")
		s.store.setFail(nil)
		time.Sleep(time.Minute)
		page.closed("once the store answers", runtime.LivelyReconnect)
	})
}
