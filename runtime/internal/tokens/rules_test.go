package tokens

import "slices"

// A place says which token of a session it is.
type place uint8

const (
	current   place = 0
	oldest    place = 4
	forgotten place = 5 // of the family 0

	// lost is a token whose family is no longer that of any other: nothing tells it
	// from one that was never given out.
	lost place = 15
)

// A user is who is signed in.
type user uint8

const (
	nobody user = iota
	victim
	attacker
)

// An old is what a record knows of an earlier token.
type old uint8

const (
	known     old = 1 << iota
	ended         // by a sign-in or a sign-out (T3)
	signedOut     // by a sign-out
	presented     // a successor was
	over          // the grace since it was ended, or since a successor was presented
	aged          // the grace since it was replaced
	joined        // as good as the current one (T8, L2)
)

func (o old) has(all old) bool  { return o&all == all }
func (o old) any(some old) bool { return o&some != 0 }

// A status is what there is of a session.
type status uint8

const (
	absent status = iota
	live
	marked // ended within the life of the mark
)

// A session is what a store keeps.
type session struct {
	status status
	user   user
	old    [4]old   // by place, less one
	family [5]uint8 // by place
	ticket ticket
	saw    token // what the browser had at the handshake of the ticket's connection

	// What the search wants to know.
	cart, alarmed bool
	victims       bool // the victim has signed in here
}

// nothing is a session that is absent.
var nothing = session{saw: none}

// A ticket is what the record has of one (S4).
type ticket uint8

const (
	noTicket ticket = iota
	spare           // another token is in the browser
	sole            // nothing else delivers the session
)

// A verdict is what a store answers.
type verdict uint8

const (
	admitted verdict = iota
	notFound
	superseded
	reused
	gone
	conflict
)

// Evidence is what an operation says besides its token: what its arrival was before,
// and who shows it.
type evidence struct {
	beforeEnd   bool // of the session
	inGrace     bool // of a token that a plain renewal has replaced
	inMemory    bool // a token that a sign-in has ended was superseded, not yet unknown
	beforeOut   bool // a sign-out of the session
	beforeLast  bool // the last renewal
	held, ofOwn bool // by a running request or connection; by no browser
}

// arrival returns the evidence of an operation that arrives now.
func (s *session) arrival(p place) (e evidence) {
	if s.status != live {
		return e
	}
	o := s.at(p)
	e.beforeEnd = true
	e.inGrace = !o.any(ended) && p < forgotten && (!o.any(over) || o.any(joined))
	e.inMemory = !o.has(ended | over)
	return e
}

// at returns what is known of the token, nothing of the current one.
func (s *session) at(p place) old {
	if p == current || p >= forgotten {
		return 0
	}
	return s.old[p-1]
}

func (s *session) isCurrent(p place) bool { return p == current || s.at(p).any(joined) }

// judge is S1. It changes nothing.
func (s *session) judge(p place, e evidence, c change) verdict {
	switch {
	case s.status == absent:
		return notFound
	case s.status == marked && e.beforeEnd && p < forgotten:
		return gone
	case s.status == marked:
		return notFound
	case p >= forgotten:
		return s.judgeForgotten(p, e, c)
	case s.isCurrent(p), c.ends() && e.inGrace && !s.at(p).any(ended):
		return admitted
	case s.at(p).any(ended):
		if e.inMemory {
			return superseded
		}
		return notFound
	case !s.at(p).has(presented | over):
		return admitted
	case e.held || e.inGrace:
		return notFound
	default:
		return reused
	}
}

// judgeForgotten is T12.
func (s *session) judgeForgotten(p place, e evidence, c change) verdict {
	switch {
	case s.family[current] != uint8(p-forgotten):
		return notFound
	case e.beforeLast && c.ends():
		return admitted
	case e.held || e.beforeLast:
		return notFound
	default:
		return reused
	}
}

