package lively_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
	"github.com/duckgen/duckgen/runtime/lively"
)

// What a page does with its events while nobody answers them.

// A hold is the event "hold", which runs until it is let go.
type hold struct {
	running chan struct{}
	end     chan error
	count   atomic.Int64
}

func (w *web) holding() *hold {
	h := &hold{running: make(chan struct{}), end: make(chan error)}
	w.live.Handle("hold", func(ctx context.Context, _ *lively.Conn, _ lively.Event, _ *visitor) error {
		h.count.Add(1)
		select {
		case h.running <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case err := <-h.end:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return h
}

// heardOf collects the names of what the page hears of its events.
const heardOf = `(window.heard = [], ["failed", "lost", "close"].forEach((name) => document.addEventListener("lively:" + name,
	({ target, detail }) => heard.push([name, target.id ?? "", detail.name ?? detail.code].join(" ")))))`

func TestInABrowserKeysWaitForTheEventBefore(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	h := w.holding()
	w.live.Handle("type", func(ctx context.Context, c *lively.Conn, e lively.Event, v *visitor) error {
		v.SetName(v.Name() + e.Value.(string))
		return c.Patch(ctx, lively.Text("name", v.Name()))
	})
	w.body = `<button id="hold" data-live-click="hold">.</button><input id="field" data-live-input="type">`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	tab.Click("#hold")
	next(t, h.running)
	tab.Eval(`((field) => { for (let n = 0; n < 40; n++) field.value = String.fromCharCode(65 + n), field.dispatchEvent(new InputEvent("input", { bubbles: true })); })(document.querySelector("#field"))`)
	h.end <- nil
	var want strings.Builder
	for n := range 40 {
		want.WriteByte(byte(65 + n))
	}
	tab.Wait(fmt.Sprintf(`document.querySelector("[data-live-key=name]").textContent === %q`, want.String()))
}

func TestInABrowserAPageHearsWhatBecomesOfItsEvents(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	h := w.holding()
	w.body = `<button id="hold" data-live-click="hold">.</button><button id="count" data-live-click="tell">.</button>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	tab.Eval(heardOf)
	tab.Click("#hold")
	next(t, h.running)
	h.end <- errors.New("no luck")
	tab.Wait(`heard.includes("failed hold hold")`)

	// A process that is killed takes the event along that it runs; what waits behind it
	// nobody knows either. What comes later waits for the next process.
	tab.Click("#hold")
	next(t, h.running)
	tab.Click("#count")
	w.cable.cut()
	w.stop()
	tab.Wait(`document.documentElement.dataset.liveState !== "open"`)
	tab.Click("#count")
	w.start()
	tab.Wait(`!document.querySelector("[data-live-busy]")`)
	next(t, w.told)
	if got := tab.Eval("heard.join()"); got != "failed hold hold,close  1006,lost hold hold,lost count tell" {
		t.Errorf("the page has heard of %q", got)
	}
	if n := h.count.Load(); n != 2 || len(w.told) != 0 {
		t.Errorf("events ran %d times and %d times more, want 2 and 0", n, len(w.told))
	}
}

func TestInABrowserAConnectionThatIsHalfThereIsNoticed(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	w.body = `<button id="go" data-live-click="tell" data-live-value="go">.</button>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	tab.Eval(`(window.realTimeout = setTimeout, window.setTimeout = (call, wait) => realTimeout(call, wait / 20))`)
	for _, act := range []func(){
		func() { tab.Click("#go") },                                      // an event without an answer
		func() { tab.Eval(`window.dispatchEvent(new Event("online"))`) }, // another network
	} {
		tab.Eval(`(window.lost = false, document.addEventListener("lively:close", () => { window.lost = true }, { once: true }))`)
		w.cable.silence()
		act()
		tab.Wait("window.lost")
		tab.Live()
	}
	if e := next(t, w.told); e.Value != "go" {
		t.Errorf("the program hears %v", e.Value)
	}
	if len(w.told) > 0 {
		t.Error("the event came twice")
	}
}

func TestInABrowserAPageConnectsOnceItIsOnline(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	tab.Eval(`(window.waits = 0, window.setTimeout = () => { window.waits++ })`) // no attempt follows
	w.stop()
	tab.Wait("waits > 0")
	w.start()
	tab.Eval(`window.dispatchEvent(new Event("online"))`)
	tab.Live()
}

func TestInABrowserAFormIsRecovered(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.body = `<form data-live-recover="tell" data-live-key="draft"><input id="field" name="text"></form><form data-live-recover="tell"><input name="other"></form>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	tab.Type("#field", "draft")
	w.stop()
	w.start()
	if e := next(t, w.told); e.Component != "draft" || e.Field("text") != "draft" {
		t.Errorf("the program hears %+v, want what was typed", e)
	}
	tab.Wait(`!document.querySelector("[data-live-busy]")`)
	if len(w.told) > 0 {
		t.Error("a form that nobody has touched is recovered, too")
	}
}

func TestInABrowserWhatIsReadDuringASignInElsewhereIsReadAgain(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	h := w.holding()
	w.live.Handle("look", func(ctx context.Context, c *lively.Conn, e lively.Event, v *visitor) error {
		h.running <- struct{}{}
		if err := <-h.end; err != nil {
			return err
		}
		return c.Patch(ctx, lively.Text("seen", "seen: "+v.Name()))
	})
	w.mux.HandleFunc("POST /enter", func(_ http.ResponseWriter, r *http.Request) {
		sessiontest.VisitorFrom(r.Context()).SetUserID(7)
	})
	w.body = `<button id="look" data-live-click="look" data-live-again>.</button><p data-live-key="seen"></p>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	tab.Click("form button")
	named(tab, "Ada yes form")
	tab.Wait(`!document.querySelector("[data-live-busy]")`)
	tab.Eval(heardOf)
	tab.Click("#look")
	next(t, h.running)
	tab.Eval(`fetch("/enter", { method: "POST" }).then(() => "")`)
	h.end <- nil
	next(t, h.running)
	if got := tab.Text("[data-live-key=seen]"); got != "seen:" {
		t.Errorf("the page shows %q, want what a stranger would see", got)
	}
	h.end <- nil
	tab.Wait(`document.querySelector("[data-live-key=seen]").textContent === "seen: Ada yes form"`)
	tab.Wait(`!document.querySelector("[data-live-busy]")`)
	if got := tab.Eval(`heard.filter((name) => !name.startsWith("close")).join()`); got != "" {
		t.Errorf("the page has heard of %q, want that nothing failed", got)
	}
}
