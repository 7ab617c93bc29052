package sessiontest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
)

// A release serves the same store with another cookie.
type release struct {
	cookie func(*runtime.Cookie)
	host   string // that a proxy in front sends, empty: the browser's
}

// releases serves a program whose releases follow one another, at one address.
func releases(t *testing.T, list ...release) (address string, next func()) {
	t.Helper()
	var running http.Handler
	var handlers []http.Handler
	store := newSite(t).store
	for _, d := range list {
		s := newSiteOn(t, store, func(c *runtime.Config) { d.cookie(&c.Cookie) })
		handlers = append(handlers, d.proxied(pages(s)))
	}
	next = func() { running, handlers = handlers[0], handlers[1:] }
	next()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { running.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return "https://www.shop.localhost:" + u.Port() + "/app/", next
}

func (d release) proxied(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.host != "" {
			r.Host = d.host
		}
		next.ServeHTTP(w, r)
	})
}

// pages are those of the test: each says who has signed in and how often the
// session was counted.
func pages(s *site) http.Handler {
	return s.behind(func(w http.ResponseWriter, r *http.Request, v *VisitorSession) {
		switch r.URL.Path {
		case "/app/sign-in":
			v.SetUserID(7)
		case "/app/sign-out":
			v.Destroy()
		case "/app/count":
			v.AddViews(1)
		}
		text := fmt.Sprintf("user %d, %d views", v.UserID(), v.Views())
		_, _ = fmt.Fprint(w, text)
	})
}

// TestR10ADeployThatMovesTheCookieSignsNobodyOut is what real browsers do with the
// cookies of two deploys.
func TestR10ADeployThatMovesTheCookieSignsNobodyOut(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	plain := release{cookie: func(*runtime.Cookie) {}}
	partitioned := release{cookie: func(c *runtime.Cookie) { c.Partitioned, c.SameSite = true, http.SameSiteNoneMode }}
	domain := release{cookie: func(c *runtime.Cookie) { c.Domain = "shop.localhost" }}
	proxied := release{cookie: func(*runtime.Cookie) {}, host: "app:8080"}
	named := release{cookie: func(c *runtime.Cookie) { c.Earlier = []runtime.CookieScope{{Domain: "shop.localhost"}} }, host: "app:8080"}
	underApp := release{cookie: func(c *runtime.Cookie) { c.Path = "/app" }}
	browser := chromium.Start(t)
	for _, c := range []struct {
		name          string
		before, after release
		keepsBoth     bool // nothing says where the earlier cookie is
	}{
		{"Partitioned on", plain, partitioned, false},
		{"Partitioned off", partitioned, plain, false},
		{"Domain to host-only behind another Host", domain, proxied, true},
		{"Domain to host-only behind another Host, named", domain, named, false},
		{"Domain to host-only", domain, plain, false},
		{"host-only to Domain", plain, domain, false},
		{"/app to /", underApp, plain, false},
		{"/ to /app", plain, underApp, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			address, next := releases(t, c.before, c.after)
			tab := browser.Open(address)
			visit := func(page, want string) {
				t.Helper()
				if got := tab.Eval("fetch(" + fmt.Sprintf("%q", "/app/"+page) + ").then((r) => r.text())"); got != want {
					t.Errorf("/app/%s says %q, want %q", page, got, want)
				}
			}
			visit("count", "user 0, 1 views")
			visit("sign-in", "user 7, 1 views")
			next()
			visit("count", "user 7, 2 views") // the earlier cookie still counts
			visit("sign-in", "user 7, 2 views")
			visit("", "user 7, 2 views") // the first page after it
			visit("count", "user 7, 3 views")
			visit("sign-in", "user 7, 3 views")
			visit("", "user 7, 3 views")
			if n := len(tab.Cookies()); n != 1 && !c.keepsBoth {
				t.Errorf("the browser has %d cookies: %+v", n, tab.Cookies())
			}
			visit("sign-out", "user 0, 0 views")
			visit("", "user 0, 0 views")
			left := tab.Cookies()
			if len(left) > 0 && !c.keepsBoth {
				t.Errorf("the browser keeps %+v", left)
			}
			for _, cookie := range left {
				tab.Forget(cookie) // the next case begins without
			}
		})
	}
}
