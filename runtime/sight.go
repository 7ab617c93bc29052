package runtime

import "errors"

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

// forget drops what was seen: the next read has to load.
func (d *draft) forget() { d.stored, d.known = nil, false }

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
