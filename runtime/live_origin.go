package runtime

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// CheckOrigin decides whether the page behind a handshake may open a live
// connection: browsers let any page open one anywhere, and send the cookie along
// (OWASP: cross-site WebSocket hijacking). A page of this origin may, and those of
// Config.Origins. A handshake without an Origin comes from no page, and must not
// bring the session's cookie. The error wraps [ErrForeignOrigin]; answer it with
// 403.
func (m *Manager[S]) CheckOrigin(r *http.Request) error {
	origins := r.Header["Origin"]
	switch {
	case len(origins) == 0:
		if _, _, found := m.engine.carrier.next(m.engine.carrier.brought(r.Header)); found && m.engine.carrier.ambient() {
			return fmt.Errorf("%w: the handshake has the session's cookie but no Origin", ErrForeignOrigin)
		}
		return nil
	case len(origins) > 1:
		return fmt.Errorf("%w: the handshake has %d Origin fields", ErrForeignOrigin, len(origins))
	case slices.Contains(m.engine.config.Origins, origins[0]), m.engine.config.isOwn(origins[0], r):
		return nil
	default:
		return fmt.Errorf("%w: %q is not the origin of %q; add it to Config.Origins if its pages may connect",
			ErrForeignOrigin, shorten(origins[0]), shorten(r.Host))
	}
}

// isOwn reports whether the origin is that of the request. A page that came over
// plain HTTP can be anybody's, so it does not count if the session's cookie is
// for HTTPS; browsers except the own machine from that.
func (c *Config) isOwn(origin string, r *http.Request) bool {
	scheme, host, _ := strings.Cut(origin, "://")
	switch scheme {
	case "https":
	case "http":
		if r.TLS != nil || c.Cookie.Secure && !isOwnMachine(host) {
			return false
		}
	default:
		return false
	}
	port := map[string]string{"http": ":80", "https": ":443"}[scheme]
	return host != "" && host == strings.TrimSuffix(strings.ToLower(r.Host), port)
}
