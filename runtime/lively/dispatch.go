package lively

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/coder/websocket"

	"github.com/duckgen/duckgen/runtime"
)

// dispatch runs one event or navigation, of which the frame came at that time.
func (e *Endpoint[S]) dispatch(c *Conn, frame any, at time.Time, s *S) {
	switch frame := frame.(type) {
	case Event:
		e.dispatchEvent(c, frame, at, s)
	case Navigation:
		e.report(c, Report{}, at, "navigation", func(ctx context.Context) error { return e.navigation(ctx, c, frame, s) })
	}
}

// dispatchEvent runs an event unless the page has sent it before, and answers it.
func (e *Endpoint[S]) dispatchEvent(c *Conn, event Event, at time.Time, s *S) {
	if c.page != nil {
		if !c.page.take(c, event.number) {
			return
		}
		event.ID = c.page.eventID(event.origin)
	}
	handle := e.handlers[event.Name]
	report := Report{Name: event.Name, ID: event.ID}
	if handle == nil {
		report.Name = ""
	}
	outcome := e.report(c, report, at, fmt.Sprintf("event %q", event.Name), func(ctx context.Context) error {
		if handle == nil {
			return errors.Join(errUnknown, c.unhandled(ctx, event))
		}
		return e.sessions.LivelyEvent(ctx, c, s, func(ctx context.Context) error { return handle(ctx, c, event, s) })
	})
	if outcome == OutcomeRefused || outcome == OutcomeSuperseded {
		c.in.stop() // what waits comes after this one, which the page sends again
		c.CloseLively(runtime.LivelyReconnect)
	}
	c.answer(event.number, outcome)
}

// errUnknown means that an event has no handler. The page hears of it.
var errUnknown = errors.New("no handler")

// report runs something and reports how it went.
func (e *Endpoint[S]) report(c *Conn, r Report, at time.Time, what string, run func(context.Context) error) Outcome {
	begun := time.Now()
	ctx, release := c.beginEvent()
	defer release()
	r.Outcome = e.attempt(ctx, c, what, run)
	r.Waited, r.Took, r.Waiting = begun.Sub(at), time.Since(begun), c.in.len()
	e.config.OnEvent(ctx, r)
	return r.Outcome
}

// attempt runs something. What fails is reported and, but for a panic, leaves the
// connection as it is.
func (e *Endpoint[S]) attempt(ctx context.Context, c *Conn, what string, run func(context.Context) error) (outcome Outcome) {
	defer func() {
		if r := recover(); r != nil {
			outcome = OutcomeFailed
			e.config.OnError(ctx, fmt.Errorf("panic in the handler of %s: %v\n%s", what, r, debug.Stack()))
			go c.close(websocket.StatusInternalError, "internal error")
		}
	}()
	err := run(ctx)
	switch {
	case err == nil:
		return OutcomeDone
	case errors.Is(err, errUnknown):
		return OutcomeUnknown
	case errors.Is(err, runtime.ErrUnbound):
		outcome = OutcomeRefused
	case errors.Is(err, runtime.ErrSuperseded):
		outcome = OutcomeSuperseded
	default:
		outcome = OutcomeFailed
	}
	if !errors.Is(err, ErrClosed) && !c.wasCut() {
		e.config.OnError(ctx, fmt.Errorf("%s: %w", what, err))
	}
	return outcome
}

func (e *Endpoint[S]) navigation(ctx context.Context, c *Conn, n Navigation, s *S) error {
	load := Page{Path: n.Path, Reload: true}
	if e.navigate == nil {
		return c.Navigate(ctx, load)
	}
	err := e.sessions.LivelyEvent(ctx, c, s, func(ctx context.Context) error { return e.navigate(ctx, c, n, s) })
	if err != nil {
		// The event's time may be over, not the connection's. A page whose connection
		// is closed loads what it wanted by itself.
		_ = c.Navigate(c.ctx, load)
	}
	return err
}
