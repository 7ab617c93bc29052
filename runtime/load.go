package runtime

import (
	"context"
	"errors"
	"time"
)

// How the record of a session is loaded: at the first read that what is pending does
// not answer, by the key that the session has, and once more after an event.

// lookUnless loads what a read needs, unless what is pending answers it.
func (s *Session) lookUnless(answered bool) {
	if !answered {
		s.look()
	}
}

// look loads what a read needs.
func (s *Session) look() {
	s.consult()
	if s.phase == phaseOutside {
		_ = s.fail(ErrNoMiddleware)
		return
	}
	s.load(s.ctx)
}

// consult takes note that the response depends on the session. It is too late for
// that if the response says otherwise already.
func (s *Session) consult() {
	if s.unvaried {
		s.unvaried = false
		s.report(EventVaryLate, "", nil)
	}
	s.consulted = true
}

// load fetches the record at the first need.
func (s *Session) load(ctx context.Context) {
	if s.sight == unseen && s.engine.store != nil {
		s.loadUnseen(ctx)
	}
}

// loadUnseen fetches the record. After the last commit that is too late.
func (s *Session) loadUnseen(ctx context.Context) {
	switch {
	case s.phase != phaseClosed && s.engine.atOnce:
		s.fetch(ctx)
	case s.phase != phaseClosed:
		bound := s.engine.boundIn(s.first, ctx)
		s.first = nil // a store may hold on to it
		defer bound.stop()
		s.fetch(bound)
	case !s.unread:
		s.unread = true
		_ = s.fail(ErrTooLate)
		s.report(EventClosedRead, "", nil)
	}
}

// fetch asks the store for the record. After a failure nothing more of this
// request is committed.
func (s *Session) fetch(ctx context.Context) {
	if s.contest.unasked() {
		s.choose(ctx)
		return
	}
	key := s.key(&s.identity, s.engine.clock.read())
	record, err := s.engine.store.Load(ctx, key)
	if err == nil {
		record, err = s.admit(ctx, key, record)
	}
	switch {
	case err == nil:
		s.confirmed = true
		s.move(seen, record, nil)
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrReused), errors.Is(err, ErrDamaged):
		s.vanish(err)
	case errors.Is(err, ErrSuperseded), errors.Is(err, ErrEnded), errors.Is(err, ErrUnbound):
		s.move(ended, nil, s.fail(err))
	default:
		s.move(outage, nil, s.fault("load", err))
	}
}

// unasked reports whether the store has still to say which token counts.
func (c *contest) unasked() bool { return c != nil && len(c.rivals) > 0 }

// key presents an identity to the store. A [Judge] asks it for its family.
func (s *Session) key(i *identity, now time.Time) Key {
	key := Key{
		ID:    i.id,
		Proof: i.present(),
		Now:   now,
		Age:   s.age(now),
		Held:  i.confirmed || i.issued || s.live != nil,
		Live:  i.issued || i.found || s.live != nil,
	}
	if s.engine.judges {
		key.token = i
	} else {
		key.Family = i.presentFamily()
	}
	return key
}

// age returns how long ago the request or event arrived.
func (s *Session) age(now time.Time) time.Duration { return now.Sub(epoch) - s.arrived }

// admit asks whether the record opens to this request. What was admitted, or made
// by the request itself, stays so; a live connection is asked anew in between.
func (s *Session) admit(ctx context.Context, key Key, r *Record) (_ *Record, err error) {
	switch {
	case s.engine.config.Bound == BoundNever:
		return r, nil
	case s.live.isUnproved(key.Now):
		s.live.proved, err = s.engine.proveAgain(r, key.Now)
		return r, err
	case s.confirmed:
		return r, nil
	case s.isLive():
		key.Age = 0 // its handshake arrived long ago
	}
	r, event, err := s.engine.admit(ctx, key, r, s.brought, s.request)
	if event != "" {
		s.report(event, "", nil)
	}
	return r, err
}

// isLive reports whether the session is that of a connection which the handler has
// taken over.
func (s *Session) isLive() bool { return s.live != nil || s.phase == phaseBetween }

// see withdraws what the record has already.
func (l *life) see(r *Record, age time.Duration) {
	if l.idle != nil && *l.idle == r.Idle {
		l.idle = nil
	}
	if l.persistence == r.Persistence {
		l.persistence = PersistenceConfigured
	}
	if l.expiry != nil && l.deadline(r.Created, age).Equal(r.Deadline) {
		l.expiry = nil
	}
}
