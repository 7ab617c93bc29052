package app

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/duckgen/duckgen/examples/routers/app/session"
	"github.com/duckgen/duckgen/runtime/lively"
)

// Add puts one piece into the cart. It reports whether there is such a kind.
func Add(s *session.GuestSession, kind string) bool {
	if !slices.Contains(Kinds, kind) {
		return false
	}
	s.AddCartItem(kind, 1)
	s.SetNotice("One more " + kind + ".")
	return true
}

// addLive does the same for the event of a live page.
func addLive(ctx context.Context, c *lively.Conn, e lively.Event, s *session.GuestSession) error {
	kind := e.Field("kind")
	if !slices.Contains(Kinds, kind) {
		return fmt.Errorf("there is no %q", kind)
	}
	s.AddCartItem(kind, 1)
	pieces, _ := s.CartItem(kind)
	return c.Patch(ctx, lively.Text(kind, strconv.Itoa(pieces)))
}

// An Order is on its way to a guest.
type Order struct {
	Guest string
	Cart  map[string]int
}

// Take takes what is in the cart as an order.
func Take(s *session.GuestSession) Order {
	v := Look(s)
	s.ClearCart()
	s.AddOrders(1)
	return Order{v.Name, v.Cart}
}

// Deliver says line by line what becomes of an order. Others hear of it once the
// first line is out, and the order stored. What line returns ends it.
func (k *Kiosk) Deliver(ctx context.Context, o Order, line func(string) error) error {
	if err := line("taken"); err != nil {
		return err
	}
	k.board.announce(o)
	for _, kind := range Kinds {
		if o.Cart[kind] == 0 {
			continue
		}
		k.Pause(ctx)
		if err := line(fmt.Sprintf("packed: %d %s", o.Cart[kind], kind)); err != nil {
			return err
		}
	}
	return line("done")
}
