package inspect_test

import (
	"testing"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
)

// hasEntry is true if the page shows, not only has, an entry with the texts.
const hasEntry = `((...texts) => [...document.querySelectorAll(".entry")].some((e) => !e.hidden && texts.every((t) => e.innerText.includes(t))))`

// TestTheInspectorInABrowser is what a developer sees who uses the program in one tab
// and looks in another one.
func TestTheInspectorInABrowser(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const markup = `<img src=x onerror="document.title = 'hacked'">`
	s.handle("/write", func(v *sessiontest.VisitorSession) {
		v.SetUserID(7)
		v.SetAddress(sessiontest.Address{Street: markup})
		v.SetAPIKey("a key that nobody may see")
	})
	s.handle("/read/", func(v *sessiontest.VisitorSession) { v.Address() })
	browser := chromium.Start(t)
	page := browser.Open(s.server.URL + mount)
	page.Resize(360, 740) // a phone's
	page.Wait(`document.getElementById("state").innerText === "live"`)
	page.Wait(`document.getElementById("session").innerText.includes("Nothing is stored of this browser yet.")`)

	program := browser.Open(s.server.URL + "/write")
	page.Wait(hasEntry + `("GET", "/write", "200", "address", "user_id", "create", " B", "signed_in")`)
	program.Go(s.server.URL + "/read/%3Cimg%20src=x%20onerror=alert(1)%3E")
	page.Wait(hasEntry + `("/read/<img src=x onerror=alert(1)>", "address", "load")`)
	page.Wait(`document.getElementById("session").innerText.includes("<img src=x onerror=")`)
	if page.Eval(`document.querySelectorAll("img").length + document.title`) != "0Sessions" {
		t.Error("a value has become markup")
	}
	if text := page.Text("#session"); text == "" || page.Eval(`document.body.innerText.includes("nobody may see")`) != "false" {
		t.Errorf("the session shows %q", text)
	}
	page.Wait(`[...document.querySelectorAll("#session tr")].some((row) => row.innerText.includes("api_key") && row.innerText.includes("sealed"))`)
	if !page.Fits() {
		t.Error("the page of a phone scrolls sideways")
	}

	// Another browser comes, and the filter leaves it out, by the keyboard alone.
	s.browser().get("/write")
	page.Wait(`[...document.querySelectorAll(".entry .name")].filter((e) => e.innerText === "/write").length === 2`)
	page.Press("\t")
	if page.Eval(`document.activeElement.id`) != "filter" {
		t.Error("the first stop of the keyboard is not the filter")
	}
	page.Press("t") // "this browser"
	page.Wait(`[...document.querySelectorAll(".entry")].filter((e) => !e.hidden && e.querySelector(".name").innerText === "/write").length === 1`)
	page.Press("\t")
	page.Press(" ")
	page.Wait(`document.activeElement.getAttribute("aria-pressed") === "true" && document.getElementById("state").innerText === "paused"`)
	program.Go(s.server.URL + "/write")
	page.Press(" ")
	page.Wait(`document.getElementById("state").innerText === "live" && [...document.querySelectorAll(".entry")].filter((e) => !e.hidden && e.querySelector(".name").innerText === "/write").length === 2`)

	background := `getComputedStyle(document.body).backgroundColor`
	page.Prefer("light")
	light := page.Eval(background)
	page.Prefer("dark")
	if dark := page.Eval(background); light != "rgb(246, 247, 249)" || dark != "rgb(20, 23, 28)" {
		t.Errorf("the background is %s in light and %s in dark", light, dark)
	}
}
