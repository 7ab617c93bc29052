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

// A keyboard is a visitor without a mouse.
type keyboard struct {
	*testing.T
	*chromium.Tab
}

// to presses Tab until the focus is on what the selector finds, and checks that one
// sees where it is.
func (k keyboard) to(selector string) {
	k.Helper()
	for range 20 {
		k.Press("\t")
		if k.Eval("document.activeElement.matches(`"+selector+"`)") != "true" {
			continue
		}
		if k.Eval(`getComputedStyle(document.activeElement).outlineStyle`) == "none" {
			k.Errorf("nobody sees that the focus is on %s", selector)
		}
		return
	}
	k.Fatalf("the keyboard does not reach %s", selector)
}

// The page on a phone whose visitor has a keyboard alone, in both color schemes.
func TestInABrowserThePageNeedsNoMouse(t *testing.T) {
	url := serve(t)
	tab := keyboard{t, chromium.Start(t).Open(url)}
	tab.Resize(360, 740)
	tab.Live()
	tab.to("[aria-label='One more goose']")
	tab.Press("\r")
	tab.Wait("document.querySelector(`[data-live-key=goose]`).innerText === '1'")
	tab.Wait("!document.querySelector(`[data-live-busy]`)")
	tab.Press("\r") // the focus has stayed
	tab.Wait("document.querySelector(`[data-live-key=goose]`).innerText === '2'")

	tab.to("[name=name]")
	tab.Press("Ada\r")
	tab.Wait("document.querySelector(`#name`)?.innerText === 'Ada'")
	if notice := tab.Text("#notice"); notice != "Welcome, Ada." {
		t.Errorf("the notice is %q", notice)
	}
	if pieces := tab.Text("[data-live-key=goose]"); pieces != "2" {
		t.Errorf("after the sign-in there are %s geese in the cart, want 2", pieces)
	}
	if tab.Eval("document.documentElement.scrollWidth <= innerWidth") != "true" {
		t.Error("the page of a phone scrolls sideways")
	}
	tab.wantReadable()

	tab.to("form[action='/sign-out'] button")
	tab.Press("\r")
	tab.Wait("document.querySelector(`[name=name]`)")
}

// wantReadable checks that text stands out from the page by 7 to 1, as WCAG 2 has it for
// its level AAA, and that the two schemes differ.
func (k keyboard) wantReadable() {
	k.Helper()
	papers := map[string]bool{}
	for _, scheme := range []string{"light", "dark"} {
		k.Prefer(scheme)
		papers[k.Eval("getComputedStyle(document.body).backgroundColor")] = true
		for _, selector := range []string{"h1", "#notice", "output"} {
			if k.Eval(contrast+"(document.querySelector(`"+selector+"`)) >= 7") != "true" {
				k.Errorf("%s is hard to read in %s", selector, scheme)
			}
		}
	}
	if len(papers) != 2 {
		k.Errorf("light and dark have the backgrounds %v", papers)
	}
}

// contrast is a function in JavaScript: the ratio of the luminance of an element's text
// and of the page behind it.
const contrast = `((element) => {
	const luminance = (color) => color.match(/[0-9.]+/g).slice(0, 3)
		.map((part) => part / 255)
		.map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
		.reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
	const [dark, light] = [getComputedStyle(element).color, getComputedStyle(document.body).backgroundColor]
		.map(luminance).sort((one, other) => one - other);
	return (light + 0.05) / (dark + 0.05);
})`
