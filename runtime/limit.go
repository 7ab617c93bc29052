package runtime

import (
	"context"
	"errors"
	"iter"
)

// limitSessions ends the sessions beyond the limit of each value that a commit of the
// session has set. The commit has succeeded: if this fails, the next sign-in makes up
// for it.
func (e *engine) limitSessions(ctx context.Context, id ID, set iter.Seq[IndexValue]) error {
	if len(e.limited) == 0 {
		return nil
	}
	var errs []error
	for v := range set {
		for _, f := range e.limited {
			if f.Key == v.Field {
				errs = append(errs, e.limitTo(ctx, f, v.Value, id))
			}
		}
	}
	return errors.Join(errs...)
}

func (e *engine) limitTo(ctx context.Context, f *Field, value string, keep ID) error {
	limiter, ok := Ability[Limiter](e.store)
	if !ok { // NewManager would have refused it
		return nil
	}
	ended, err := limiter.Trim(ctx, e.indexValues(f, value), f.Limit, keep, e.clock.read())
	e.tellRevoked(ctx, f.Key, ended)
	return err
}
