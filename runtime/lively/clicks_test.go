package lively_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
	"github.com/duckgen/duckgen/runtime/lively"
)

// countOnce counts clicks, each once: of the events of a page it keeps the number of the
// last one in the step in which it counts.
func countOnce(_ context.Context, _ *lively.Conn, e lively.Event, v *visitor) error {
	page, number := e.Page()
	if last, _ := v.CartItem(page); int64(number) <= int64(last) {
		return nil
	}
	v.SetCartItem(page, int(number))
	v.AddViews(1)
	return nil
}

// A turnstile counts clicks, also of visitors who sign in.
func (w *web) turnstile() {
	w.live.Handle("count", countOnce)
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

// restart ends the program and starts it again. Killed, it says goodbye to nobody.
func (w *web) restart(killed bool) {
	w.t.Helper()
	if killed {
		w.cable.cut()
	} else if err := w.live.Shutdown(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.stop()
	w.start()
	w.turnstile()
}

func TestInABrowserEachClickCountsOnce(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	for _, x := range []struct {
		latency int
		rounds  int
	}{
		{0, 100},
		{200, 12},
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
