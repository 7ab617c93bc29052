package lively_test

import (
	"fmt"
	"html/template"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime/lively"
)

// What the browser client does to the page, and what it tells of it.

func TestInABrowserEachPatchChangesThePage(t *testing.T) {
	t.Parallel()
	node := lively.Node{Tag: "li", Key: "new", Text: "<b> & ", Attributes: map[string]string{"class": "a", "onclick": "spoil()"},
		Style: map[string]string{"font-size": "9px"}, Children: []lively.Node{{Tag: "i", Text: "child"}}}
	const (
		made  = `<li data-live-key="new" class="a" style="font-size: 9px;">&lt;b&gt; &amp; <i>child</i></li>`
		plain = `<li data-live-key="x" class="b" style="color: red;">x</li>`
		list  = "\n" + plain + "\n<li>y</li>\n"
	)
	patches := []struct {
		name  string
		patch lively.Patch
		want  string
	}{
		{"replace", lively.Replace("x", node), "\n" + made + "\n<li>y</li>\n"},
		{"replace-html", lively.ReplaceHTML("x", `<li data-live-key="z">z<script>document.title = "spoilt"</script></li>`),
			"\n" + `<li data-live-key="z">z<script>document.title = "spoilt"</script></li>` + "\n<li>y</li>\n"},
		{"remove", lively.Remove("x"), "\n\n<li>y</li>\n"},
		{"insert-first", lively.Insert("list", 0, node), "\n" + made + plain + "\n<li>y</li>\n"},
		{"insert-second", lively.Insert("list", 1, node), "\n" + plain + "\n" + made + "<li>y</li>\n"},
		{"insert-last", lively.Insert("list", 2, node), list + made},
		{"insert-beyond", lively.Insert("list", 99, node), list + made},
		{"text", lively.Text("x", "<b>&"), strings.Replace(list, ">x<", ">&lt;b&gt;&amp;<", 1)},
		{"html", lively.HTML("x", `<b>&amp;</b><script>document.title = "spoilt"</script>`),
			strings.Replace(list, ">x<", `><b>&amp;</b><script>document.title = "spoilt"</script><`, 1)},
		{"attributes", lively.Attributes("x", map[string]string{"title": "t", "onclick": "spoil()"}),
			strings.Replace(list, ` class="b" style="color: red;"`, ` style="color: red;" title="t"`, 1)},
		{"style", lively.Style("x", map[string]string{"font-size": "9px"}), strings.Replace(list, "color: red;", "font-size: 9px;", 1)},
		{"no-style", lively.Style("x", nil), strings.Replace(list, ` style="color: red;"`, "", 1)},
		{"nowhere", lively.Text("none of the page's", "x"), list},
	}
	w := newWeb(t)
	w.policy += "; style-src 'unsafe-inline'" // for what the page begins with
	w.patches = map[string][]lively.Patch{}
	var buttons strings.Builder
	for _, x := range patches {
		w.patches[x.name] = []lively.Patch{x.patch, lively.Text("done", x.name)}
		fmt.Fprintf(&buttons, `<button id=%q data-live-click="patch" data-live-value=%[1]q>.</button>`, x.name)
	}
	w.body = `<ul data-live-key="list">` + list + `</ul><p data-live-key="done"></p>` + buttons.String()
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	for _, x := range patches {
		tab.Eval(fmt.Sprintf(`document.querySelector("ul").innerHTML = %q`, list))
		tab.Click("#" + x.name)
		tab.Wait(fmt.Sprintf(`document.querySelector("[data-live-key=done]").innerText === %q`, x.name))
		if got := tab.Eval(`document.querySelector("ul").innerHTML`); got != x.want {
			t.Errorf("%s: the list is\n%s, want\n%s", x.name, got, x.want)
		}
	}
	if got := tab.Eval("document.title"); got != "page" {
		t.Errorf("the title is %q: a script in markup has run", got)
	}
}

