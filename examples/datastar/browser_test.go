package main

import (
	"testing"

	"github.com/duckgen/duckgen/internal/chromium"
)

// client does what Datastar's client does with the events of this example: it
// puts elements in the place of those with their id, and appends scripts, which
// the browser runs. The real one comes from a content delivery network, which
// tests do not ask for anything.
const client = `window.stream = async (path) => {
	const apply = (event) => {
		const html = event.split("\n").filter((line) => line.startsWith("data: elements ")).map((line) => line.slice(15)).join("\n");
		const holder = document.createElement("template");
		holder.innerHTML = html;
		for (const element of holder.content.children) {
			if (element.id) {
				document.getElementById(element.id).replaceWith(element);
				continue;
			}
			const script = document.createElement("script");
			script.textContent = element.textContent;
			document.body.append(script);
		}
	};
	const response = await fetch(path, { method: "POST" });
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
	let text = "";
	for (let part = await reader.read(); !part.done; part = await reader.read()) {
		const events = (text + part.value).split("\n\n");
		text = events.pop();
		events.forEach(apply);
	}
}`

// open shows the page and begins its stream.
func open(browser *chromium.Browser, url string) *chromium.Tab {
	tab := browser.Open(url)
	tab.Eval("(" + client + ", stream('/feed'), 0)")
	return tab
}

func shows(tab *chromium.Tab, text string) {
	tab.Wait(`document.getElementById("name").innerText === "` + text + `"`)
}

func TestInABrowserAStreamSignsInAndOut(t *testing.T) {
	url := serve(t)
	browser := chromium.Start(t)
	tab := open(browser, url)
	shows(tab, "Signed in: nobody")
	tab.Eval("(stream('/sign-in'), 0)")
	shows(tab, "Signed in as Ada")
	// The script of the stream fetches the cookie; a page that is loaded after it
	// has its session.
	tab.Wait(`performance.getEntriesByType("resource").some((entry) => entry.name.includes("/lively/sync?ticket=") && entry.responseStatus === 204)`)
	cookies := tab.Cookies()
	if len(cookies) != 1 || cookies[0].Name != "session_id" || !cookies[0].HTTPOnly {
		t.Fatalf("the browser has the cookies %+v, want the session's alone, HttpOnly", cookies)
	}
	if seen := tab.Eval("document.cookie"); seen != "" {
		t.Errorf("a script sees the cookie %q", seen)
	}

	one, two := open(browser, url), open(browser, url)
	shows(one, "Signed in: Ada")
	shows(two, "Signed in: Ada")
	one.Eval(`fetch("/sign-out", { method: "POST" })`)
	for _, other := range []*chromium.Tab{one, two} {
		other.Wait("!window.stream") // its page was loaded again
	}
	again := open(browser, url)
	shows(again, "Signed in: nobody")
}
