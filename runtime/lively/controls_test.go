package lively_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/internal/testtier"
)

// What an element does by itself it goes on doing on a live page.

func TestInABrowserControlsGoOnWorking(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.body = `<input id="box" type="checkbox" data-live-click="tell"><label id="label" data-live-click="tell" data-live-value="label"><input id="labelled" type="checkbox">.</label>
<section id="card" data-live-click="tell" data-live-value="card"><b id="plain">.</b><a id="link" href="#there">.</a><input id="inner" type="checkbox">
<label id="name" for="inner">.</label><details id="more"><summary id="summary">.</summary>more</details><button id="button"><i id="icon">.</i></button></section>
<select id="several" multiple data-live-change="tell"><option>x<option>y<option>z</select>
<div id="text" contenteditable data-live-input="tell">.</div><input id="files" type="file" multiple data-live-change="tell">
<div id="host" data-live-key="host"></div><a id="act" href="/elsewhere" data-live-click="tell" data-live-value="act">.</a>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	hears := func(what string, want any) {
		t.Helper()
		if e := next(t, w.told); !reflect.DeepEqual(e.Value, want) {
			t.Errorf("%s: the program hears %v, want %v", what, e.Value, want)
		}
	}
	holds := func(what, expression string) {
		t.Helper()
		if got := tab.Eval(expression); got != "true" {
			t.Errorf("%s: %s is %s", what, expression, got)
		}
	}
	tab.Click("#box")
	hears("a checkbox", true)
	holds("a checkbox", "document.querySelector('#box').checked")
	tab.Click("#label")
	hears("a label", "label")
	holds("a label", "document.querySelector('#labelled').checked")

	// Within a card, and nothing of it is the card's.
	tab.Click("#link")
	tab.Wait(`location.hash === "#there"`)
	tab.Click("#inner")
	holds("a checkbox in a card", "document.querySelector('#inner').checked")
	tab.Click("#name")
	holds("a label in a card", "!document.querySelector('#inner').checked")
	tab.Click("#summary")
	tab.Wait("document.querySelector('#more').open")
	tab.Eval(`document.querySelector("#button").addEventListener("click", () => { window.pressed = true })`)
	tab.Click("#icon")
	holds("a button in a card", "window.pressed")
	tab.Eval(`document.querySelector("#act").dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey: true }))`) // for a new tab
	tab.Click("#plain")
	hears("a card", "card")
	tab.Click("#act")
	hears("a link that is an event", "act")
	holds("a link that is an event", `location.pathname === "/"`)

	tab.Eval(`(select => (select.options[0].selected = select.options[2].selected = true, select.dispatchEvent(new Event("change", { bubbles: true }))))(document.querySelector("#several"))`)
	hears("a choice of several", []any{"x", "z"})
	tab.Eval(`(text => (text.textContent = "typed", text.dispatchEvent(new InputEvent("input", { bubbles: true }))))(document.querySelector("#text"))`)
	hears("text that can be edited", "typed")
	path := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	tab.Choose("#files", path)
	hears("files", []any{map[string]any{"name": "a.txt", "size": int64(7), "type": "text/plain"}})

	// Shadow trees that are open.
	tab.Eval(`document.querySelector("#host").attachShadow({ mode: "open" }).innerHTML =
		'<button data-live-click="tell" data-live-value="shadow">.</button><input data-live-change="tell">'`)
	tab.Eval(`document.querySelector("#host").shadowRoot.querySelector("button").click()`)
	hears("a button in a shadow tree", "shadow")
	tab.Eval(`(field => (field.focus(), field.value = "changed", field.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true })),
		field.dispatchEvent(new Event("change", { bubbles: true }))))(document.querySelector("#host").shadowRoot.querySelector("input"))`)
	hears("a field in a shadow tree", "changed")
}

func TestInABrowserTextIsHeardOnceItIsComposed(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	w.body = `<input id="field" data-live-input="tell" data-live-keydown="tell">`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	compose := func(after string) string {
		return fmt.Sprintf(`((field) => {
			const tell = (type, more) => field.dispatchEvent(new (/key/.test(type) ? KeyboardEvent : InputEvent)(type, { bubbles: true, ...more }));
			for (const text of ["k", "ka", "か"]) field.value = text, tell("keydown", { isComposing: true, key: "Process" }), tell("input", { isComposing: true });
			field.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true }));
			%s
			setTimeout(() => { field.value += "!"; tell("input"); }, 20);
		})(document.querySelector("#field"))`, after)
	}
	for _, after := range []string{"", `tell("input");`} { // some browsers tell of the end by an input
		tab.Eval(compose(after))
		first, second := next(t, w.told), next(t, w.told)
		if got := []any{first.Value, second.Value}; !reflect.DeepEqual(got, []any{"か", "か!"}) {
			t.Errorf("the program hears %v", got)
		}
	}
}

func TestInABrowserAFormIsSubmittedOnce(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	hold, posted := w.holding(), make(chan string, 1)
	w.mux.HandleFunc("POST /files", func(_ http.ResponseWriter, r *http.Request) {
		file, header, err := r.FormFile("file")
		if err != nil {
			t.Error(err)
			return
		}
		content, _ := io.ReadAll(file)
		posted <- header.Filename + " " + string(content) + " " + r.FormValue("name")
	})
	w.policy += "; form-action 'self'"
	w.body = `<form id="form" data-live-key="f" data-live-submit="hold" data-live-reset><input name="text" value="first"><button id="send">.</button><button id="other" type="button">.</button><button id="off" disabled>.</button></form>
