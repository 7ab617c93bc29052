package web

import (
	"slices"

	"github.com/duckgen/duckgen/examples/shop/session"
)

// shownRecent is how many products looked at before a page shows.
const shownRecent = 4

func productsView(s *session.VisitorSession) view {
	return view{productsPage, "Ducks for thinking", map[string]any{
		"Products": catalog,
		"Recent":   recentProducts(s, ""),
	}}
}

// productView remembers that the product was looked at.
func productView(s *session.VisitorSession, p product) view {
	recent := recentProducts(s, p.SKU)
	if s.Err() == nil {
		s.AppendRecent(p.SKU)
	}
	return view{productPage, p.Name, map[string]any{"Product": p, "Recent": recent}}
}

// recentProducts returns what was looked at last, the newest first, each once
// and without the one that is being shown.
func recentProducts(s *session.VisitorSession, shown string) (products []product) {
	seen := map[string]bool{shown: true}
	for _, sku := range slices.Backward(s.RecentSlice()) {
		p, ok := findProduct(sku)
		if ok && !seen[sku] && len(products) < shownRecent {
			seen[sku] = true
			products = append(products, p)
		}
	}
	return products
}
