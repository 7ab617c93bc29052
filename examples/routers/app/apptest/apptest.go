// Package apptest is what every router has to show with the kiosk: one suite, which
// knows a program by its address alone and talks to it as browsers do.
package apptest

import (
	"context"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/duckgen/duckgen/examples/routers/app"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// A Case is one thing to be shown, and the name of its subtest.
type Case string

// The cases of the suite.
const (
	Visit        Case = "Visit"        // pages and forms: sign in, fill a cart, sign out
	Calls        Case = "Calls"        // no request costs more calls of the store than promised
	Group        Case = "Group"        // routes outside the group of the middleware know no session
	Stream       Case = "Stream"       // the session is stored before the first line of a stream
	Feed         Case = "Feed"         // server-sent events
	Socket       Case = "Socket"       // a WebSocket, whose events change the session
	PanicOutside Case = "PanicOutside" // recovered outside the middleware
	PanicInside  Case = "PanicInside"  // recovered inside
	ErrorPage    Case = "ErrorPage"    // inside, for a handler that fails and for what is not there
	Outage       Case = "Outage"       // the store does not answer
	Command      Case = "Command"      // the program as a user starts it
)

// cases are in the order in which they run.
var cases = []struct {
	name Case
	run  func(*site)
}{
	{Visit, visit},
	{Calls, calls},
	{Group, group},
	{Stream, stream},
	{Feed, feed},
	{Socket, socket},
	{PanicOutside, panicOutside},
	{PanicInside, panicInside},
	{ErrorPage, errorPage},
	{Outage, outage},
	{Command, command},
}

// An Option changes what the suite asks of a router.
type Option func(*suite)

type suite struct {
	only []Case                   // empty: all
	data func(text string) string // as an event has it
}

// Only has these cases alone, for what serves no pages.
func Only(cases ...Case) Option { return func(s *suite) { s.only = cases } }

// JSONEvents has the texts of server-sent events as JSON.
func JSONEvents() Option { return func(s *suite) { s.data = strconv.Quote } }

// Run runs the suite, each case with a program of its own.
func Run(t *testing.T, serve app.Serve, options ...Option) {
	s := suite{data: func(text string) string { return text }}
	for _, option := range options {
		option(&s)
	}
	for _, c := range cases {
		if len(s.only) > 0 && !slices.Contains(s.only, c.name) {
			continue
		}
		t.Run(string(c.name), func(t *testing.T) {
			site := open(t, serve)
			site.data = s.data
			c.run(site)
		})
	}
}

// patience bounds what the suite waits for.
const patience = time.Minute

// A site is a program that serves, and what the suite holds of it.
type site struct {
	*testing.T
	url   string
	store *shelf
	data  func(text string) string
	gate  chan struct{} // an order goes on by one step for each value
}

// open serves a kiosk until the test ends.
func open(t *testing.T, serve app.Serve) *site {
	t.Helper()
	memory := memstore.New()
	t.Cleanup(func() { _ = memory.Close() })
	s := &site{T: t, store: &shelf{Store: memory}, gate: make(chan struct{})}
	k, err := app.New(s.store)
	if err != nil {
		t.Fatal(err)
	}
	k.Pause = func(ctx context.Context) {
		select {
		case <-s.gate:
		case <-ctx.Done():
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, l, k) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the program ends with %v", err)
		}
	})
	return s
}

// step lets an order go on.
func (s *site) step() {
	s.Helper()
	select {
	case s.gate <- struct{}{}:
	case <-time.After(patience):
		s.Fatal("no order waits to go on")
	}
}
