package runtime

import (
	"context"
	"iter"
)

// limitSessions ends the sessions beyond the limit of each value that a commit has
// set. The commit has succeeded: if this fails, the next sign-in makes up for it.
func (c commit) limitSessions(ctx context.Context, set iter.Seq[IndexValue]) {
	if len(c.engine.limited) == 0 {
		return
	}
	for v := range set {
		for _, f := range c.engine.limited {
			if f.Key == v.Field {
				c.limitTo(ctx, f, v.Value)
			}
		}
	}
}

func (c commit) limitTo(ctx context.Context, f *Field, value string) {
	limiter, ok := ability[Limiter](c.engine.store)
	if !ok { // without a store, or NewManager would have refused it
		return
	}
	ended, err := limiter.Trim(ctx, c.engine.indexValues(f, value), f.Limit, c.id, c.engine.clock.read())
	if err != nil {
		_ = c.fault("limit", err)
	}
	c.engine.tellRevoked(c.ctx, f.Key, ended)
}
