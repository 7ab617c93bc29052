package web

import (
	"net/http"

	"github.com/duckgen/duckgen/examples/shop/session"
)

// A line is one product in the cart.
type line struct {
	Product product
	Pieces  int
	Cents   int
}

func cartView(s *session.VisitorSession) view { return view{cartPage, "Your cart", cartData(s)} }

func cartData(s *session.VisitorSession) map[string]any {
	lines, total := cartLines(s)
	return map[string]any{"Lines": lines, "Total": total}
}

// cartLines returns the cart in the order of its keys. What the shop no longer
// sells is left out.
func cartLines(s *session.VisitorSession) (lines []line, total int) {
	for sku, pieces := range s.Cart() {
		if p, ok := findProduct(sku); ok {
			cents := p.Cents * pieces
			total += cents
			lines = append(lines, line{p, pieces, cents})
		}
	}
	return lines, total
}

// putInCart only writes: what it costs is one update, and two tabs that do it at
// once both count.
func putInCart(s *session.VisitorSession, sku string) (notice string, ok bool) {
	p, ok := findProduct(sku)
	if !ok {
		return "the shop has no such product", false
	}
	s.AddCartItem(p.SKU, 1)
	return p.Name + " is in your cart.", true
}

func (*shop) addToCart(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	notice, ok := putInCart(s, r.PostFormValue("sku"))
	if !ok {
		http.Error(w, notice, http.StatusNotFound)
		return
	}
	s.SetNotice(notice)
	goBack(w, r)
}

func (*shop) removeFromCart(w http.ResponseWriter, r *http.Request) {
	session.VisitorFrom(r.Context()).DeleteCartItem(r.PostFormValue("sku"))
	goBack(w, r)
}

func (*shop) emptyCart(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	s.ClearCart()
	s.SetNotice("Your cart is empty.")
	goBack(w, r)
}
