package runtime

import (
	"sync/atomic"
	"time"
)

// clock tells events apart that a coarse clock gives the same instant: each
// reading is at least a nanosecond later than the one before, unless the time
// was set back. Which came first, the end of a session or a request, decides
// what the request may still do.
type clock struct {
	now  func() time.Time
	last atomic.Int64
}

// tolerance is the largest step back that still counts as the same instant.
const tolerance = int64(time.Millisecond)

func (c *clock) read() time.Time {
	t := c.now()
	raw := t.UnixNano()
	for {
		last := c.last.Load()
		next := raw
		if behind := last - raw; behind >= 0 && behind < tolerance {
			next = last + 1
		}
		if c.last.CompareAndSwap(last, next) {
			return t.Add(time.Duration(next - raw))
		}
	}
}
