package web

import (
	"context"
	"html/template"
	"strings"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime/inspect"
	"github.com/duckgen/duckgen/runtime/lively"
)

type endpoint = lively.Endpoint[session.VisitorSession]

// An action does what a form asks for. What it says is shown on the page.
type action func(s *session.VisitorSession, e lively.Event) (notice string)

// liveEndpoint serves the forms of pages that have a live connection.
func (shop *shop) liveEndpoint() *endpoint {
	live := lively.New(shop.sessions, session.VisitorFrom)
	for name, act := range map[string]action{
		"cart.add": func(s *session.VisitorSession, e lively.Event) string {
			notice, _ := putInCart(s, e.Field("sku"))
			return notice
		},
		"cart.remove": func(s *session.VisitorSession, e lively.Event) string {
			s.DeleteCartItem(e.Field("sku"))
			return ""
		},
		"cart.empty": func(s *session.VisitorSession, _ lively.Event) string {
			s.ClearCart()
			return "Your cart is empty."
		},
	} {
		live.Handle(name, func(ctx context.Context, c *lively.Conn, e lively.Event, s *session.VisitorSession) error {
			inspect.Name(ctx, e.Name)
			return refresh(ctx, c, e, s, status(act(s, e)))
		})
	}
	live.Handle("show", showAgain)
	live.Handle("sign-in", shop.signInLive)
	live.Handle("sign-out", signOutLive)
	live.HandleNavigation(shop.navigate)
	return live
}

// showAgain brings a page up to date that has just connected: another tab may
// have changed what it shows.
func showAgain(ctx context.Context, c *lively.Conn, e lively.Event, s *session.VisitorSession) error {
	inspect.Name(ctx, e.Name)
	return refresh(ctx, c, e, s)
}

// navigate follows a link without loading the page that it leads to.
func (shop *shop) navigate(ctx context.Context, c *lively.Conn, n lively.Navigation, s *session.VisitorSession) error {
	path, _, _ := strings.Cut(n.Path, "?")
	inspect.Name(ctx, "navigate "+path)
	return shop.turnTo(ctx, c, s, path, "")
}

// turnTo shows a page in the place of another, and counts it. What is none of
// these pages the browser loads.
func (shop *shop) turnTo(ctx context.Context, c *lively.Conn, s *session.VisitorSession, path, notice string) error {
	look := viewOf(path)
	if look == nil {
		return c.Navigate(ctx, lively.Page{Path: path, Reload: true})
	}
	s.AddVisits(1)
	v := look(s)
	p := v.page(s, path)
	p.Notice = notice
	return c.Navigate(ctx, lively.Page{Path: path, Component: path, Patches: []lively.Patch{
		lively.Text("title", p.Tab()),
		lively.HTML("main", part(v.template, "main", p)),
		lively.HTML("nav", part(v.template, "nav", p)),
		lively.HTML("footer", part(v.template, "footer", p)),
	}})
}

func (shop *shop) signInLive(ctx context.Context, c *lively.Conn, e lively.Event, s *session.VisitorSession) error {
	inspect.Name(ctx, e.Name)
	notice, ok := shop.enter(ctx, s, e.Field("name"), e.Field("remember") != "")
	if !ok {
		return c.Patch(ctx, status(notice))
	}
	return shop.turnTo(ctx, c, s, frontPath, notice)
}

// signOutLive needs no patch: the end of the session closes the connection, and
// the page is loaded again, in every tab.
func signOutLive(ctx context.Context, _ *lively.Conn, e lively.Event, s *session.VisitorSession) error {
	inspect.Name(ctx, e.Name)
	leave(s)
	s.SetNotice("You are signed out.")
	return nil
}

// status shows the notice on the page, an empty one takes the last one away.
func status(notice string) lively.Patch {
	return lively.HTML("status", part(cartPage, "status", page{Notice: notice}))
}

// refresh sends the parts of a page that show the session. A page that does not
// have a part is left as it is.
func refresh(ctx context.Context, c *lively.Conn, e lively.Event, s *session.VisitorSession, more ...lively.Patch) error {
	p := pageOf(s, e.Root)
	return c.Patch(ctx, append(more,
		lively.HTML("nav", part(cartPage, "nav", p)),
		lively.HTML("footer", part(cartPage, "footer", p)),
		lively.HTML("cart", part(cartPage, "cart", cartData(s))),
	)...)
}

// part renders one part of a page.
func part(t *template.Template, name string, data any) template.HTML {
	var b strings.Builder
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		return "" // the templates are the program's own, and so is the data
	}
	return template.HTML(b.String())
}
