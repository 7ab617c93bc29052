package web

import (
	"net/http"

	"github.com/duckgen/duckgen/examples/shop/session"
)

// showSession shows what the session is and what its last requests did to it.
// The handle may be shown: it opens nothing.
func (shop *shop) showSession(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	show(w, r, http.StatusOK, sessionPage, "Your session", map[string]any{
		"New":      s.IsNew(),
		"Handle":   s.Handle(),
		"Created":  s.CreatedAt(),
		"Renewed":  s.RenewedAt(),
		"Expires":  s.ExpiresAt(),
		"Requests": shop.journal.Of(s.Handle()),
	})
}
