// Package web is the shop as a browser sees it: pages rendered on the server,
// and forms that post and are redirected. Where the browser runs the one script,
// the same forms go over a live connection and change the page in place.
package web

import (
	"context"
	"embed"
	"fmt"
	"net/http"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/inspect"
	"github.com/duckgen/duckgen/runtime/lively"
)

//go:embed static
var static embed.FS

// maxBody limits what a form may send, in bytes.
const maxBody = 64 << 10

// shop is what the handlers share.
type shop struct {
	sessions  *session.VisitorSessions
	inspector *inspect.Inspector // nil: none
	users     users
	live      *endpoint
}

// A Shop serves all pages and the live connections.
type Shop struct {
	http.Handler
	live *endpoint
}

// New returns the shop. It keeps its sessions in the store; configure changes
// how they live. With an inspector the shop has a page that shows what it does with
// them, for development.
func New(store runtime.Store, inspector *inspect.Inspector, configure ...func(*runtime.Config)) (*Shop, error) {
	s, err := newShop(store, inspector, configure...)
	if err != nil {
		return nil, err
	}
	return &Shop{s.handler(), s.live}, nil
}

// Shutdown closes the live connections, of which a server's own Shutdown knows
// nothing.
func (s *Shop) Shutdown(ctx context.Context) error { return s.live.Shutdown(ctx) }

func newShop(store runtime.Store, inspector *inspect.Inspector, configure ...func(*runtime.Config)) (*shop, error) {
	configure = append([]func(*runtime.Config){own}, configure...)
	if inspector != nil {
		store, configure = inspector.Store(store), append(configure, inspector.Configure)
	}
	sessions, err := session.NewVisitorSessions(store, configure...)
	if err != nil {
		return nil, fmt.Errorf("set up the sessions: %w", err)
	}
	s := &shop{
		sessions:  sessions,
		inspector: inspector,
		users:     users{ids: map[string]int64{}},
	}
	s.live = s.liveEndpoint()
	return s, nil
}

// own is what the shop itself wants of its sessions.
func own(c *runtime.Config) {
	c.OnEvent = audit
	c.ErrorHandler = failed
	c.SignInHandler = signInFirst
}

// handler puts the layers together. A form of another site is refused before
// it reaches a session (OWASP: cross-site request forgery).
func (s *shop) handler() http.Handler {
	withSession := s.sessions.Middleware(s.routes())
	protected := http.NewCrossOriginProtection().Handler(withSession)
	return http.MaxBytesHandler(secured(withDevice(protected)), maxBody)
}

func (s *shop) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.FileServerFS(static))
	for _, path := range []string{"/{$}", productPath + "{sku}", cartPath, signInPath, sessionPath} {
		mux.HandleFunc("GET "+path, showPage)
	}
	mux.HandleFunc("POST /cart/add", s.addToCart)
	mux.HandleFunc("POST /cart/remove", s.removeFromCart)
	mux.HandleFunc("POST /cart/empty", s.emptyCart)
	mux.HandleFunc("POST /theme", s.setTheme)
	mux.HandleFunc("POST /sign-in", s.signIn)
	mux.HandleFunc("POST /sign-out", s.signOut)
	mux.HandleFunc("POST /sign-out-everywhere", s.signOutEverywhere)
	signedIn := func(h http.HandlerFunc) http.Handler { return s.sessions.RequireSignIn(0, h) }
	mux.Handle("GET "+devicesPath, signedIn(s.showDevices))
	mux.Handle("POST /devices/sign-out", signedIn(s.signOutDevice))
	mux.Handle("POST /devices/sign-out-others", signedIn(s.signOutOthers))
	mux.Handle("GET /lively", s.live)
	mux.Handle("GET /lively/client.js", lively.Client())
	mux.Handle("POST /lively/sync", s.sessions.SyncHandler())
	mux.Handle("POST /session/bind", s.sessions.BindHandler())
	if s.inspector != nil {
		mux.Handle("GET /debug/sessions/", s.inspector)
	}
	return mux
}

// secured says what the pages may do: load the shop's own style sheet and
// script, post to the shop and connect to it. No page runs what it was sent.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy",
			"default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; "+
				"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}
