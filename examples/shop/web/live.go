package web

import (
	"context"
	"html/template"
	"strings"

	"github.com/duckgen/duckgen/examples/shop/journal"
	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime/lively"
)

type endpoint = lively.Endpoint[session.VisitorSession]

// An action does what a form asks for. What it says is shown on the page.
type action func(s *session.VisitorSession, e lively.Event) (notice string)

// liveEndpoint serves the forms of pages that have a live connection.
func (shop *shop) liveEndpoint() *endpoint {
	live := lively.New(journal.Sessions{VisitorSessions: shop.sessions, Journal: shop.journal}, session.VisitorFrom)
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
			journal.NameEvent(ctx, e.Name)
			return refresh(ctx, c, e, s, status(act(s, e)))
		})
	}
	live.Handle("show", showAgain)
	live.Handle("sign-in", shop.signInLive)
	live.Handle("sign-out", signOutLive)
	return live
}

// showAgain brings a page up to date that has just connected: another tab may
// have changed what it shows.
func showAgain(ctx context.Context, c *lively.Conn, e lively.Event, s *session.VisitorSession) error {
	journal.NameEvent(ctx, e.Name)
	return refresh(ctx, c, e, s)
}

func (shop *shop) signInLive(ctx context.Context, c *lively.Conn, e lively.Event, s *session.VisitorSession) error {
	journal.NameEvent(ctx, e.Name)
	notice, ok := shop.enter(s, e.Field("name"))
	patches := []lively.Patch{status(notice)}
	if ok {
		patches = append(patches, lively.Remove("sign-in"))
	}
	return refresh(ctx, c, e, s, patches...)
}

// signOutLive needs no patch: the end of the session closes the connection, and
// the page is loaded again, in every tab.
func signOutLive(ctx context.Context, _ *lively.Conn, e lively.Event, s *session.VisitorSession) error {
	journal.NameEvent(ctx, e.Name)
	leave(s)
	s.SetNotice("You are signed out.")
	return nil
}

// status shows the notice on the page, an empty one takes the last one away.
func status(notice string) lively.Patch {
	return lively.HTML("status", part("status", page{Notice: notice}))
}

// refresh sends the parts of a page that show the session. A page that does not
// have a part is left as it is.
func refresh(ctx context.Context, c *lively.Conn, e lively.Event, s *session.VisitorSession, more ...lively.Patch) error {
	p := pageOf(s, e.Root)
	lines, total := cartLines(s)
	return c.Patch(ctx, append(more,
		lively.HTML("nav", part("nav", p)),
		lively.HTML("footer", part("footer", p)),
		lively.HTML("cart", part("cart", map[string]any{"Lines": lines, "Total": total})),
	)...)
}

// part renders one part of a page.
func part(name string, data any) template.HTML {
	var b strings.Builder
	if err := cartPage.ExecuteTemplate(&b, name, data); err != nil {
		return "" // the templates are the program's own, and so is the data
	}
	return template.HTML(b.String())
}
