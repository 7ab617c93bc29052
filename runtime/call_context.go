package runtime

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// callContext bounds the calls of the store by Config.Timeout. It is what
// [context.WithTimeout] would be, but starts its timer only when somebody waits
// for it: most calls are over sooner than a timer is made.
type callContext struct {
	parent   context.Context
	lasting  bool // goes on when the parent is over: a visitor who hangs up must not cancel a sign-out
	deadline time.Time
	start    sync.Once
	timed    context.Context // once somebody waits
	cancel   context.CancelFunc
	started  atomic.Bool // timed is there
}

func (c *callContext) begin(parent context.Context, limit time.Duration) {
	c.parent, c.deadline = parent, time.Now().Add(limit)
	if end, ok := parent.Deadline(); ok && !c.lasting && end.Before(c.deadline) {
		c.deadline = end
	}
}

func (c *callContext) Deadline() (time.Time, bool) { return c.deadline, true }

func (c *callContext) Done() <-chan struct{} { return c.wait().Done() }

// Err is an error as soon as Done is closed, also by stop: package context
// panics, in a goroutine of its own, over a parent that keeps to less.
func (c *callContext) Err() error {
	if !c.started.Load() && time.Until(c.deadline) > 0 && (c.lasting || c.parent.Err() == nil) {
		return nil
	}
	return c.wait().Err()
}

func (c *callContext) Value(key any) any { return c.parent.Value(key) }

func (c *callContext) wait() context.Context {
	c.start.Do(func() {
		parent := c.parent
		if c.lasting {
			parent = context.WithoutCancel(parent)
		}
		c.timed, c.cancel = context.WithDeadline(parent, c.deadline)
		c.started.Store(true)
	})
	return c.timed
}

// stop releases the timer.
func (c *callContext) stop() {
	c.start.Do(func() {
		c.timed, c.cancel = stopped, func() {}
		c.started.Store(true)
	})
	c.cancel()
}

// stopped is what waits for a context that was stopped before anybody waited.
var stopped = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()
