package runtime

import (
	"context"
	"errors"
)

// A sight is what a session knows of its stored record. Only [Session.move]
// changes it, together with what the draft holds as stored:
//
//	sight    stored         a read             a commit       comes of
//	absent   nothing        gives defaults     creates        no cookie, an unknown token, Destroy
//	unseen   not known      loads              updates        a token, the end of a live event
//	seen     the record     gives what it has  updates        a load, a creation
//	ended    nothing        gives defaults     is refused     the end of what was seen alive, a sign-in elsewhere, another device
//	lost     the last view  gives that         is refused     a commit whose outcome is unknown
//	outage   the last view  gives that         is refused     a load that failed
//
// The last three have a refusal, the error of every further commit. The next
// event of a live connection begins without it.
type sight uint8

const (
	absent sight = iota
	unseen
	seen
	ended
	lost
	outage
)

// move changes the sight: to seen with the record, to the last three with the
// refusal.
func (s *Session) move(to sight, r *Record, refusal error) {
	s.sight, s.refusal = to, refusal
	switch to {
	case absent:
		s.draft.see(nil)
	case seen:
		s.life.see(r, s.engine.config.Age)
		s.draft.see(r)
	case unseen, ended:
		s.draft.forget()
	default:
		s.draft.known = false
	}
}

// become makes the session stand for another record, of which nothing is known or
// which is none. A refusal outlives that.
func (s *Session) become(i identity, to sight) {
	s.identity = i
	if s.refusal != nil {
		s.draft.forget()
		return
	}
	s.move(to, nil, nil)
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
	case s.phase != phaseClosed && s.engine.judge != nil:
		s.fetch(ctx)
	case s.phase != phaseClosed:
		bound := &s.first
		if bound.parent != nil { // a store may hold on to it
			bound = &callContext{}
		}
		bound.begin(ctx, s.engine.config.Timeout)
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
	if len(s.rivals) > 0 {
		s.choose(ctx)
		return
	}
	key := s.key(&s.identity, s.engine.clock.read())
	record, err := s.engine.load(ctx, key)
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

// vanish takes note that no live session answers to the token. One that was seen
// alive has ended and stays so; any other was only an unknown cookie, or opens a
// record that nobody can read.
func (s *Session) vanish(err error) {
	switch {
	case errors.Is(err, ErrReused):
		s.report(EventReused, "", nil)
	case errors.Is(err, ErrDamaged):
		s.report(EventDamaged, "", err)
	}
	if s.confirmed {
		s.move(ended, nil, s.fail(ErrEnded))
		return
	}
	if former := s.identity; errors.Is(err, ErrNotFound) {
		s.former = &former
	}
	s.become(identity{}, absent)
}
