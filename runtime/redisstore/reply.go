package redisstore

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/duckgen/duckgen/runtime"
)

// A reply is what an operation answers.
type reply struct {
	applied string  // by an update that has nothing more to say
	parts   []Value // a verdict, and what belongs to it
}

// The verdicts, as functions/record.lua has them.
const (
	verdictOK = iota
	verdictNotFound
	verdictExists
	verdictConflict
	verdictTooLarge
	verdictOverflow
	verdictSuperseded
	verdictSignedOut
	verdictReused
	verdictEnded
	verdictWithdrawn
	verdictOtherKind
	verdictDamaged
)

var (
	errDamaged = fmt.Errorf("%w (or of a newer version)", runtime.ErrDamaged)
	errReply   = errors.New("the server's answer cannot be read")
)

func (r reply) verdict() int64 {
	if r.applied != "" {
		return verdictOK
	}
	return r.number(0)
}

// part returns a part, and the zero Value if there are fewer.
func (r reply) part(i int) Value {
	if i >= len(r.parts) {
		return Value{}
	}
	return r.parts[i]
}

// number returns a part that is a number, and -1 for anything else.
func (r reply) number(i int) int64 { return r.part(i).number() }

// texts returns a part that is a list, and nothing for anything else.
func (r reply) texts(i int) []string { return r.part(i).texts() }

func (r reply) text(i int) string { return r.part(i).Text }

// What a commit says came of it, as functions/record.lua has it.
const (
	outcomeCrowded = 1 << iota
	outcomeWon
	outcomeCurrent
)

// outcome returns what came of a commit that was applied.
func (r reply) outcome() byte {
	applied := cmp.Or(r.applied, r.text(1))
	if applied == "" {
		return 0
	}
	return applied[0]
}

// crowded reports whether a commit that was applied has met a crowded index.
func (r reply) crowded() bool { return r.verdict() == verdictOK && r.outcome()&outcomeCrowded != 0 }

// head returns the head of the record after an update, and "" where there is
// none.
func (r reply) head() string {
	applied := cmp.Or(r.applied, r.text(1))
	if len(applied) != 1+headSize {
		return ""
	}
	return applied[1:]
}

// err returns what the verdict says to the caller.
func (r reply) err(id runtime.ID) error {
	switch r.verdict() {
	case verdictOK:
		return nil
	case verdictNotFound:
		return runtime.ErrNotFound
	case verdictExists:
		return runtime.ErrExists
	case verdictConflict:
		return runtime.ErrConflict
	case verdictTooLarge:
		return &runtime.LimitError{Field: r.text(1), Limit: int(r.number(2)), Err: runtime.ErrTooLarge}
	case verdictOverflow:
		return &runtime.LimitError{Field: r.text(1), Err: runtime.ErrOverflow}
	case verdictSuperseded:
		return runtime.ErrSuperseded
	case verdictSignedOut:
		return runtime.ErrSignedOut
	case verdictReused:
		return runtime.ErrReused
	case verdictEnded:
		return runtime.ErrEnded
	case verdictDamaged:
		return fmt.Errorf("session %s: %w", id, errDamaged)
	default:
		return fmt.Errorf("session %s: %w", id, errReply)
	}
}

// result returns what an update that was applied came to.
func (r reply) result() (*runtime.Result, error) {
	outcome, head := r.outcome(), r.head()
	if head == "" {
		return nil, errReply
	}
	result := &runtime.Result{
		Won:      outcome&outcomeWon != 0,
		Current:  outcome&outcomeCurrent != 0,
		Created:  timeAt(head, headCreated),
		Renewed:  timeAt(head, headRenewed),
		SignedIn: timeAt(head, headSignedIn),
		Deadline: timeAt(head, headDeadline),
		Expires:  timeAt(head, headExpires),
		Used:     timeAt(head, headUsed),

		Persistence: persistenceOf(head),
	}
	if replaced := r.texts(2); len(replaced) > 0 {
		result.Replaced = replaced
	}
	return result, nil
}
