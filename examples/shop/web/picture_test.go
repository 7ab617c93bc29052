package web_test

import (
	"flag"
	"os"
	"testing"

	"github.com/duckgen/duckgen/internal/chromium"
)

var picture = flag.String("picture", "", "`file` that a picture of the inspector is written to, as PNG")

// mostBytes is how large the picture may be: people load it with the README.
const mostBytes = 150 << 10

// TestThePictureOfTheInspector takes the picture in the documentation:
//
//	go test ./examples/shop/web -run Picture -picture ../../../docs/inspector.png
func TestThePictureOfTheInspector(t *testing.T) {
	if *picture == "" {
		t.Skip("only with -picture")
	}
	browser := chromium.Start(t)
	url := openShop(t)
	visitor := browser.Open(url + "/")
	visitor.Live()
	visitor.Click(`form[data-live-submit="cart.add"] button`)
	visitor.Wait(`document.querySelector(".badge")?.innerText === "1"`)
	visitor.Click(`nav a[href="/sign-in"]`)
	visitor.Type(`input[name="name"]`, "Ada")
	visitor.Click(`form[data-live-submit="sign-in"] button`)
	visitor.Wait(`document.querySelector("footer").innerText.includes("Signed in as Ada")`)
	visitor.Go(url + "/cart")

	inspector := browser.Open(url + "/debug/sessions/")
	inspector.Resize(1200, 740)
	inspector.Prefer("light")
	inspector.Wait(inspectorShows("sign-in", "signed_in"))
	inspector.Wait(`document.querySelector(".entry.mine") && document.getElementById("session").innerText.includes("Ada")`)
	png := inspector.Picture()
	if len(png) > mostBytes {
		t.Errorf("the picture has %d bytes, want at most %d", len(png), mostBytes)
	}
	if err := os.WriteFile(*picture, png, 0o644); err != nil {
		t.Fatal(err)
	}
}
