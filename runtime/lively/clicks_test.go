package lively_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
	"github.com/duckgen/duckgen/runtime/lively"
)

// A turnstile counts clicks, each once: of the events of a page it keeps the number
// of the last one in the step in which it counts.
func (w *web) turnstile() {
	w.live.Handle("count", func(_ context.Context, _ *lively.Conn, e lively.Event, v *visitor) error {
		page, number := e.Page()
		if last, _ := v.CartItem(page); int64(number) <= int64(last) {
			return nil
		}
		v.SetCartItem(page, int(number))
		v.AddViews(1)
		return nil
	})
	w.live.Handle("enter", func(_ context.Context, _ *lively.Conn, e lively.Event, v *visitor) error {
		user, err := strconv.ParseInt(e.Value.(string), 10, 64)
		v.SetUserID(user)
		return err
	})
	w.mux.HandleFunc("POST /enter", func(_ http.ResponseWriter, r *http.Request) {
		user, err := strconv.ParseInt(r.FormValue("user"), 10, 64)
		if err != nil {
			w.t.Error(err)
		}
		sessiontest.VisitorFrom(r.Context()).SetUserID(user)
	})
	w.live.Handle("total", func(ctx context.Context, c *lively.Conn, _ lively.Event, v *visitor) error {
		return c.Patch(ctx, lively.Text("total", strconv.FormatInt(v.Views(), 10)))
	})
}

const turnstilePage = `<button id="count" data-live-click="count" data-live-again>.</button>
<button id="enter" data-live-click="enter" data-live-again>.</button>
<button id="total" data-live-click="total">.</button><p data-live-key="total"></p>`

// A cuttingListener can cut its connections, as the end of a process does, and have
// them fall silent, as the end of a network does.
type cuttingListener struct {
	net.Listener
	mu    sync.Mutex
	conns []*silentConn
}

func (l *cuttingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	conn := &silentConn{Conn: c}
	l.conns = append(l.conns, conn)
	return conn, nil
}

// each does something to all connections that there are.
func (l *cuttingListener) each(do func(*silentConn)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		do(c)
	}
	l.conns = nil
}

func (l *cuttingListener) cut() { l.each(func(c *silentConn) { _ = c.Close() }) }

func (l *cuttingListener) silence() { l.each(func(c *silentConn) { c.silent.Store(true) }) }

// A silentConn drops what passes through it once it is silent.
type silentConn struct {
	net.Conn
	silent atomic.Bool
}

func (c *silentConn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err != nil || !c.silent.Load() {
			return n, err
		}
	}
}

func (c *silentConn) Write(b []byte) (int, error) {
	if c.silent.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// restart ends the program and starts it again. Killed, it says goodbye to nobody.
func (w *web) restart(killed bool) {
	w.t.Helper()
	addr := w.server.Listener.Addr().String()
	if killed {
		w.cable.cut()
	} else if err := w.live.Shutdown(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.stop()
	w.start(addr)
	w.turnstile()
}

func TestInABrowserEachClickCountsOnce(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		latency int
		rounds  int
	}{
		{0, testtier.Count(0, 12, 100)},
		{200, testtier.Count(0, 6, 12)},
	} {
		t.Run(fmt.Sprintf("latency %d ms", x.latency), func(t *testing.T) {
			t.Parallel()
			w := newWeb(t)
			w.turnstile()
			w.attrs, w.body = fmt.Sprintf(`data-live-latency="%d"`, x.latency), turnstilePage
			tab := chromium.Start(t).Open(w.url)
			for round := range x.rounds {
				w.countAround(tab, round)
			}
		})
	}
}

// countAround clicks ten times around something that changes the cookie or the
// connection, as a new visitor or as the one before.
func (w *web) countAround(tab *chromium.Tab, round int) {
	w.t.Helper()
	around := []string{"first cookie", "sign-in", "renewal", "restart", "kill", "sign-in elsewhere"}[round%6]
	if around == "first cookie" {
		for _, cookie := range tab.Cookies() {
			tab.Forget(cookie)
		}
		tab.Go(w.url)
		w.counted = 0
	}
	tab.Live()
	click := func(id string) string { return fmt.Sprintf(`document.getElementById(%q).click()`, id) }
	middle := map[string]string{
		"sign-in":           fmt.Sprintf(`document.getElementById("enter").dataset.liveValue = %d, %s`, round+1, click("enter")),
		"renewal":           click("renew"),
		"sign-in elsewhere": fmt.Sprintf(`window.entered = fetch("/enter", { method: "POST", body: new URLSearchParams({ user: %d }) })`, round+1),
	}[around]
	if middle == "" {
		middle = "null"
	}
	tab.Eval(fmt.Sprintf(`(window.clicks = (async () => {
		for (let n = 0; n < 10; n++) {
			if (n === 5) %s;
			%s;
			await new Promise((then) => setTimeout(then, 10));
		}
		window.clicks = null;
	})(), "")`, middle, click("count")))
	switch around {
	case "restart":
		w.restart(false)
	case "kill":
		w.restart(true)
	}
	w.counted += 10
	tab.Wait(`window.clicks === null && !document.querySelector("[data-live-busy]")`)
	tab.Eval(click("total"))
	tab.Wait(`!document.querySelector("[data-live-busy]")`)
	if got := tab.Text("[data-live-key=total]"); got != strconv.Itoa(w.counted) {
		w.t.Errorf("round %d: around a %s %s clicks have counted, want %d", round, around, got, w.counted)
		w.counted, _ = strconv.Atoi(got)
	}
}
