package runtime

import (
	"context"
	"errors"
	"fmt"
)

// A sight is what a session knows of its stored record. Only [Session.move]
// changes it, together with what the draft holds as stored:
//
//	sight    stored         a read             a commit       comes of
//	absent   nothing        gives defaults     creates        no cookie, an unknown token, Destroy
//	unseen   not known      loads              updates        a token, the end of a live event
//	seen     the record     gives what it has  updates        a load, a creation
//	ended    nothing        gives defaults     is refused     the end of what was seen alive, a sign-in elsewhere
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
	case absent, seen:
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
	s.consulted = true
	if s.phase == phaseOutside {
		_ = s.fail(ErrNoMiddleware)
		return
	}
	s.load(s.ctx)
}

// load fetches the record at the first need.
func (s *Session) load(ctx context.Context) {
	if s.sight == unseen && s.phase != phaseClosed && s.engine.store != nil {
		s.fetch(ctx)
	}
}

// fetch asks the store for the record. After a failure nothing more of this
// request is committed.
func (s *Session) fetch(ctx context.Context) {
	record, err := s.engine.store.Load(ctx, s.key(&s.identity, s.engine.clock.read()))
	switch {
	case err == nil:
		s.confirmed = true
		s.move(seen, record, nil)
		s.withdrawExpiry()
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrReused):
		s.vanish(err)
	case errors.Is(err, ErrSuperseded), errors.Is(err, ErrEnded):
		s.move(ended, nil, s.fail(err))
	default:
		s.move(outage, nil, s.fault(fmt.Errorf("load session: %w", err)))
	}
}

// vanish takes note that no live session answers to the token. One that was seen
// alive has ended and stays so; any other was only an unknown cookie.
func (s *Session) vanish(err error) {
	if errors.Is(err, ErrReused) {
		s.report(EventReused, "", nil)
	}
	if s.confirmed {
		s.move(ended, nil, s.fail(ErrEnded))
		return
	}
	s.become(identity{}, absent)
}
