package runtime

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// engine is what all sessions of one manager share.
type engine struct {
	kind    string
	name    string
	config  Config
	carrier carrier
	device  Cookie // the bound one
	store   Store  // nil: sessions without one
	format  Format
	judges  bool // the store is a [Judge], maybe in a wrapper
	atOnce  bool // the store answers a load without waiting: it is a [Judge], and no wrapper of one
	clock   *clock
	server  Clocked
	ring    *keyRing // nil without a store

	renewing []*Field // with the option renew
	limited  []*Field // with the option limit

	sockets *sockets // nil without a store

	logsEvents bool // OnEvent is the default

	insecure atomic.Bool // EventInsecure was reported
}

// shares returns what the sessions of both managers would have their tokens or their
// bound cookies in, empty for nothing.
func (e *engine) shares(other *engine) string {
	switch {
	case e.carrier.name() == other.carrier.name():
		return e.carrier.name()
	case e.config.Bound != BoundNever && other.config.Bound != BoundNever && e.device.Name == other.device.Name:
		return "cookie \"" + e.device.Name + "\""
	default:
		return ""
	}
}

// byStore returns a time of the program's clock by that of the store, which is one
// for all programs.
func (e *engine) byStore(t time.Time) time.Time { return t.Add(e.server.Ahead()) }

// meetClock has byStore know the store's clock also before the store's first answer:
// a commit judges bound cookies, and dates challenges, before it is sent.
func (e *engine) meetClock(ctx context.Context) error {
	if err := e.server.Measure(ctx, e.clock.read()); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return nil
}

// fault reports an error that is none of a request's own session.
func (e *engine) fault(ctx context.Context, op, handle string, err error) {
	e.config.OnError(ctx, &Error{Op: op, Session: e.name, Handle: handle, Err: err})
}

// bound returns a context for calls of the store. It has to be stopped.
func (e *engine) bound(parent context.Context) *callContext { return e.boundIn(nil, parent) }

// boundIn is bound in the room for it, nil if there is none.
func (e *engine) boundIn(room *callContext, parent context.Context) *callContext {
	if room == nil {
		room = &callContext{}
	}
	room.begin(parent, e.config.Timeout)
	return room
}

// byScript reports whether a live connection gives the page its cookie by script.
func (e *engine) byScript() bool { return e.carrier.ambient() && !e.config.Cookie.HTTPOnly }

// indexValues returns what a session may be found by whose field has the encoded
// value: in every encoding, under its key and under its earlier one.
func (e *engine) indexValues(f *Field, value string) (values []IndexValue) {
	spellings := []string{value}
	if f.spellings != nil {
		spellings = append(spellings, f.spellings(e.format, value)...)
	}
	for _, value := range spellings {
		values = append(values, IndexValue{e.kind, f.Key, value})
		if f.Was != "" {
			values = append(values, IndexValue{e.kind, f.Was, value})
		}
	}
	return values
}
