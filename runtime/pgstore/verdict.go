package pgstore

import (
	"fmt"

	"github.com/duckgen/duckgen/runtime"
)

// A verdict is what the functions of the database answer.
type verdict string

// err returns the error that a verdict stands for. Where a delta was too large
// or overflowed, field says which field of it: none means the whole record.
func (v verdict) err(d *runtime.Delta, field string) error {
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
	case "reused":
		return runtime.ErrReused
	case "conflict":
		return runtime.ErrConflict
	case "overflow":
		return &runtime.LimitError{Field: field, Err: runtime.ErrOverflow}
	case "too large":
		return &runtime.LimitError{Field: field, Limit: limitOf(d, field), Err: runtime.ErrTooLarge}
	}
	return fmt.Errorf("pgstore: the functions in the database answer %q, which this program does not know", string(v))
}

func limitOf(d *runtime.Delta, field string) int {
	for _, limit := range d.Limits {
		if limit.Field == field {
			return limit.Max
		}
	}
	return d.MaxBytes
}
