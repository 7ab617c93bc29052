package runtime

import (
	"context"
	"errors"
	"iter"
	"time"
)

// A Store keeps the records of sessions. Every method is one atomic step, safe
// for concurrent use, and judges the key as the methods of [Record] do. What a store
// promises is checked by package storetest.
//
// A store copies what it keeps of its arguments: the caller may use them again
// after the call. What it returns may share memory with what it keeps, so that a
// caller changes nothing behind a returned record but its own copy of the struct.
//
// A store may offer more by implementing [Formatter], [Indexer], [Limiter], [Lister],
// [Watcher], [Sweeper], [Warner], [Clocked] or [Pinger].
// One that wraps another keeps these abilities of it by having a method
// Unwrap() Store.
type Store interface {
	// Load returns the record. The first presentation of a renewed token is
	// recorded by the same step. Errors: ErrNotFound, ErrSuperseded, ErrReused,
	// ErrEnded.
	Load(ctx context.Context, key Key) (*Record, error)

	// Create stores a new record under key.ID. Errors: ErrExists, ErrTooLarge,
	// and ErrEnded where one of its [Record.Revocable] values was revoked after the
	// request arrived.
	Create(ctx context.Context, key Key, r *Record) error

	// Update applies a delta, and never inserts. Errors: those of Load, and
	// ErrConflict, ErrTooLarge, ErrOverflow.
	Update(ctx context.Context, key Key, d *Delta) (*Result, error)

	// Delete ends the session for good and leaves a mark for [MarkLife]. It is
	// idempotent: a missing record and a wrong proof are no error, and nothing
	// is deleted. Errors: ErrSuperseded, ErrReused.
	Delete(ctx context.Context, key Key) error
}

// ErrClosed is what every operation of a closed store answers, possibly wrapped.
var ErrClosed = errors.New("the store is closed")

// MarkLife is how long a store remembers that a session was destroyed: requests
// that arrived before the end get ErrEnded.
const MarkLife = 60 * time.Second

// RevocationLife is how long a store remembers that a value was revoked: a sign-in
// that had arrived before gets ErrEnded, however long it is under way.
const RevocationLife = 24 * time.Hour

// A Formatter is a store that wants values in another format than MessagePack.
type Formatter interface {
	Format() Format
}

// An Indexer is a store that finds sessions by the value of an indexed entry.
type Indexer interface {
	// Find yields the live sessions that carry the value, in no particular
	// order, each once. Memory is bounded whatever their number. The first
	// error ends the iteration.
	Find(ctx context.Context, v IndexValue, now time.Time) iter.Seq2[Found, error]

	// Revoke ends every live session that carries the value, but not those
	// whose id is excepted, and returns how many it ended. It marks the value
	// for [RevocationLife]: a Create or Update that sets it, by a request that had
	// arrived before, is ErrEnded, unless its id is excepted.
	Revoke(ctx context.Context, v IndexValue, now time.Time, except ...ID) (int, error)
}

// A Limiter is a store that bounds how many sessions a value has.
type Limiter interface {
	// Trim ends the live sessions that carry one of the values but for the given
	// number of them, those used longest ago first and never the one to keep, and
	// returns how many it ended. Of several at once each sees what the others have
	// left.
	Trim(ctx context.Context, values []IndexValue, most int, keep ID, now time.Time) (int, error)
}

// A Lister is a store that yields all sessions of a kind, and finds one by its id.
type Lister interface {
	// All yields the live sessions of the kind, in no particular order. One that
	// begins or ends meanwhile is found or not. Memory is bounded whatever their
	// number. The first error ends the iteration.
	All(ctx context.Context, kind string, now time.Time) iter.Seq2[Found, error]

	// ByID returns the live session of the kind that has the id. Errors: ErrNotFound.
	ByID(ctx context.Context, kind string, id ID, now time.Time) (*Record, error)

	// RevokeAll ends every live session of the kind, and returns how many it ended.
	// It marks the kind for [RevocationLife]: a Create by a request that had arrived
	// before is ErrEnded.
	RevokeAll(ctx context.Context, kind string, now time.Time) (int, error)
}

// A Judge is a store that judges every key by the methods of [Record], in the
// program's process and before its own methods return, and waits for nothing. It is
// given keys without a Family: these methods find that out if they need it, and few
// requests do. Nothing that it does is bounded by [Config.Timeout]: a load has the
// context of the request, and a commit goes on when that is over.
type Judge interface {
	JudgesByRecord()
}

// A Clocked is a store that judges by a clock of its own, that of its server.
type Clocked interface {
	// Ahead returns how far that clock is ahead of the program's, as the last answer
	// of the server has shown; 0 before there was one. It does not ask.
	Ahead() time.Duration

	// Measure makes Ahead known to a program whose clock says now. It asks the server
	// if no answer has shown it yet.
	Measure(ctx context.Context, now time.Time) error
}

// A Pinger is a store that says whether it works better than a load of a missing
// session would.
type Pinger interface {
	// Ping returns an error if sessions cannot be loaded.
	Ping(ctx context.Context) error
}

// Found is one session that an [Indexer] or a [Lister] found.
type Found struct {
	ID     ID
	Record *Record
}

// A Sweeper is a store whose expired records are removed by the program rather
// than by the server.
type Sweeper interface {
	// Sweep removes records that have expired, in bounded steps while others
	// work, and returns how many.
	Sweep(ctx context.Context, now time.Time) (int, error)
}

// A Warner is a store that knows of its server or file what makes sessions less safe
// than they should be, though it works.
type Warner interface {
	// Warnings returns what the store has found when it was opened, each with what
	// to do about it.
	Warnings() []error
}

// Ability returns what a store offers beyond [Store], such as [Indexer]: the first
// store in the chain of Unwrap methods that implements T.
func Ability[T any](s Store) (T, bool) {
	for s != nil {
		if t, ok := s.(T); ok {
			return t, true
		}
		w, ok := s.(interface{ Unwrap() Store })
		if !ok {
			break
		}
		s = w.Unwrap()
	}
	var none T
	return none, false
}
