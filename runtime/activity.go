package runtime

import (
	"context"
	"errors"
	"time"
)

// active returns until when a commit of now extends the session, zero if it is no
// use of it.
func (s *Session) active(now time.Time) time.Time {
	if s.passive {
		return time.Time{}
	}
	return s.engine.idleEnd(now)
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
func (s *Session) extend(ctx context.Context, c *commitRoom) {
	key := s.key(&s.identity, s.engine.clock.read())
	end := s.engine.expires(key.Arrived(), s.draft.stored.Deadline)
	if end.Sub(s.draft.stored.Expires) < s.engine.config.Idle/10 {
		return
	}
	c.delta = Delta{Active: s.engine.idleEnd(key.Arrived())}
	result, err := s.engine.store.Update(ctx, key, &c.delta)
	switch {
	case err == nil:
		s.follow(&c.delta, result)
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrSuperseded), errors.Is(err, ErrReused), errors.Is(err, ErrEnded):
		// It ended while the request was reading: nothing is left to extend.
	default:
		_ = s.fault("extend", err)
	}
}