<form id="withFile" method="post" action="/files" enctype="multipart/form-data" data-live-submit="tell"><input name="name" value="Ada"><input id="file" name="file" type="file"><button>.</button></form>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	state := `[document.querySelector("#form").hasAttribute("data-live-busy"), ...["#send", "#other", "#off"].map((id) => document.querySelector(id).disabled)].join()`
	tab.Eval(`document.querySelector("[name=text]").value = "typed"`)
	tab.Click("#send")
	next(t, hold.running)
	if got := tab.Eval(state); got != "true,true,false,true" {
		t.Errorf("while its event runs the form is busy, and its buttons disabled: %s", got)
	}
	tab.Wait(`document.activeElement === document.body`)
	tab.Eval(`document.querySelector("#form").requestSubmit()`)
	tab.Eval(`document.querySelector("#form").requestSubmit()`)
	hold.end <- nil
	tab.Wait(`!document.querySelector("#form").hasAttribute("data-live-busy")`)
	if got := tab.Eval(state); got != "false,false,false,true" {
		t.Errorf("after its event the form is busy, and its buttons disabled: %s", got)
	}
	if got := tab.Eval(`document.activeElement.id`); got != "send" {
		t.Errorf("after its event the focus is on %q, want the button that had it", got)
	}
	if got := tab.Eval(`document.querySelector("[name=text]").value`); got != "first" {
		t.Errorf("after its event the field has %q, want what it begins with", got)
	}
	tab.Click("#send") // the next one is the second that runs
	next(t, hold.running)
	hold.end <- nil
	tab.Wait(`!document.querySelector("#form").hasAttribute("data-live-busy")`)
	if got := hold.count.Load(); got != 2 {
		t.Errorf("the form was submitted %d times, want 2", got)
	}

	// A form with a file is the browser's.
	tab.Click("#withFile button")
	if e := next(t, w.told); e.Field("name") != "Ada" {
		t.Errorf("a form whose file is not chosen sends %v", e.Value)
	}
	path := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	tab.Choose("#file", path)
	tab.Wait(`!document.querySelector("#withFile").hasAttribute("data-live-busy")`)
	tab.Click("#withFile button")
	if got := next(t, posted); got != "a.txt content Ada" {
		t.Errorf("posted: %q", got)
	}
}

