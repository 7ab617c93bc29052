package inspect

import (
	"context"
	"net/http"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/observe"
)

// A Config says what an Inspector keeps and who may look.
type Config struct {
	// Keep is how many requests and events are kept, the last ones. Each takes a few
	// kilobytes at most. Default: 300.
	Keep int

	// Allow decides who may look, in place of the default, which is the machine that
	// the program runs on: a request has to come from a loopback address, to a local
	// name such as localhost:8080, and through no proxy that says so. On a machine with
	// several users they all may look.
	Allow func(*http.Request) bool
}

// An Inspector notes what happens to sessions, and shows it: mount it at a path that
// ends with a slash. It is safe for concurrent use.
type Inspector struct {
	journal journal
	allow   func(*http.Request) error
	streams streams
}

// New returns an Inspector. The functions configure it in order.
func New(configure ...func(*Config)) *Inspector {
	c := Config{Keep: 300}
	for _, f := range configure {
		f(&c)
	}
	in := &Inspector{allow: local}
	in.journal.keep = max(c.Keep, 1)
	if c.Allow != nil {
		in.allow = func(r *http.Request) error {
			if c.Allow(r) {
				return nil
			}
			return errNotAllowed
		}
	}
	return in
}

// Store returns the store with its calls noted. It offers what the store offers.
func (in *Inspector) Store(s runtime.Store) runtime.Store {
	return observe.Store(writes{s}, calls{})
}

// Configure has requests, live events, and what is reported of them noted. It can
// come before or after other functions that configure the sessions.
func (in *Inspector) Configure(c *runtime.Config) { c.Tracer = tracer{&in.journal} }

// Name gives the running event of a live connection a name. Without one it is shown
// as an event. Where nobody inspects it does nothing.
func Name(ctx context.Context, event string) {
	noteOf(ctx).update(func(e *entry) { e.Name = cut(event) })
}
