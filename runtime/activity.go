package runtime

import (
	"context"
	"errors"
	"time"
)

// active returns until when a commit of now extends the session, zero if it is no
// use of it.
func (c commit) active(now time.Time) time.Time {
	if c.passive {
		return time.Time{}
	}
	return c.engine.idleEnd(now)
}

// extensible reports whether activity can move the end of the session. One that
// waits for its ticket ends with that.
func (s *Session) extensible() bool {
	return s.engine.config.Idle > 0 && !s.passive && s.engine.store != nil && s.sight == seen &&
		(s.draft.stored.Ticket == nil || !s.draft.stored.Ticket.Sole)
}

// extend moves the idle limit of a session that was only read, at most once in
// a tenth of it. The activity is the arrival of the request, however long its
// response streams.
func (c commit) extend(ctx context.Context) {
	key := c.key(&c.identity, c.engine.clock.read())
	end := c.engine.expires(key.Arrived(), c.draft.stored.Deadline)
	if end.Sub(c.draft.stored.Expires) < c.engine.config.Idle/10 {
		return
	}
	c.room.delta = Delta{Active: c.engine.idleEnd(key.Arrived())}
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
