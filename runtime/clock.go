package runtime

import (
	"reflect"
	"sync/atomic"
	"time"
)

// clock tells events apart that a coarse clock gives the same instant: each
// reading is at least a nanosecond later than the one before, unless the time
// was set back. Which came first, the end of a session or a request, decides
// what the request may still do.
type clock struct {
	now  func() time.Time
	real bool         // now is [time.Now]
	last atomic.Int64 // of the readings since epoch
}

// epoch is what readings are counted from: by the monotonic clock, if they have
// one.
var epoch = time.Now()

// tolerance is the largest step back that still counts as the same instant.
const tolerance = time.Millisecond

func newClock(now func() time.Time) *clock {
	return &clock{now: now, real: reflect.ValueOf(now).Pointer() == reflect.ValueOf(time.Now).Pointer()}
}

func (c *clock) read() time.Time {
	t := c.now()
	since := t.Sub(epoch)
	return t.Add(c.order(since) - since)
}

// sinceEpoch reads the clock for a later comparison with [clock.read]. If it
// can, it asks for the monotonic time alone, which takes half as long: every
// request does so.
func (c *clock) sinceEpoch() time.Duration {
	if c.real {
		return c.order(time.Since(epoch))
	}
	return c.order(c.now().Sub(epoch))
}

// order moves a reading behind the one before.
func (c *clock) order(reading time.Duration) time.Duration {
	for {
		last := c.last.Load()
		next := int64(reading)
		if behind := last - next; behind >= 0 && behind < int64(tolerance) {
			next = last + 1
		}
		if c.last.CompareAndSwap(last, next) {
			return time.Duration(next)
		}
	}
}
