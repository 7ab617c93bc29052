package main

import (
	"context"
	"net"
	"testing"

	"github.com/duckgen/duckgen/examples/routers/app"
	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// serve returns where the kiosk is, until the test ends.
func serve(t *testing.T) (url string) {
	t.Helper()
	store := memstore.New()
	t.Cleanup(func() { _ = store.Close() })
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
	go func() { ended <- app.HTTP(routes)(ctx, l, k) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// The page on a phone whose visitor has a keyboard alone, in both color schemes.
func TestInABrowserThePageNeedsNoMouse(t *testing.T) {
	url := serve(t)
	tab := chromium.Start(t).Open(url)
	tab.Resize(360, 740)
	tab.Live()
	tab.Reach("[aria-label='One more goose']")
	tab.Press("\r")
	tab.Wait("document.querySelector(`[data-live-key=goose]`).innerText === '1'")
	tab.Wait("!document.querySelector(`[data-live-busy]`)")
	tab.Press("\r") // the focus has stayed
	tab.Wait("document.querySelector(`[data-live-key=goose]`).innerText === '2'")

	tab.Reach("[name=name]")
	tab.Press("Ada\r")
	tab.Wait("document.querySelector(`#name`)?.innerText === 'Ada'")
	if notice := tab.Text("#notice"); notice != "Welcome, Ada." {
		t.Errorf("the notice is %q", notice)
	}
	if pieces := tab.Text("[data-live-key=goose]"); pieces != "2" {
		t.Errorf("after the sign-in there are %s geese in the cart, want 2", pieces)
	}
	if !tab.Fits() {
		t.Error("the page of a phone scrolls sideways")
	}
	wantReadable(t, tab)

	tab.Reach("form[action='/sign-out'] button")
	tab.Press("\r")
	tab.Wait("document.querySelector(`[name=name]`)")
}

// wantReadable checks that text stands out from the page by 7 to 1, as WCAG 2 has it for
// its level AAA, and that the two schemes differ.
func wantReadable(t *testing.T, tab *chromium.Tab) {
	t.Helper()
	papers := map[string]bool{}
	for _, scheme := range []string{"light", "dark"} {
		tab.Prefer(scheme)
		papers[tab.Eval("getComputedStyle(document.body).backgroundColor")] = true
		for _, selector := range []string{"h1", "#notice", "output"} {
			if tab.Contrast(selector) < 7 {
				t.Errorf("%s is hard to read in %s", selector, scheme)
			}
		}
	}
	if len(papers) != 2 {
		t.Errorf("light and dark have the backgrounds %v", papers)
	}
}
