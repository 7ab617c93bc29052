package web

import (
	"maps"
	"net/http"

	"github.com/duckgen/duckgen/examples/api/session"
)

// showCart answers with the pieces of each product.
func (a *api) showCart(w http.ResponseWriter, r *http.Request) {
	cart := maps.Collect(session.ClientFrom(r.Context()).Cart())
	answer(w, map[string]any{"cart": cart})
}

// changeCart adds to what is in the cart: the body is such as {"tea": 2, "milk": -1}.
// Requests of two devices at once, or of one that tries again, lose nothing of each
// other.
func (a *api) changeCart(w http.ResponseWriter, r *http.Request) {
	var changes map[string]int
	if !read(w, r, &changes) {
		return
	}
	s := session.ClientFrom(r.Context())
	for sku, n := range changes {
		s.AddCartItem(sku, n)
	}
	a.showCart(w, r)
}