func TestInABrowserEventsOfManyKinds(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	w.policy += "; style-src 'unsafe-inline'" // for a page that is long
	w.body = `<input id="keys" data-live-keydown="tell" data-live-keys="Enter ctrl+s" value="field"><input id="seen" data-live-focus="tell" data-live-blur="tell" value="seen">
<div id="menu" data-live-away="tell" data-live-value="away"><b id="within">.</b></div>
<div data-live-window-resize="tell" data-live-window-keydown="tell" data-live-keys="Escape"></div>
<input id="paused" data-live-input="tell" data-live-debounce="50"><button id="slowed" data-live-click="tell" data-live-throttle="150" data-live-value="slowed">.</button>
<p style="height: 300vh">.</p><p id="below" data-live-visible="tell" data-live-value="visible">.</p>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	hears := func(what string, want any) {
		t.Helper()
		if e := next(t, w.told); !reflect.DeepEqual(e.Value, want) {
			t.Errorf("%s: the program hears %v, want %v", what, e.Value, want)
		}
	}
	key := func(on, options string) {
		tab.Eval(fmt.Sprintf(`%s.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, %s }))`, on, options))
	}
	keys := `document.querySelector("#keys")`
	key(keys, `key: "a"`)
	key(keys, `key: "s"`)
	key(keys, `key: "s", ctrlKey: true`)
	hears("a key with another", "field")
	key(keys, `key: "Enter"`)
	hears("a key", "field")
	key("document.body", `key: "Enter"`)
	key("document.body", `key: "Escape"`)
	hears("a key of the window", "Escape")
	tab.Eval(`document.querySelector("#seen").focus()`)
	hears("focus", "seen")
	tab.Eval(`document.querySelector("#seen").blur()`)
	hears("blur", "seen")
	tab.Click("#within")
	tab.Eval(`document.body.click()`)
	hears("a click elsewhere", "away")
	tab.Eval(`window.dispatchEvent(new Event("resize"))`)
	if e := next(t, w.told); fmt.Sprint(e.Value) != "map[height:"+tab.Eval("innerHeight")+" width:"+tab.Eval("innerWidth")+"]" {
		t.Errorf("a resized window: the program hears %v", e.Value)
	}
	tab.Eval(`((field) => { for (const text of ["a", "ab", "abc"]) field.value = text, field.dispatchEvent(new InputEvent("input", { bubbles: true })); })(document.querySelector("#paused"))`)
	hears("text after a pause", "abc")
	tab.Eval(`((field) => { field.focus(); field.value = "left"; field.dispatchEvent(new InputEvent("input", { bubbles: true })); field.blur(); })(document.querySelector("#paused"))`)
	hears("text that was left", "left")
	tab.Eval(`((button) => { for (let n = 0; n < 5; n++) button.click(); })(document.querySelector("#slowed"))`)
	hears("a click away from the menu", "away")
	hears("the first click", "slowed")
	for range 4 {
		hears("clicks away from the menu", "away")
	}
	hears("the last click", "slowed")
	tab.Eval(`document.querySelector("#below").scrollIntoView()`)
	hears("what has come into view", "visible")
}

func TestInABrowserTheWindowHasEvents(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	w.policy += "; style-src 'unsafe-inline'" // for a page that is long
	w.body = `<i data-live-window-focus="tell" data-live-value="focus"></i><i data-live-window-blur="tell" data-live-value="blur"></i>
<i data-live-window-scroll="tell"></i><p style="height: 300vh">.</p>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	for _, x := range []struct{ act, want string }{
		{`dispatchEvent(new Event("blur"))`, "blur"},
		{`dispatchEvent(new Event("focus"))`, "focus"},
		{`scrollTo(0, 40)`, "map[x:0 y:40]"},
	} {
		tab.Eval("(" + x.act + `, "")`)
		if e := next(t, w.told); fmt.Sprint(e.Value) != x.want {
			t.Errorf("after %s the program hears %v, want %s", x.act, e.Value, x.want)
		}
	}
}
