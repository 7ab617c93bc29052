package serverclock

import (
	"sync/atomic"
	"time"
)

// Leeway is by how much two times may differ that are told by one clock: a statement
// takes no longer to the server, mostly. Clocks that differ by less count as one.
const Leeway = 500 * time.Millisecond

// An Ahead is how far the server's clock is ahead of the program's, in whole
// milliseconds. It changes only if it is wrong by more than the leeway, so that
// equal times stay equal. It is safe for concurrent use.
type Ahead struct {
	d     atomic.Int64
	known atomic.Bool
}

// Get returns the difference, 0 before it is known.
func (a *Ahead) Get() time.Duration { return time.Duration(a.d.Load()) }

// Known reports whether the server's clock was observed.
func (a *Ahead) Known() bool { return a.known.Load() }

// Observe takes note that the server's clock said what it did at some moment of an
// operation, which the program's clock saw beginning and the monotonic one has timed.
func (a *Ahead) Observe(began, server time.Time, took time.Duration) {
	most := server.Sub(began)
	least := most - took
	fits := func(d time.Duration) bool { return least-Leeway < d && d < most+Leeway }
	switch {
	case fits(a.Get()):
	case fits(0):
		a.d.Store(0)
	default:
		a.d.Store(int64((most - took/2).Round(time.Millisecond)))
	}
	a.known.Store(true)
}
