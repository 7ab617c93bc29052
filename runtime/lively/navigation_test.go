package lively_test

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime/lively"
)

// tour is a web of pages that lead to one another.
type tour struct {
	*web
	tab     *chromium.Tab
	loads   atomic.Int64 // of whole pages
	asked   chan lively.Navigation
	partial chan struct{} // the rest of the page that comes in two parts may follow
}

const tourLinks = `<a id="%[1]s" data-live-navigate="%[1]s" href="/tour/%[1]s?x=1">%[1]s</a> `

// mainPart has a link that is at the same place on every page, and leads elsewhere.
const mainPart = `<b>%[1]s</b><a data-live-key="onward" data-live-navigate href="/tour/%[2]s?x=1"></a>`

var onward = map[string]string{"one": "two", "two": "three", "three": "two"}

func newTour(t *testing.T, browser *chromium.Browser) *tour {
	t.Helper()
	w := &tour{web: newWeb(t), asked: make(chan lively.Navigation, 64), partial: make(chan struct{})}
	w.mux.HandleFunc("GET /tour/{name}", func(rw http.ResponseWriter, r *http.Request) {
		w.loads.Add(1)
		name := r.PathValue("name")
		rw.Header().Set("Content-Security-Policy", strict)
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(rw, `<!doctype html><html data-live-root="%[1]s"><title data-live-key="title">%[1]s</title>
<script type="module" src="/lively/client.js"></script><nav data-live-key="nav">%[2]s</nav>
<a id="down" data-live-navigate href="#foot">down</a><main data-live-key="main">%[1]s</main><p id="foot"></p>`, name, links())
	})
	w.live.HandleNavigation(w.navigate)
	w.tab = browser.Open(w.url + "/tour/one")
	w.tab.Live()
	w.tab.Eval("window.mark = 'not loaded'")
	return w
}

func links() string {
	var b strings.Builder
	for _, name := range []string{"one", "two", "three", "parts", "broken", "fatal", "plain"} {
		fmt.Fprintf(&b, tourLinks, name)
	}
	return b.String()
}

func (w *tour) navigate(ctx context.Context, c *lively.Conn, n lively.Navigation, _ *visitor) error {
	w.asked <- n
	name, _, _ := strings.Cut(strings.TrimPrefix(n.Path, "/tour/"), "?")
	page := lively.Page{Path: n.Path, Component: name, Patches: []lively.Patch{
		lively.Text("title", name), lively.HTML("main", template.HTML(fmt.Sprintf(mainPart, name, onward[name]))), lively.HTML("nav", template.HTML(links())),
	}}
	switch name {
	case "parts":
		first := lively.Page{Path: n.Path, Patches: []lively.Patch{lively.Text("main", "half")}, Partial: true}
		if err := c.Navigate(ctx, first); err != nil {
			return err
		}
		select {
		case <-w.partial:
		case <-ctx.Done():
		}
	case "broken":
		return errors.New("no such luck")
	case "fatal":
		panic("no such luck")
	case "plain":
		page = lively.Page{Path: n.Path, Reload: true}
	}
	return c.Navigate(ctx, page)
}

// shows waits until the page is shown at its address.
func (w *tour) shows(name, path string) {
	w.t.Helper()
	w.tab.Wait(fmt.Sprintf("location.pathname + location.search === %q && document.title === %q && document.documentElement.dataset.liveRoot === %[2]q && "+
		"document.querySelector('main').innerText === %[2]q", path, name))
}

// wantLoads demands that so many pages were loaded as a whole.
func (w *tour) wantLoads(what string, want int64) {
	w.t.Helper()
	marked := w.tab.Eval("window.mark") == "not loaded"
	if got := w.loads.Load(); got != want || marked != (want == 1) {
		w.t.Errorf("%s: %d pages were loaded, want %d (the first one is still there: %v)", what, got, want, marked)
	}
}

