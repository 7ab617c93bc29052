package runtime

import (
	"context"
	"errors"
	"time"
)

// idleLimit returns the idle limit of a session that has the given one of its own, 0
// for none.
func (e *engine) idleLimit(own time.Duration) time.Duration {
	if own > 0 {
		return own
	}
	return e.config.Idle
}

// expires returns when a session used now ends.
func (e *engine) expires(now, deadline time.Time, own time.Duration) time.Time {
	if limit := e.idleLimit(own); limit > 0 {
		return earliest(deadline, now.Add(limit).Truncate(time.Millisecond))
	}
	return deadline
}

// touchEvery returns how often activity is recorded that changes nothing else, 0 for
// never. A session that has a short limit of its own must not end between two times.
func (e *engine) touchEvery(own time.Duration) time.Duration {
	every, limit := e.config.TouchEvery, e.idleLimit(own)
	if limit > 0 && (every == 0 || every > limit/2) {
		return limit / 10
	}
	return every
}

// extensible reports whether activity of this request is to be recorded. A session
// that waits for its ticket ends with that.
func (s *Session) extensible() bool {
	return !s.passive && s.engine.store != nil && s.sight == seen && s.engine.touchEvery(s.draft.stored.Idle) > 0 &&
		!s.draft.stored.isUndelivered()
}

// extend records the use of a session that was only read, and moves its idle limit,
// at most every [Config].TouchEvery. The activity is the arrival of the request,
// however long its response streams.
func (c commit) extend(ctx context.Context) {
	stored := c.draft.stored
	key := c.key(&c.identity, c.engine.clock.read())
	used, every := key.Arrived(), c.engine.touchEvery(stored.Idle)
	end := c.engine.expires(used, stored.Deadline, stored.Idle)
	if used.Sub(stored.LastUsed()) < every && end.Sub(stored.Expires) < every {
		return
	}
	c.room.delta = Delta{}
	c.engine.use(&c.room.delta, used)
	result, err := c.engine.store.Update(ctx, key, &c.room.delta)
	switch {
	case err == nil:
		c.follow(&c.room.delta, result)
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrSuperseded), errors.Is(err, ErrReused), errors.Is(err, ErrEnded):
		// It ended while the request was reading: nothing is left to extend.
	default:
		_ = c.fault("extend", err)
	}
}

// deadline returns that of a session created then, with what is pending.
func (s *Session) deadline(created time.Time) time.Time {
	return s.life.deadline(created, s.engine.config.Age)
}
