package pgstore

import (
	"fmt"

	"github.com/duckgen/duckgen/runtime"
)

// A verdict is what the functions of the database answer.
type verdict string

// judged returns the error that a verdict on a session stands for.
func (s *Store) judged(id runtime.ID, v verdict) error { return s.judgedDelta(id, v, nil, "") }

// judgedDelta does so for an update. Where the delta was too large or overflowed,
// field says which field of it: none means the whole record.
func (s *Store) judgedDelta(id runtime.ID, v verdict, d *runtime.Delta, field string) error {
	switch v {
	case "ok":
		return nil
	case "not found":
		return runtime.ErrNotFound
	case "exists":
		return runtime.ErrExists
	case "ended":
		return runtime.ErrEnded
	case "superseded":
		return runtime.ErrSuperseded
	case "signed out":
		return runtime.ErrSignedOut
	case "reused":
		return runtime.ErrReused
	case "conflict":
		return runtime.ErrConflict
	case "damaged":
		return s.wrap(damaged(id, errDamaged))
	case "overflow":
		return &runtime.LimitError{Field: field, Err: runtime.ErrOverflow}
	case "too large":
		return &runtime.LimitError{Field: field, Limit: limitOf(d, field), Err: runtime.ErrTooLarge}
	}
	return s.wrap(fmt.Errorf("the functions in the database answer %q, which this program does not know", string(v)))
}

func limitOf(d *runtime.Delta, field string) int {
	for _, limit := range d.Limits {
		if limit.Field == field {
			return limit.Max
		}
	}
	return d.MaxBytes
}
