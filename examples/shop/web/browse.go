package web

import (
	"net/http"
	"slices"

	"github.com/duckgen/duckgen/examples/shop/session"
)

// shownRecent is how many products looked at before a page shows.
const shownRecent = 4

func (*shop) showProducts(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	show(w, r, http.StatusOK, productsPage, "Ducks for thinking", map[string]any{
		"Products": catalog,
		"Recent":   recentProducts(s, ""),
	})
}

func (*shop) showProduct(w http.ResponseWriter, r *http.Request) {
	p, ok := findProduct(r.PathValue("sku"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	s := session.VisitorFrom(r.Context())
	recent := recentProducts(s, p.SKU)
	if s.Err() == nil {
		s.AppendRecent(p.SKU)
	}
	show(w, r, http.StatusOK, productPage, p.Name, map[string]any{"Product": p, "Recent": recent})
}

// recentProducts returns what was looked at last, the newest first, each once
// and without the one that is being shown.
func recentProducts(s *session.VisitorSession, shown string) (products []product) {
	seen := map[string]bool{shown: true}
	for _, sku := range slices.Backward(slices.Collect(s.Recent())) {
		p, ok := findProduct(sku)
		if ok && !seen[sku] && len(products) < shownRecent {
			seen[sku] = true
			products = append(products, p)
		}
	}
	return products
}
