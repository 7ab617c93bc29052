// Package app is a kiosk, once for all the programs beside it: what it remembers,
// what it does with that, and its page. Each of the programs serves it with another
// router, with handlers of that router's own kind.
package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/duckgen/duckgen/examples/routers/app/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/lively"
)

// Kinds are what the kiosk sells.
var Kinds = []string{"duck", "goose", "swan"}

// ErrSpilt is what [Spill] always returns.
var ErrSpilt = errors.New("the tea is spilt")

// A Kiosk has the sessions of its guests, and what is under way.
type Kiosk struct {
	// Sessions has the middleware, and at POST /lively/sync the SyncHandler.
	Sessions *session.GuestSessions

	// Live is the endpoint of live pages at GET /lively.
	Live *lively.Endpoint[session.GuestSession]

	// Pause takes the time of one step of an order, or ends with ctx.
	Pause func(ctx context.Context)

	board board
}

// New opens a kiosk for browsers that come over plain HTTP on this machine.
func New(store runtime.Store) (*Kiosk, error) {
	sessions, err := session.NewGuestSessions(store, func(c *runtime.Config) { c.Cookie.Secure = false })
	if err != nil {
		return nil, err
	}
	k := &Kiosk{Sessions: sessions, Pause: pause, Live: lively.New(sessions, session.GuestFrom)}
	k.Live.Handle("add", addLive)
	return k, nil
}

func pause(ctx context.Context) {
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
	}
}

// A View is what pages show of a session.
type View struct {
	Name   string         `json:"name"` // "" for nobody
	Cart   map[string]int `json:"cart"`
	Orders int64          `json:"orders"`
	Visits int64          `json:"visits"`
	Notice string         `json:"-"`
}

// Look returns what a session has, but for the notice.
func Look(s *session.GuestSession) View {
	v := View{Name: s.Name(), Cart: map[string]int{}, Orders: s.Orders(), Visits: s.Visits()}
	for kind, pieces := range s.Cart() {
		v.Cart[kind] = pieces
	}
	return v
}

// Show returns what the page shows, and takes the notice.
func Show(s *session.GuestSession) View {
	v := Look(s)
	v.Notice = s.TakeNotice()
	return v
}

// SignIn signs somebody in: the token is renewed.
func SignIn(s *session.GuestSession, name string) {
	s.SetUserID(1)
	s.SetName(name)
	s.SetNotice("Welcome, " + name + ".")
}

// SignOut ends the session. The notice begins another one.
func SignOut(s *session.GuestSession) {
	s.Destroy()
	s.SetNotice("See you.")
}

// Spill changes the session and fails: nothing of it may be stored.
func Spill(s *session.GuestSession) error {
	s.AddCartItem("ghost", 1)
	return ErrSpilt
}

// Apology is the text of an error page. Outside the middleware it is for nobody.
func Apology(ctx context.Context, what string) string {
	name := session.GuestFrom(ctx).Name()
	if name == "" {
		name = "stranger"
	}
	return fmt.Sprintf("Sorry, %s: %s\n", name, what)
}