// admit judges, and takes note of what the operation shows: that a token has reached a
// browser, or that it was reused.
func (s *session) admit(p place, e evidence, c change) verdict {
	v := s.judge(p, e, c)
	switch {
	case v == reused:
		s.end()
		s.alarmed = true
	case v == admitted && !e.ofOwn && p < forgotten:
		for i := range s.old[p:] {
			if o := &s.old[int(p)+i]; o.any(known) && !o.any(ended|joined) {
				*o |= presented
			}
		}
	}
	return v
}

func (s *session) end() { s.status, s.ticket, s.saw = marked, noTicket, none }

// A change is what an operation does.
type change uint8

const (
	write change = iota
	renew
	signIn
	signOut
	read
	end
)

// ends reports whether a request may do it however long it has waited.
func (c change) ends() bool { return c == signOut || c == end }

// An offer is the ticket that an event makes.
type offer struct {
	sole bool   // it signs in or out
	saw  *token // one of the holders, or none
}

// update is a change, and L3 if it renews and there is an offer. It reports whether the token was
// replaced, which moves all holders.
func (s *session) update(p place, e evidence, c change, who user, o *offer, holders ...*token) (v verdict, won bool) {
	before := s.ticket
	v, won = s.change(p, e, c, who, holders)
	switch {
	case o == nil || !won:
	case before == sole: // the browser still has what it had
		s.ticket = sole
	case o.sole:
		s.ticket, s.saw = sole, *o.saw
	default:
		s.ticket, s.saw = spare, *o.saw
	}
	s.tidyTicket()
	return v, won
}

func (s *session) tidyTicket() {
	if s.ticket == noTicket {
		s.saw = none
	}
}

// change is T2, T4 and T8.
func (s *session) change(p place, e evidence, c change, who user, holders []*token) (v verdict, won bool) {
	v = s.admit(p, e, c)
	switch {
	case c == signIn:
		return s.signIn(p, e, v, who, holders)
	case v != admitted || c == write:
		return v, false
	case c == signOut:
		s.user = nobody
		s.replace(p, ended|signedOut, s.newFamily(), holders)
		return v, true
	case !s.isCurrent(p) && (s.at(p).any(presented) || !s.at(p).any(aged)), !s.hasRoom(p):
		return v, false
	}
	s.replace(p, 0, s.family[p], holders)
	return v, true
}

// A redemption is what a browser shows with a ticket.
type redemption struct {
	cookie token
	opens  bool // the cookie opens a session
	live   bool // or one that is live has ended it by a sign-in
	same   bool // it is what the handshake saw, or of one session with that
}

// redeem is L3, and L2: only the connection has the token that is replaced, and keeps
// it. The session is one of the given number, and its ticket is shown.
func (s *session) redeem(number int8, by redemption, holders ...*token) verdict {
	switch {
	case s.status != live || s.ticket == noTicket:
		return notFound
	case !s.isFor(number, by), s.ticket == spare && !s.hasRoom(current):
		return conflict
	}
	family := s.newFamily()
	if by.opens && by.cookie.session == number {
		family = s.family[by.cookie.place]
	}
	s.replace(current, joined, family, holders)
	s.tidyTicket()
	return admitted
}

// isFor reports whether the ticket is for the browser.
func (s *session) isFor(number int8, by redemption) bool {
	listed := func(t token) bool { return t.session == number && t.place < forgotten }
	if s.saw == none {
		return !by.live
	}
	return by.same || listed(s.saw) && listed(by.cookie)
}

// reject is the end of a session that nothing but a ticket could deliver, which the
// wrong browser has shown.
func (s *session) reject() {
	if s.ticket == sole {
		s.end()
	}
}

// follows reports whether no sign-in or sign-out has come between a token and the
// current one.
func (s *session) follows(p place) bool {
	return p < forgotten && !slices.ContainsFunc(s.old[:p], func(o old) bool { return o.any(ended) })
}

// hasRoom reports whether a plain renewal forgets no token that may be in use.
func (s *session) hasRoom(p place) bool {
	drops := s.drops(p)
	switch o := s.at(drops); {
	case !o.any(known):
		return true
	case o.any(joined) || drops < p && !o.any(ended):
		return o.any(aged)
	default:
		return o.any(over)
	}
}

