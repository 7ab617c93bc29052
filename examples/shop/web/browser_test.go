package web_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"

	"github.com/duckgen/duckgen/examples/shop/web"
	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/inspect"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// openShop serves the shop over HTTPS, as it is by default.
func openShop(t *testing.T) (url string) {
	t.Helper()
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	shop, err := web.New(store, inspect.New(), func(c *runtime.Config) {
		c.OnError = func(_ context.Context, err error) { t.Errorf("the shop reports %v", err) }
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(shop)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections) // the inspector looks on
	t.Cleanup(func() { _ = shop.Shutdown(context.Background()) })
	return server.URL
}

// sessionCookie returns the session's cookie, which no script may see.
func sessionCookie(t *testing.T, tab *chromium.Tab) string {
	t.Helper()
	cookies := tab.Cookies()
	if len(cookies) != 1 || cookies[0].Name != "__Host-Http-session_id" || !cookies[0].HTTPOnly || !cookies[0].Secure {
		t.Fatalf("the browser has the cookies %+v, want the session's alone, HttpOnly and Secure", cookies)
	}
	if seen := tab.Eval("document.cookie"); seen != "" {
		t.Errorf("a script sees the cookie %q", seen)
	}
	return cookies[0].Value
}

// inspectorShows is true if the inspector has an entry with the texts.
func inspectorShows(texts ...string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(".entry")].some((entry) => "%s".split(" ").every((text) => entry.innerText.includes(text)))`,
		strings.Join(texts, " "))
}

// TestTheShopInABrowser is the story of a visitor with two tabs.
func TestTheShopInABrowser(t *testing.T) {
	t.Parallel()
	browser := chromium.Start(t)
	url := openShop(t)
	one := browser.Open(url + "/")
	one.Live()
	before := sessionCookie(t, one)

	// The cart changes in place: the page is not loaded again.
	one.Eval("window.mark = 'the same page'")
	one.Click(`form[data-live-submit="cart.add"] button`)
	one.Wait(`document.querySelector(".badge")?.innerText === "1"`)
	if one.Eval("window.mark") != "the same page" {
		t.Error("the page was loaded again")
	}
	two := browser.Open(url + "/cart")
	two.Live()
	if text := two.Text("main"); !strings.Contains(text, "Total") {
		t.Errorf("the other tab shows %q, want the cart", text)
	}

	// Signing in renews the token, in a cookie that no script can set.
	one.Click(`nav a[href="/sign-in"]`)
	one.Type(`input[name="name"]`, "Ada")
	one.Click(`form[data-live-submit="sign-in"] button`)
	one.Wait(`document.querySelector("footer").innerText.includes("Signed in as Ada")`)
	one.Wait(`location.pathname === "/" && document.querySelector(".notice")?.innerText === "Welcome, Ada."`)
	two.Wait(`document.querySelector("footer").innerText.includes("Signed in as Ada")`) // it has connected again
	one.Live()
	if after := sessionCookie(t, one); after == before {
		t.Error("the sign-in kept the token")
	}

	// Links are followed in place, and the inspector shows what events write.
	inspector := browser.Open(url + "/debug/sessions/")
	two.Eval("window.mark = 'the same page'")
	two.Click(`nav a[href="/session"]`)
	two.Wait(`location.pathname === "/session" && document.title === "Your session · duckgen shop"`)
	inspector.Wait(inspectorShows("EVENT", "sign-in", "device", "name", "user_id", "visits", "load", "update"))
	one.Click(`a[href="/products/ghost"]`)
	one.Wait(`location.pathname === "/products/ghost"`)
	inspector.Wait(inspectorShows("EVENT", "navigate", "/products/ghost", "recent", "visits", "load", "update"))
	one.Click(`form[data-live-submit="cart.add"] button`)
	inspector.Wait(inspectorShows("EVENT", "cart.add", "cart", "load", "update"))
	one.Eval("history.back()")
	one.Wait(`location.pathname === "/" && document.querySelector("h1").innerText === "Ducks for thinking"`)
	two.Eval("history.back()")
	two.Wait(`location.pathname === "/cart" && document.querySelector("main").innerText.includes("The Ghost")`)
	for name, tab := range map[string]*chromium.Tab{"first": one, "second": two} {
		if tab.Eval("window.mark") != "the same page" {
			t.Errorf("the page of the %s tab was loaded again", name)
		}
	}

	// Signing out ends the session in both tabs.
	one.Live()
	one.Click(`form[data-live-submit="sign-out"] button`)
	one.Wait(`document.querySelector("footer").innerText.includes("Nobody has signed in")`)
	two.Wait(`document.querySelector("footer").innerText.includes("Nobody has signed in")`)
	two.Wait(`document.querySelector("main").innerText.includes("There is nothing in it")`)
}

func TestTheShopWithoutAScriptInABrowser(t *testing.T) {
	t.Parallel()
	browser := chromium.Start(t)
	url := openShop(t)
	tab := browser.Open(url + "/")
	tab.Live()
	tab.Eval(`document.documentElement.dataset.live = "/nowhere"`)
	tab.Eval(`window.dispatchEvent(new Event("pagehide"))`) // the client lets go of the connection
	tab.Wait(`document.documentElement.dataset.liveState !== "open"`)
	tab.Click(`form[data-live-submit="cart.add"] button`)
	tab.Wait(`document.querySelector(".badge")?.innerText === "1" && document.querySelector(".notice")`)
}

// TestTheShopBindsItsSessionsInABrowser is the shop with -bound, up to a live sign-in
// on a bound session.
func TestTheShopBindsItsSessionsInABrowser(t *testing.T) {
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	shop, err := web.New(store, nil, func(c *runtime.Config) { c.Bound = runtime.BoundAlways })
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(shop)
	t.Cleanup(server.Close)
	t.Cleanup(func() { _ = shop.Shutdown(context.Background()) })
	url := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	tab := chromium.StartBound(t, server.Certificate()).Open(url + "/")
	const bound = "__Host-bound_session_id"
	has := func() bool {
		return slices.ContainsFunc(tab.Cookies(), func(c *network.Cookie) bool { return c.Name == bound })
	}
	for deadline := time.Now().Add(20 * time.Second); !has() && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond) // until the browser has registered
	}
	isBound := func() {
		t.Helper()
		tab.Go(url + "/session")
		if text := tab.Text("main"); !strings.Contains(text, "to a key of this device") {
			t.Fatalf("the page of the session says %q", text)
		}
	}
	isBound()
	tab.Go(url + "/sign-in")
	tab.Live()
	tab.Type(`input[name="name"]`, "Ada")
	tab.Click(`form[data-live-submit="sign-in"] button`)
	tab.Wait(`document.querySelector("footer").innerText.includes("Signed in as Ada")`)
	tab.Live()
	isBound()
}

// TestTheShopOnAPhone is the story of a visitor with a small screen and a keyboard
// alone, in both themes.
func TestTheShopOnAPhone(t *testing.T) {
	testtier.OnlyExhaustive(t, "it looks at every page twice")
	t.Parallel()
	url := openShop(t)
	tab := chromium.Start(t).Open(url + "/")
	tab.Resize(360, 740)
	tab.Live()
	tab.Reach(`form[data-live-submit="cart.add"] button`)
	tab.Press("\r")
	tab.Wait(`document.querySelector(".badge")?.innerText === "1"`)
	tab.Go(url + "/sign-in")
	tab.Live()
	tab.Reach(`[name="remember"]`) // from the name, which has the focus
	tab.Press(" \t\r")
	tab.Wait(`document.activeElement.name === "name"`) // a name is required
	tab.Press("Ada\r")
	tab.Wait(`document.querySelector("footer").innerText.includes("Signed in as Ada")`)
	for _, theme := range []string{"light", "dark"} {
		tab.Wait("document.documentElement.className === '" + theme + "'")
		for _, path := range []string{"/", "/cart", "/products/classic", "/sign-in", "/session", "/devices"} {
			tab.Go(url + path)
			if !tab.Fits() {
				t.Errorf("%s scrolls sideways", path)
			}
			for _, selector := range []string{"h1", "a", "footer"} {
				if ratio := tab.Contrast(selector); ratio < 4.5 {
					t.Errorf("%s: %s is hard to read in %s: a contrast of %.1f", path, selector, theme, ratio)
				}
			}
		}
		if theme == "light" {
			tab.Reach(`[name="theme"]`)
			tab.Press("\r")
		}
	}
}