func TestInABrowserPatchesNeedNoInlineStyleInThePolicy(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	w.patches = map[string][]lively.Patch{"colour": {lively.Style("box", map[string]string{"color": "rgb(1, 2, 3)"})}}
	w.body = `<p data-live-key="box">box</p><button id="go" data-live-click="patch" data-live-value="colour">.</button>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	tab.Click("#go")
	tab.Wait(`getComputedStyle(document.querySelector("[data-live-key=box]")).color === "rgb(1, 2, 3)"`)
}

func TestInABrowserTheFocusStays(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	region := func(value string) string {
		return `<label>Search <input name="q" value="` + value + `" data-live-input="patch" data-live-value="region"></label>`
	}
	w := newWeb(t)
	w.patches = map[string][]lively.Patch{
		"region": {lively.HTML("region", template.HTML(region("patched")))},
		"other":  {lively.Text("name", "other")},
	}
	w.body = `<input id="other" data-live-input="patch" data-live-value="other"><div data-live-key="region">` + region("first") + `</div>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()

	tab.Type("#other", "x")
	tab.Wait(`document.querySelector("[data-live-key=name]").innerText === "other"`)
	if got := tab.Eval(`document.activeElement.id + document.activeElement.value`); got != "otherx" {
		t.Errorf("after a patch of something else the focus is on %q", got)
	}
	tab.Eval(`(field = document.querySelector("[name=q]"), field.focus(), field.setSelectionRange(2, 4), window.before = field)`)
	tab.Eval(`field.dispatchEvent(new Event("input", { bubbles: true }))`)
	tab.Wait(`document.querySelector("[name=q]").value === "patched"`)
	if got := tab.Eval(`[document.activeElement.name, document.activeElement === before, document.activeElement.selectionStart,
		document.activeElement.selectionEnd].join()`); got != "q,true,2,4" {
		t.Errorf("after a patch around the field the focus, its being on the same one, and the selection are %s, want q,true,2,4", got)
	}
}

// sameEvent compares what a handler sees of two events.
func sameEvent(one, other lively.Event) bool {
	fields := func(e lively.Event) []any { return []any{e.ID, e.Root, e.Component, e.Name, e.Value, e.Document} }
	return reflect.DeepEqual(fields(one), fields(other))
}

func TestInABrowserEventsTellWhatTheVisitorDid(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	w.body = `<section data-live-key="part">
<form data-live-submit="tell" id="form"><input name="a" value="1"><input name="a" value="2"><input name="toString" value="3"><button name="b" value="4">.</button></form>
<button id="value" data-live-click="tell" data-live-value="given"><b>.</b></button><button id="own" data-live-click="tell" value="own">.</button>
<input id="box" type="checkbox" data-live-change="tell"><input id="typed" data-live-input="tell">
<select id="choice" data-live-change="tell"><option>x<option>y</select></section>
<button id="outside" data-live-click="tell">.</button><a id="nothing" data-live-click="tell" href="/elsewhere">.</a>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	ids := map[string]bool{}
	for _, x := range []struct {
		what  string
		act   func()
		value any
	}{
		{"a form", func() { tab.Click("#form button") }, map[string]any{"a": []any{"1", "2"}, "toString": "3", "b": "4"}},
		{"a given value", func() { tab.Click("#value b") }, "given"},
		{"an own value", func() { tab.Click("#own") }, "own"},
		{"a checkbox", func() { tab.Click("#box") }, true},
		{"a checkbox again", func() { tab.Click("#box") }, false},
		{"text", func() { tab.Type("#typed", "ä") }, "ä"},
		{"a choice", func() { tab.Type("#choice", "y") }, "y"},
		{"outside of a key", func() { tab.Click("#outside") }, ""},
		{"an element without a value", func() { tab.Click("#nothing") }, nil},
	} {
		x.act()
		want := lively.Event{Root: "page", Component: "part", Name: "tell", Value: x.value}
		if x.value == "" || x.value == nil {
			want.Component = ""
		}
		got := next(t, w.told)
		if ids[got.ID] || got.ID == "" {
			t.Errorf("%s: the event's id %q is empty or another's", x.what, got.ID)
		}
		ids[got.ID], want.ID = true, got.ID
		if !sameEvent(got, want) {
			t.Errorf("%s: the program hears %+v, want %+v", x.what, got, want)
		}
	}
	if got := tab.Eval("location.pathname"); got != "/" {
		t.Errorf("the page is at %s: the browser followed a link whose click was an event", got)
	}
}

func TestInABrowserWhatIsTooLargeForAFrameIsPosted(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	posted := make(chan int, 1)
	w.mux.HandleFunc("POST /text", func(_ http.ResponseWriter, r *http.Request) { posted <- len(r.PostFormValue("text")) })
	w.policy += "; form-action 'self'"
	w.body = `<form id="form" method="post" action="/text" data-live-submit="tell"><textarea name="text"></textarea><button>.</button></form>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	tab.Eval(`document.querySelector("textarea").value = "x".repeat(60000)`)
	tab.Click("#form button")
	if e := next(t, w.told); len(e.Field("text")) != 60_000 {
		t.Errorf("%d characters came over the connection, want 60000", len(e.Field("text")))
	}
	tab.Eval(`document.querySelector("textarea").value = "x".repeat(70000)`)
	tab.Click("#form button")
	if n := next(t, posted); n != 70_000 {
		t.Errorf("%d characters were posted, want 70000", n)
	}
}

