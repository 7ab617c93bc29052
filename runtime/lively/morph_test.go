package lively_test

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime/lively"
)

// What stays while patches change the page around it.

func TestInABrowserWhatIsTypedStays(t *testing.T) {
	t.Parallel()
	part := func(order []int, n string) template.HTML {
		var b strings.Builder
		fmt.Fprintf(&b, `<h2 title=%[1]q>%[1]s</h2><p><input id="typed" name="typed" value="begun"><input name="fresh" value=%[1]q><textarea name="text">begun</textarea>
<input type="checkbox" name="box"><select name="choice"><option>x<option>y</select></p><details><summary>.</summary>more</details>
<div id="scrolled" style="height: 20px; overflow: auto"><p style="height: 200px">.</p></div><div contenteditable id="note"><b>bold</b> text</div><ul>`, n)
		for _, item := range order {
			fmt.Fprintf(&b, `<li data-live-key="item%d"><input name="item"></li>`, item)
		}
		b.WriteString(`</ul>`)
		return template.HTML(b.String())
	}
	w := newWeb(t)
	w.policy += "; style-src 'unsafe-inline'"
	w.patches = map[string][]lively.Patch{
		"part":  {lively.HTML("part", part([]int{3, 1, 2}, "second"))},
		"named": {lively.Replace("note", lively.Node{Tag: "div", Key: "note", Attributes: map[string]string{"contenteditable": ""}, Children: []lively.Node{{Tag: "i", Text: "other text"}}})},
	}
	w.body = `<div data-live-key="part">` + string(part([]int{1, 2, 3}, "first")) + `</div><div data-live-key="note" contenteditable>some text</div>` +
		`<button id="go" data-live-click="patch" data-live-value="part">.</button><button id="named" data-live-click="patch" data-live-value="named">.</button>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	tab.Eval(`(document.querySelector("#scrolled").scrollTop = 30, document.querySelector("[name=typed]").value = "typed", document.querySelector("[name=text]").value = "typed too",
		document.querySelector("[name=box]").checked = true, document.querySelector("[name=choice]").value = "y", document.querySelector("details").open = true,
		window.field = document.querySelector("[data-live-key=item2] input"), field.value = "in a list", field.focus(), field.setSelectionRange(1, 3, "backward"))`)
	tab.Eval(`document.querySelector("#go").click()`)
	tab.Wait(`document.querySelector("h2").title === "second"`)
	for expression, want := range map[string]string{
		`document.querySelector("h2").innerText`:                                          "second",
		`document.querySelector("[name=typed]").value`:                                    "typed",
		`document.querySelector("[name=fresh]").value`:                                    "second",
		`document.querySelector("[name=text]").value`:                                     "typed too",
		`document.querySelector("[name=box]").checked`:                                    "true",
		`document.querySelector("[name=choice]").value`:                                   "y",
		`document.querySelector("details").open`:                                          "true",
		`document.querySelector("#scrolled").scrollTop`:                                   "30",
		`[...document.querySelectorAll("li")].map((item) => item.dataset.liveKey).join()`: "item3,item1,item2",
		`[document.activeElement === field, field.isConnected, field.value].join()`:       "true,true,in a list",
		`[field.selectionStart, field.selectionEnd, field.selectionDirection].join()`:     "1,3,backward",
	} {
		if got := tab.Eval(expression); got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}

	// A caret in text that a patch replaces.
	tab.Eval(`(note => (note.focus(), getSelection().setBaseAndExtent(note.firstChild, 2, note.firstChild, 6)))(document.querySelector("[data-live-key=note]"))`)
	tab.Eval(`document.querySelector("#named").click()`)
	tab.Wait(`document.querySelector("[data-live-key=note]").innerHTML === "<i>other text</i>"`)
	if got := tab.Eval(`[document.activeElement.dataset.liveKey, getSelection().toString()].join()`); got != "note,her " {
		t.Errorf("the focus and the selected text are %s, want note and its third to sixth character", got)
	}
}

func TestInABrowserAPatchThatFailsIsTheOnlyOne(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	const svg = "http://www.w3.org/2000/svg"
	w := newWeb(t)
	w.patches = map[string][]lively.Patch{"all": {
		lively.Text("one", "changed"),
		lively.Attributes("two", map[string]string{"no name": "x"}),
		lively.Insert("two", 0, lively.Node{Tag: "no tag"}),
		lively.HTML("three", `<b onclick="spoil()" OnFocus="spoil()" title="t">b</b>`),
		lively.Insert("four", 0, lively.Node{Tag: "script", Key: "run", Text: `document.title = "spoilt"`}),
		lively.Insert("four", 1, lively.Node{Tag: "script", Attributes: map[string]string{"src": "/spoil.js"}}),
		lively.Insert("picture", 0, lively.Node{Tag: "circle", Attributes: map[string]string{"r": "1"}}),
		lively.Insert("picture", 0, lively.Node{Tag: "foreignObject", Children: []lively.Node{{Tag: "p", Key: "in"}}}),
		lively.HTML("group", `<path d="M0 0"/><text>t</text>`),
		lively.Insert("four", 2, lively.Node{Tag: "svg", Children: []lively.Node{{Tag: "linearGradient"}}}),
		lively.Insert("picture", 0, lively.Node{Tag: "script", Text: `document.title = "spoilt"`}),
		lively.Text("done", "done"),
	}}
	w.body = `<p data-live-key="one">.</p><p data-live-key="two">.</p><p data-live-key="three"></p><p data-live-key="four"></p>
<svg data-live-key="picture"><g data-live-key="group"></g></svg><p data-live-key="done"></p><button id="go" data-live-click="patch" data-live-value="all">.</button>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	tab.Click("#go")
	tab.Wait(`document.querySelector("[data-live-key=done]").innerText === "done"`)
	for expression, want := range map[string]string{
		`document.querySelector("[data-live-key=one]").innerText`:                    "changed",
		`document.querySelector("[data-live-key=three]").innerHTML`:                  `<b title="t">b</b>`,
		`document.querySelector("[data-live-key=four]").children.length`:             "3",
		`document.querySelector("circle").namespaceURI`:                              svg,
		`document.querySelector("path").namespaceURI`:                                svg,
		`document.querySelector("linearGradient").namespaceURI`:                      svg,
		`document.querySelector("foreignObject").namespaceURI`:                       svg,
		`document.querySelector("foreignObject p").namespaceURI`:                     "http://www.w3.org/1999/xhtml",
		`performance.getEntriesByType("resource").some((r) => /spoil/.test(r.name))`: "false",
		"document.title": "page",
	} {
		if got := tab.Eval(expression); got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
}

func TestInABrowserKeysAreFoundInAPageThatOthersChange(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	w.patches = map[string][]lively.Patch{"x": {lively.Text("x", "patched")}}
	w.body = `<p data-live-key="x">.</p><button id="go" data-live-click="patch" data-live-value="x">.</button>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	for _, change := range []string{
		`null`,
		`document.querySelector("[data-live-key=x]").outerHTML = '<p data-live-key="x">another</p>'`,
		`(p => (p.dataset.liveKey = "y", p.innerText = "other", p.insertAdjacentHTML("afterend", '<p data-live-key="x">.</p>')))(document.querySelector("[data-live-key=x]"))`,
		`document.querySelector("[data-live-key=x]").remove() || document.body.insertAdjacentHTML("beforeend", '<p data-live-key="x">.</p>')`,
	} {
		tab.Eval(change)
		tab.Eval(`document.querySelector("[data-live-key=x]").append("!")`)
		tab.Click("#go")
		tab.Wait(`document.querySelector("[data-live-key=x]").innerText === "patched"`)
	}
	if got := tab.Eval(`document.querySelector("[data-live-key=y]").innerText`); got != "other" {
		t.Errorf("the element that has another key now is %q", got)
	}
}

// TestInABrowserManyPatches reports how long a frame of patches takes, beside a loop
// that looks for the element of each.
func TestInABrowserManyPatches(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	const keys, count = 1000, 20_000
	var list []lively.Patch
	for n := range count {
		list = append(list, lively.Text(fmt.Sprintf("k%d", n%keys), fmt.Sprint(n)))
	}
	w := newWeb(t)
	w.patches = map[string][]lively.Patch{"many": list}
	var body strings.Builder
	for n := range keys {
		fmt.Fprintf(&body, `<p data-live-key="k%d">.</p>`, n)
	}
	w.body = body.String() + `<button id="go" data-live-click="patch" data-live-value="many">.</button>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	tab.Eval(`(window.took = 0, window.WebSocket = class extends WebSocket {
		set onmessage(receive) {
			super.onmessage = (event) => {
				const begun = performance.now();
				receive(event);
				window.took = Math.max(took, performance.now() - begun);
			};
		}
	})`)
	tab.Eval(`window.dispatchEvent(new Event("pagehide"))`)
	tab.Eval(`window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`)
	tab.Live()
	tab.Click("#go")
	tab.Wait(fmt.Sprintf(`document.querySelector("[data-live-key=k%d]").innerText === "%d"`, keys-1, count-1))
	loop := fmt.Sprintf(`(begun => {
		for (let n = 0; n < %d; n++) document.querySelector('[data-live-key="k' + n %% %d + '"]').textContent = String(n);
		return performance.now() - begun;
	})(performance.now())`, count, keys)
	took, looking := number(t, tab.Eval("took")), number(t, tab.Eval(loop))
	t.Logf("%d patches take %.0f ms, with the frame's decoding; to look for each element %.0f ms", count, took, looking)
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestInABrowserWhatIsToBeKeptIsLeftAlone(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	w.patches = map[string][]lively.Patch{"part": {lively.HTML("part", `<p id="kept" data-live-keep title="theirs">theirs</p><p id="other">theirs</p>`)}}
	w.body = `<div data-live-key="part"><p id="kept" data-live-keep>.</p><p id="other">.</p></div>
<button id="go" data-live-click="patch" data-live-value="part">.</button>`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	tab.Eval(`(kept.innerHTML = "<b>of a script</b>", "")`)
	tab.Click("#go")
	tab.Wait(`other.innerText === "theirs"`)
	if got := tab.Eval(`kept.title + kept.innerHTML`); got != "<b>of a script</b>" {
		t.Errorf("what was to be kept is %s", got)
	}
}
