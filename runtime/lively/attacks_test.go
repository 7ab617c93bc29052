package lively_test

import (
	"html/template"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime/lively"
)

// What markup without scripts could do to the client, which a page may have of
// others.

// clobbered has elements whose names stand in for what document and a form have.
func clobbered() string {
	var b strings.Builder
	for _, name := range []string{"querySelector", "querySelectorAll", "createElement", "addEventListener", "dispatchEvent",
		"activeElement", "visibilityState", "createTreeWalker", "trustedTypes", "WebSocket"} {
		b.WriteString(`<img name="` + name + `">`)
	}
	b.WriteString(`<form name="documentElement" data-live="wss://evil.example/" data-live-load="tell" data-live-script="allow"></form>
<form id="form" data-live-key="form" data-live-submit="tell">`)
	for _, name := range []string{"getAttribute", "hasAttribute", "setAttribute", "removeAttribute", "closest", "matches", "contains",
		"elements", "dataset", "dispatchEvent", "isConnected", "isContentEditable", "nodeType", "nodeName", "namespaceURI", "children",
		"childNodes", "firstChild", "insertBefore", "append", "remove", "replaceWith", "getAttributeNames", "parentNode", "reset", "type", "value"} {
		b.WriteString(`<input name="` + name + `" value="x">`)
	}
	b.WriteString(`<button id="send">.</button></form>`)
	return b.String()
}

func TestInABrowserMarkupDoesNotReachTheClient(t *testing.T) {
	t.Parallel()
	browser := chromium.Start(t)
	for name, policy := range map[string]string{"with a policy": strict, "without": ""} {
		w := newWeb(t)
		w.policy, w.body = policy, clobbered()+`<button id="go" data-live-click="patch" data-live-value="all">.</button><p id="part" data-live-key="part"></p>`
		w.patches = map[string][]lively.Patch{"all": {
			lively.Insert("form", 0, lively.Node{Tag: "b", Key: "first", Text: "first"}),
			lively.Attributes("form", map[string]string{"id": "form", "data-live-submit": "tell", "title": "t"}),
			lively.Style("form", map[string]string{"font-size": "9px"}),
			lively.HTML("part", template.HTML(`<i>part</i>`)),
		}}
		tab := browser.Open(w.url)
		tab.Wait(`document.firstElementChild.dataset.liveState === "open"`)
		tab.Eval(`document.getElementById("go").click()`)
		tab.Wait(`document.getElementById("part").innerHTML === "<i>part</i>"`)
		if got := tab.Eval(`(form => Element.prototype.getAttribute.call(form, "title") + Element.prototype.querySelector.call(form, "b").innerText)(document.getElementById("form"))`); got != "tfirst" {
			t.Errorf("%s: the form has %q after its patches", name, got)
		}
		tab.Eval(`document.getElementById("send").click()`)
		if e := next(t, w.told); e.Component != "form" || e.Field("closest") != "x" {
			t.Errorf("%s: the program hears %+v, want what the form has, and nothing before", name, e)
		}
	}
}

func TestInABrowserTheConnectionLeadsToThePagesOrigin(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w, evil := newWeb(t), newWeb(t)
	w.policy = ""
	w.attrs = `data-live="` + strings.Replace(evil.url, "https:", "wss:", 1) + `/lively"`
	tab := chromium.Start(t).Open(w.url) // which returns once the page's scripts have run
	if got := tab.Eval(`document.documentElement.dataset.liveState`); got != "undefined" {
		t.Errorf("the page is %s, want no connection to another origin", got)
	}
	w.attrs = `data-live="` + strings.Replace(w.url, "https:", "wss:", 1) + `/lively"`
	w.attrs = strings.Replace(w.attrs, "wss:", "https:", 1)
	tab.Go(w.url)
	tab.Live()
}

func TestInABrowserTrustedTypes(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	w.patches = map[string][]lively.Patch{"markup": {
		lively.HTML("part", template.HTML(`<i onclick="spoil()">markup</i>`)),
		lively.Text("done", "done"),
	}}
	w.body = `<button id="go" data-live-click="patch" data-live-value="markup">.</button><p data-live-key="part">before</p><p data-live-key="done"></p>`
	browser := chromium.Start(t)
	for types, want := range map[string]string{"duckgen-live": "<i>markup</i>", "'none'": "before"} {
		w.policy = strict + "; require-trusted-types-for 'script'; trusted-types " + types
		tab := browser.Open(w.url)
		tab.Live()
		tab.Click("#go")
		tab.Wait(`document.querySelector("[data-live-key=done]").innerText === "done"`)
		if got := tab.Eval(`document.querySelector("[data-live-key=part]").innerHTML`); got != want {
			t.Errorf("with the types %s the part is %q, want %q", types, got, want)
		}
	}
}
