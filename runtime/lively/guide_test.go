package lively_test

import (
	"context"
	"html/template"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime/lively"
)

// guidePage is the page with which docs/lively.md begins.
func guidePage(t *testing.T) string {
	t.Helper()
	guide, err := os.ReadFile("../../docs/lively.md")
	if err != nil {
		t.Fatal(err)
	}
	_, page, _ := strings.Cut(string(guide), "```html\n")
	page, _, found := strings.Cut(page, "```")
	if !found || strings.Count(page, "\n") > 30 {
		t.Fatalf("the guide does not begin with a page of 30 lines but with\n%s", page)
	}
	return page
}

func TestInABrowserThePageOfTheGuideWorks(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	page := guidePage(t)
	w := newWeb(t)
	w.mux.HandleFunc("GET /guide", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = rw.Write([]byte(page))
	})
	show := func(ctx context.Context, c *lively.Conn, _ lively.Event, v *visitor) error {
		return c.Patch(ctx, lively.Text("pieces", strconv.Itoa(v.CartLen())))
	}
	w.live.Handle("cart.show", show)
	w.live.Handle("cart.add", func(ctx context.Context, c *lively.Conn, e lively.Event, v *visitor) error {
		sku, ok := e.Value.(string)
		if !ok {
			sku = e.Field("sku")
		}
		v.AddCartItem(sku, 1)
		return show(ctx, c, e, v)
	})
	w.live.Handle("cart.empty", func(ctx context.Context, c *lively.Conn, e lively.Event, v *visitor) error {
		v.ClearCart()
		return show(ctx, c, e, v)
	})
	w.live.Handle("search", func(ctx context.Context, c *lively.Conn, e lively.Event, _ *visitor) error {
		return c.Patch(ctx, lively.HTML("found", template.HTML("<li>"+template.HTMLEscapeString(e.Value.(string))+"</li>")))
	})
	tab := chromium.Start(t).Open(w.url + "/guide")
	pieces := func(n string) { tab.Wait(`document.querySelector("[data-live-key=pieces]").innerText === "` + n + `"`) }
	tab.Live()
	tab.Type("[name=sku]", "ghost")
	tab.Click("form button")
	pieces("1")
	tab.Wait(`document.querySelector("[name=sku]").value === ""`)
	tab.Click("[data-live-again]")
	pieces("2")
	tab.Type("[type=search]", "duck")
	tab.Wait(`document.querySelector("li")?.innerText === "duck"`)
	tab.Eval(`document.body.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, key: "Escape" }))`)
	pieces("0")
	if got := tab.Eval(`getComputedStyle(document.querySelector("#offline")).display`); got != "none" {
		t.Errorf("the page says that it is offline while it is connected: display %s", got)
	}
}
