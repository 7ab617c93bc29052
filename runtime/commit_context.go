package runtime

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// commitTimeout bounds the commits of the hooks. They run even when the visitor
// hangs up: that must not cancel a sign-out.
const commitTimeout = 5 * time.Second

// commitContext is what [context.WithTimeout] of [context.WithoutCancel] would
// be, but starts its timer only when somebody waits for it: most commits are
// over sooner than a timer is made.
type commitContext struct {
	values   context.Context
	deadline time.Time
	start    sync.Once
	timed    context.Context // once somebody waits
	cancel   context.CancelFunc
	started  atomic.Bool // timed is there
}

func (c *commitContext) begin(values context.Context) {
	c.values, c.deadline = values, time.Now().Add(commitTimeout)
}

func (c *commitContext) Deadline() (time.Time, bool) { return c.deadline, true }

func (c *commitContext) Done() <-chan struct{} { return c.wait().Done() }

// Err is an error as soon as Done is closed, also by stop: package context
// panics, in a goroutine of its own, over a parent that keeps to less.
func (c *commitContext) Err() error {
	if !c.started.Load() && time.Until(c.deadline) > 0 {
		return nil
	}
	return c.wait().Err()
}

func (c *commitContext) Value(key any) any { return c.values.Value(key) }

func (c *commitContext) wait() context.Context {
	c.start.Do(func() {
		c.timed, c.cancel = context.WithDeadline(context.WithoutCancel(c.values), c.deadline)
		c.started.Store(true)
	})
	return c.timed
}

// stop releases the timer.
func (c *commitContext) stop() {
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