func TestInABrowserNavigationLoadsNoPage(t *testing.T) {
	t.Parallel()
	w := newTour(t, chromium.Start(t))
	w.tab.Click("#two")
	w.shows("two", "/tour/two?x=1")
	if n := next(t, w.asked); n.Previous != "one" || n.Next != "two" || n.Path != "/tour/two?x=1" {
		t.Errorf("the page asked for %+v", n)
	}
	if got := w.tab.Eval("document.activeElement.id"); got != "two" {
		t.Errorf("the focus is on %q, want the link that was followed and is new", got)
	}
	w.tab.Click("#three")
	w.shows("three", "/tour/three?x=1")
	w.tab.Click("main a")
	w.shows("two", "/tour/two?x=1")
	if got := w.tab.Eval("document.activeElement.id + document.activeElement.tagName"); got != "BODY" {
		t.Errorf("the focus is on %q, want nowhere: the link that was followed is gone", got)
	}
	w.tab.Eval("history.back()")
	w.shows("three", "/tour/three?x=1")
	w.tab.Click("#down")
	w.tab.Wait(`location.hash === "#foot"`)
	w.tab.Eval("history.back()")
	w.tab.Wait(`location.hash === ""`)
	w.wantLoads("two links and one within the page", 1)

	// Back and forth, also to the page that was loaded.
	for _, step := range []struct{ move, name, path string }{
		{"history.back()", "two", "/tour/two?x=1"},
		{"history.back()", "one", "/tour/one"},
		{"history.forward()", "two", "/tour/two?x=1"},
		{"history.forward()", "three", "/tour/three?x=1"},
		{"(history.back(), history.back())", "one", "/tour/one"},
		{"history.go(2)", "three", "/tour/three?x=1"},
	} {
		w.tab.Eval(step.move)
		w.shows(step.name, step.path)
	}
	w.wantLoads("steps through the history", 1)
}

func TestInABrowserAPageCanComeInParts(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newTour(t, chromium.Start(t))
	w.tab.Click("#parts")
	w.tab.Wait(`document.querySelector("main").innerText === "half"`)
	if got := w.tab.Eval("location.pathname + document.title"); got != "/tour/oneone" {
		t.Errorf("before its last part the page is at %q, want where it was", got)
	}
	w.partial <- struct{}{}
	w.shows("parts", "/tour/parts?x=1")
	w.wantLoads("two parts", 1)
}

func TestInABrowserAPageThatCannotBeShownIsLoaded(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	browser := chromium.Start(t)
	for _, name := range []string{"plain", "broken", "fatal"} {
		t.Run(name, func(t *testing.T) {
			w := newTour(t, browser)
			w.tab.Click("#" + name)
			w.shows(name, "/tour/"+name+"?x=1")
			w.wantLoads("a page that is loaded", 2)
			w.tab.Eval("history.back()") // the page before is still in the history
			w.tab.Wait(`location.pathname === "/tour/one"`)
		})
	}
}

func TestInABrowserNavigationGoesOnWithoutTheConnection(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newTour(t, chromium.Start(t))
	w.tab.Click("#two")
	w.shows("two", "/tour/two?x=1")
	if err := w.live.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.tab.Wait(`document.documentElement.dataset.liveState === "closed"`)
	w.tab.Eval("history.back()")
	w.shows("one", "/tour/one")
	w.wantLoads("back without a connection", 2)
	w.tab.Click("#three")
	w.shows("three", "/tour/three?x=1")
	w.wantLoads("a link without a connection", 3)
}

func TestInABrowserAPageSaysThatItIsTurned(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newTour(t, chromium.Start(t))
	turning := `("liveTurning" in document.documentElement.dataset)`
	if w.tab.Eval(turning) != "false" {
		t.Error("the first page is turned")
	}
	w.tab.Click("#parts")
	w.tab.Wait(`document.querySelector("main").innerText === "half"`)
	if w.tab.Eval(turning) != "true" {
		t.Error("a page whose rest is to come is not turned any more")
	}
	w.partial <- struct{}{}
	w.shows("parts", "/tour/parts?x=1")
	w.tab.Wait("!" + turning)
}
