// Package web is a small program whose users sign in elsewhere: at an identity
// provider, by OAuth 2.0 with PKCE. What a sign-in has to remember meanwhile, its
// state and its verifier, is in the session of the browser that began it, for ten
// minutes and for one answer.
package web

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/duckgen/duckgen/examples/oauth/session"
	"github.com/duckgen/duckgen/runtime"
)

// CallbackPath is where the provider sends browsers back to.
const CallbackPath = "/sign-in/done"

// maxBody limits what a form or the provider may send, in bytes.
const maxBody = 64 << 10

// New returns the program. It keeps its sessions in the store; configure changes how
// they live.
func New(store runtime.Store, provider *Provider, configure ...func(*runtime.Config)) (http.Handler, error) {
	own := func(c *runtime.Config) {
		c.ErrorHandler = failed
		c.SignInHandler = signInFirst
	}
	sessions, err := session.NewVisitorSessions(store, append([]func(*runtime.Config){own}, configure...)...)
	if err != nil {
		return nil, fmt.Errorf("set up the sessions: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", home)
	mux.HandleFunc("GET /sign-in", signInPage)
	mux.HandleFunc("POST /sign-in", provider.beginSignIn)
	mux.HandleFunc("GET "+CallbackPath, provider.finishSignIn)
	mux.HandleFunc("POST /sign-out", signOut)
	mux.Handle("GET /account", sessions.RequireSignIn(0, http.HandlerFunc(account)))
	protected := http.NewCrossOriginProtection().Handler(sessions.Middleware(mux))
	return http.MaxBytesHandler(protected, maxBody), nil
}

// beginSignIn sends the browser to the provider. Each sign-in has a state and a
// verifier of its own, so that two tabs do not disturb each other.
func (p *Provider) beginSignIn(w http.ResponseWriter, r *http.Request) {
	state, verifier := rand.Text(), rand.Text()+rand.Text() // 43 characters at least (RFC 7636, 4.1)
	session.VisitorFrom(r.Context()).SetSignInsItem(state, session.SignIn{
		Verifier: verifier,
		Next:     within(r.PostFormValue("next")),
	})
	http.Redirect(w, r, p.signInURL(state, verifier), http.StatusSeeOther)
}

// finishSignIn is where the provider sends the browser back to. The claim lets one
// request pass: the answer is neither somebody else's, which would sign this browser
// in as them (RFC 6749, 10.12), nor one that has been used before.
//
// The browser comes from another site. SameSite=Lax, the default, lets it bring its
// cookie; with Strict it would come without a session.
func (p *Provider) finishSignIn(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	begun, ok, err := s.ClaimSignInsItem(r.Context(), r.FormValue("state"))
	switch {
	case err != nil:
		failed(w, r, err)
		return
	case !ok:
		notSignedIn(w, http.StatusForbidden, "This sign-in is over, or was begun in another browser. Please begin again.")
		return
	case r.FormValue("error") != "":
		notSignedIn(w, http.StatusForbidden, "You have cancelled it.")
		return
	}
	u, err := p.user(r.Context(), r.FormValue("code"), begun.Verifier)
	if err != nil {
		slog.ErrorContext(r.Context(), "a sign-in has failed", "err", err)
		notSignedIn(w, http.StatusBadGateway, "The provider did not say who you are. Please begin again.")
		return
	}
	s.SetSubject(u.Subject) // the sign-in: the browser gets a new token, the old one reaches nothing
	s.SetName(u.Name)
	http.Redirect(w, r, begun.Next, http.StatusSeeOther)
}

func signOut(w http.ResponseWriter, r *http.Request) {
	session.VisitorFrom(r.Context()).Destroy()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