// drops returns the place that a renewal forgets: the renewing one is never what falls out.
func (s *session) drops(p place) place {
	if p == oldest {
		return oldest - 1
	}
	return oldest
}

// signIn is T2, and T8 if another sign-in has ended the token.
func (s *session) signIn(p place, e evidence, v verdict, who user, holders []*token) (verdict, bool) {
	same := s.user == who
	switch {
	case v == admitted && !s.isCurrent(p) && s.at(p).any(presented) && s.user != nobody && !same:
		return superseded, false
	case v == admitted:
		s.replace(p, ended, s.newFamily(), holders)
	case !same && s.isSignedOut(p, e):
		return superseded, false
	case !s.isEnded(p) || !same:
		return v, false
	case s.at(p).any(over):
		s.replace(p, ended, s.newFamily(), holders)
	default:
		s.replace(p, joined, s.newFamily(), holders)
	}
	s.user = who
	return admitted, true
}

// isEnded reports whether a sign-in or a sign-out has ended a token that the record
// remembers.
func (s *session) isEnded(p place) bool { return s.status == live && s.at(p).any(ended) }

// isSignedOut reports whether the arrival of a sign-in was before a sign-out which has
// ended its token (T3): it is refused, and begins nothing.
func (s *session) isSignedOut(p place, e evidence) bool { return s.isEnded(p) && e.beforeOut }

// destroy reports whether it ends the session.
func (s *session) destroy(p place, e evidence) (v verdict, ends bool) {
	v = s.admit(p, e, end)
	if v == admitted {
		s.end()
	}
	return v, v == admitted
}

// replace makes a new token, of the given family, and moves all holders of one. How says
// what becomes of the one before: nothing for a plain renewal, ended or joined.
func (s *session) replace(p place, how old, family uint8, holders []*token) {
	drops := s.drops(p)
	for _, t := range holders {
		t.place = t.place.moved(drops, s.family)
	}
	for i := drops; i > 0; i-- {
		s.family[i] = s.family[i-1]
		if i > 1 {
			s.old[i-1] = s.old[i-2]
		}
	}
	s.family[current], s.old[0] = family, known|how
	for _, t := range holders {
		t.place = s.recognised(t.place)
	}
	s.ticket = noTicket
	for i := range s.old[1:] {
		s.old[i+1] = s.old[i+1].after(how)
	}
}

// recognised returns the place, or that the token's family has gone.
func (s *session) recognised(p place) place {
	if p >= forgotten && !slices.Contains(s.family[:], uint8(p-forgotten)) {
		return lost
	}
	return p
}

// after returns what becomes of an earlier token when there is another renewal.
func (o old) after(how old) old {
	switch {
	case !o.any(known):
		return o
	case how.any(ended) && !o.any(ended): // T10
		return known | how
	case o.any(joined) && !how.any(joined):
		return known | how
	default:
		return o
	}
}

func (s *session) newFamily() uint8 {
	for f := uint8(0); ; f++ {
		if !slices.Contains(s.family[:], f) {
			return f
		}
	}
}

// pass lets a grace pass.
func (s *session) pass() {
	switch s.status {
	case marked:
		*s = nothing
	case live:
		for i, o := range s.old {
			if o.any(known) {
				o |= aged
			}
			if o.any(ended | presented) {
				o |= over
			}
			s.old[i] = o
		}
		if s.ticket == sole {
			*s = nothing
		}
		s.ticket, s.saw = noTicket, none
	}
}

// A token is a place in a session, or none that any session knows.
type token struct {
	session int8 // less than 0: none of them
	place   place
}

var (
	none    = token{session: -1} // no cookie
	unknown = token{session: -2} // one that opens nothing
)

func (t token) real() bool { return t.session >= 0 }

// moved is what a renewal of its session makes of a place.
func (p place) moved(drops place, family [5]uint8) place {
	switch {
	case p > drops:
		return p
	case p == drops:
		return forgotten + place(family[drops])
	default:
		return p + 1
	}
}
