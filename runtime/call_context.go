package runtime

import (
	"context"
	"sync/atomic"
	"time"
)

// callContext bounds the calls of the store by Config.Timeout. It is what
// [context.WithTimeout] would be, but starts its timer only when somebody waits
// for it: most calls are over sooner than a timer is made.
type callContext struct {
	parent  context.Context
	lasting bool                         // goes on when the parent is over: a visitor who hangs up must not cancel a sign-out
	ends    time.Duration                // since epoch
	timed   atomic.Pointer[timedContext] // nil: nobody has waited, and it was not stopped
}

type timedContext struct {
	context.Context
	cancel context.CancelFunc
}

func (c *callContext) begin(parent context.Context, limit time.Duration) {
	c.parent, c.ends = parent, time.Since(epoch)+limit
}

func (c *callContext) Deadline() (time.Time, bool) {
	own := epoch.Add(c.ends)
	if end, ok := c.parent.Deadline(); ok && !c.lasting && end.Before(own) {
		return end, true
	}
	return own, true
}

func (c *callContext) Done() <-chan struct{} { return c.wait().Done() }

// Err is an error as soon as Done is closed, also by stop: package context
// panics, in a goroutine of its own, over a parent that keeps to less.
func (c *callContext) Err() error {
	if c.timed.Load() == nil && time.Since(epoch) < c.ends && (c.lasting || c.parent.Err() == nil) {
		return nil
	}
	return c.wait().Err()
}

func (c *callContext) Value(key any) any { return c.parent.Value(key) }

// wait returns what has a timer, and starts that at the first call.
func (c *callContext) wait() context.Context {
	if c.timed.Load() == nil {
		parent := c.parent
		if c.lasting {
			parent = context.WithoutCancel(parent)
		}
		ctx, cancel := context.WithDeadline(parent, epoch.Add(c.ends))
		if !c.timed.CompareAndSwap(nil, &timedContext{ctx, cancel}) {
			cancel()
		}
	}
	return c.timed.Load()
}

// stop releases the timer.
func (c *callContext) stop() {
	if !c.timed.CompareAndSwap(nil, stopped) {
		c.timed.Load().cancel()
	}
}

// stopped is what waits for a context that was stopped before anybody waited.
var stopped = func() *timedContext {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return &timedContext{ctx, cancel}
}()
