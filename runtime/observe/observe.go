// Package observe shows what a store is asked: each call with its length, its bytes and
// how it ended. Metrics, traces and development tools stand on it.
package observe

import (
	"context"
	"errors"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// An Op names a method of a store. Its text is stable, for metrics.
type Op string

const (
	Load   Op = "load"
	Create Op = "create"
	Update Op = "update"
	Delete Op = "delete"

	Find      Op = "find"
	Revoke    Op = "revoke"
	Trim      Op = "trim"
	All       Op = "all"
	ByID      Op = "by_id"
	RevokeAll Op = "revoke_all"
	Ping      Op = "ping"
	Sweep     Op = "sweep"
)

// A Call is one call of a store that has ended.
type Call struct {
	Op       Op
	ID       runtime.ID    // of the session; zero if the call is not about one
	Bytes    int           // of the entries that were sent, or came back
	Sessions int           // that were found or ended, if the call is about several
	Took     time.Duration // of an iteration: from its begin to its end
	Err      error         // as the store returned it
}

// An Observer is told of each call of a store. It is used by many goroutines at once.
type Observer interface {
	// Begin is called before the store is. The store and End get the context that it
	// returns.
	Begin(ctx context.Context, op Op) context.Context

	// End is called when the store has answered, and before the program knows.
	End(ctx context.Context, c Call)
}

// A Cacher is a store that answers some loads out of the program's memory.
type Cacher interface {
	// CacheCounts returns how many loads it has answered so, and how many it could not.
	CacheCounts() (hits, misses uint64)
}

// Outcome names what a store has answered. Its text is stable, for metrics:
//
//   - "ok"
//   - "not_found", "superseded", "reused" and "ended": the session is not to be had
//   - "exists", "conflict", "too_large" and "overflow": the store applied nothing
//   - "damaged": the stored record cannot be read
//   - "refused": the server takes no writes
//   - "canceled" and "timeout": the caller waited no longer
//   - "error": anything else, such as an outage
func (c *Call) Outcome() string {
	for _, o := range outcomes {
		if errors.Is(c.Err, o.err) {
			return o.name
		}
	}
	return "error"
}

var outcomes = []struct {
	err  error
	name string
}{
	{nil, "ok"},
	{runtime.ErrNotFound, "not_found"},
	{runtime.ErrSuperseded, "superseded"},
	{runtime.ErrReused, "reused"},
	{runtime.ErrEnded, "ended"},
	{runtime.ErrExists, "exists"},
	{runtime.ErrConflict, "conflict"},
	{runtime.ErrTooLarge, "too_large"},
	{runtime.ErrOverflow, "overflow"},
	{runtime.ErrDamaged, "damaged"},
	{runtime.ErrRefused, "refused"},
	{context.Canceled, "canceled"},
	{context.DeadlineExceeded, "timeout"},
}

// Failed reports whether the store could not do what it is for. What it says of a
// session, or of a condition that does not hold, is an answer like any other.
func (c *Call) Failed() bool {
	switch c.Outcome() {
	case "damaged", "refused", "canceled", "timeout", "error":
		return true
	default:
		return false
	}
}
