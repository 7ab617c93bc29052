// Package web is a small JSON API with sessions: clients sign in, fill a cart, and
// see and end the sessions of their other devices. The token travels in the
// Authorization header, as a bearer token, and every answer is JSON, also that of a
// failed commit and of a missing sign-in.
package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/duckgen/duckgen/examples/api/session"
	"github.com/duckgen/duckgen/runtime"
)

const (
	// maxBody limits what a request may send, in bytes.
	maxBody = 16 << 10

	// recent is how long after a sign-in other devices can be signed out.
	recent = 10 * time.Minute
)

// A CheckPassword returns the id of the user with this name and password, 0 if
// there is none.
type CheckPassword func(name, password string) (userID int64)

// An api is what the handlers share.
type api struct {
	sessions *session.ClientSessions
	check    CheckPassword
}

// New returns the API. It keeps its sessions in the store; configure changes how
// they live.
func New(store runtime.Store, check CheckPassword, configure ...func(*runtime.Config)) (http.Handler, error) {
	basics := func(c *runtime.Config) {
		c.Header = "Authorization"
		c.ErrorHandler = commitFailed
		c.SignInHandler = signInFirst
	}
	sessions, err := session.NewClientSessions(store, append([]func(*runtime.Config){basics}, configure...)...)
	if err != nil {
		return nil, fmt.Errorf("set up the sessions: %w", err)
	}
	a := &api{sessions, check}
	return http.MaxBytesHandler(sessions.Middleware(a.routes()), maxBody), nil
}

func (a *api) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /session", a.signIn)
	mux.HandleFunc("DELETE /session", a.signOut)
	mux.HandleFunc("GET /cart", a.showCart)
	mux.HandleFunc("PATCH /cart", a.changeCart)
	mux.Handle("GET /devices", a.signedIn(0, a.listDevices))
	mux.Handle("DELETE /devices/{handle}", a.signedIn(recent, a.signOutDevice))
	mux.Handle("DELETE /devices", a.signedIn(recent, a.signOutOthers))
	return mux
}

func (a *api) signedIn(within time.Duration, handle http.HandlerFunc) http.Handler {
	return a.sessions.RequireSignIn(within, handle)
}

// signIn keeps the cart that the client has filled as a stranger. The answer has
// the new token in its Authorization header.
func (a *api) signIn(w http.ResponseWriter, r *http.Request) {
	var body struct{ Name, Password, Device string }
	if !read(w, r, &body) {
		return
	}
	id := a.check(body.Name, body.Password)
	if id == 0 {
		refuse(w, http.StatusForbidden, "name or password is wrong")
		return
	}
	s := session.ClientFrom(r.Context())
	s.SetUserID(id)
	s.SetDevice(body.Device)
	w.WriteHeader(http.StatusNoContent)
}

func (a *api) signOut(w http.ResponseWriter, r *http.Request) {
	session.ClientFrom(r.Context()).Destroy()
	w.WriteHeader(http.StatusNoContent)
}

// read reads a JSON body. It reports whether there was one, and answers otherwise.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return false
	}
	return true
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client has hung up
}
