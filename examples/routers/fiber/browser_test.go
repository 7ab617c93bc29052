package main

import (
	"context"
	"net"
	"testing"

	"github.com/duckgen/duckgen/examples/routers/app"
	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// press presses the button of the first kind, as a page with scripts does.
const press = `document.querySelector("[data-live-submit]").requestSubmit()`

// shows waits until the page has a text where it is.
func shows(tab *chromium.Tab, where, text string) {
	tab.Wait(`document.querySelector("` + where + `")?.innerText === "` + text + `"`)
}

// The live page is the part that has to hijack a connection of fasthttp.
func TestInABrowserThePageIsLive(t *testing.T) {
	browser := chromium.Start(t)
	store := memstore.New()
	defer store.Close()
	k, err := app.New(store)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, l, k) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()

	url := "http://" + l.Addr().String()
	tab := browser.Open(url)
	tab.Wait(`document.documentElement.dataset.liveState === "open"`)
	tab.Eval(`window.stays = true`)
	tab.Eval(press)
	shows(tab, "output", "1")
	tab.Wait(`performance.getEntriesByType("resource").some((e) => e.name.includes("/lively/sync?ticket=") && e.responseStatus === 204)`)
	tab.Eval(press)
	shows(tab, "output", "2")
	if tab.Eval(`String(window.stays)`) != "true" {
		t.Error("the page was loaded again for an event")
	}

	other := browser.Open(url)
	shows(other, "output", "2")
	tab.Eval(`document.querySelector("[name=name]").value = "Ada"`)
	tab.Eval(`document.querySelector("form[action='/sign-in']").requestSubmit()`)
	shows(tab, "#name", "Ada")
	third := browser.Open(url)
	third.Wait(`document.documentElement.dataset.liveState === "open"`)
	shows(third, "#name", "Ada")
	tab.Eval(`document.querySelector("form[action='/sign-out']").requestSubmit()`)
	third.Wait(`document.querySelector("form[action='/sign-in']") !== null`) // its connection was closed
}