func TestInABrowserAnUnknownEventLoadsAPageOfAnotherVersion(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	w.patches = map[string][]lively.Patch{"after": {lively.Text("name", "after")}}
	w.body = `<p data-live-key="part"><button id="old" data-live-click="of another version">.</button></p><p data-live-key="seen"></p>
<button id="after" data-live-click="patch" data-live-value="after">.</button>`
	browser := chromium.Start(t)
	open := func(age, listen string) *chromium.Tab {
		tab := browser.Open(w.url)
		tab.Live()
		tab.Eval(`(window.mark = 1, performance.now = () => ` + age + `)`)
		tab.Eval(`document.addEventListener("lively:unknown", (event) => {
			document.querySelector("[data-live-key=seen]").innerText = event.detail.component;` + listen + `})`)
		tab.Click("#old")
		return tab
	}
	tab := open("60000", "")
	tab.Wait("window.mark !== 1")
	tab.Live()
	for name, tab := range map[string]*chromium.Tab{
		"that it was loaded a moment ago": open("1000", ""),
		"that it takes care itself":       open("60000", "event.preventDefault()"),
	} {
		tab.Wait(`document.querySelector("[data-live-key=seen]").innerText === "part"`)
		tab.Click("#after")
		tab.Wait(`document.querySelector("[data-live-key=name]").innerText === "after"`)
		if tab.Eval("window.mark") != "1" {
			t.Errorf("a page was loaded again in spite of %s", name)
		}
	}
}

func TestInABrowserAttemptsToConnectAreFewer(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	// The page waits no longer than it is let, but says how long it would. The limits
	// of an attempt and of a silence are no waits.
	tab.Eval(`(window.waits = [], window.realTimeout = setTimeout, window.setTimeout = (call, wait) => {
		if ([5000, 10000, 25000].includes(wait)) return 0;
		waits.push(wait);
		return realTimeout(call, waits.length <= 12 ? 0 : 1e9);
	})`)
	if err := w.live.Shutdown(t.Context()); err != nil { // handshakes are answered with 503
		t.Fatal(err)
	}
	tab.Wait("waits.length > 12")
	if got := tab.Eval(`50 <= waits[0] && waits[0] <= 350 && waits.slice(1).every((wait, n) => {
		const most = Math.min(10000, 250 * 2 ** n);
		return most / 2 <= wait && wait <= most;
	})`); got != "true" {
		t.Errorf("before its attempts the page waits for %s ms, want little at first, then twice as long each time, up to 10 s, and by chance up to half of it less",
			tab.Eval("waits.map(Math.round).join()"))
	}
}

func TestInABrowserAMalformedFrameClosesTheConnection(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	served := func(rw http.ResponseWriter, r *http.Request, frame string) error {
		ws, err := websocket.Accept(rw, r, &websocket.AcceptOptions{Subprotocols: []string{"duckgen.live.1"}})
		if err != nil {
			return err
		}
		err = ws.Write(r.Context(), websocket.MessageBinary, []byte(frame))
		for err == nil { // the page may send an event before
			_, _, err = ws.Read(r.Context())
		}
		return err
	}
	browser := chromium.Start(t)
	for name, frame := range map[string]string{
		"cut-short":       "\x92",
		"an-unknown-type": "\xC1",
		"no-UTF-8":        "\x91\xA1\xFF",
		"a-huge-array":    "\xDD\xFF\xFF\xFF\xFF",
		"no-array":        "\xC0",
	} {
		var first sync.Once // the page connects again, and may be gone before a frame comes
		closed := make(chan error, 1)
		w.mux.HandleFunc("GET /"+name, func(rw http.ResponseWriter, r *http.Request) {
			first.Do(func() { closed <- served(rw, r, frame) })
		})
		w.attrs = `data-live="/` + name + `"`
		tab := browser.Open(w.url)
		if err := next(t, closed); websocket.CloseStatus(err) != 4000 {
			t.Errorf("%s: the page ends with %v, want 4000", name, err)
		}
		tab.Go("about:blank")
	}
}
