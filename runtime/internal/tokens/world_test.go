package tokens

import "slices"

// A world is one state of the search: the sessions, a browser with up to two requests
// under way, and an attacker with as many.
type world struct {
	sessions     [3]session
	mine, theirs [2]request
	jar          token
	conn         connection
	loot         ticketOf  // that the attacker has
	knows        [3]uint16 // by session: a bit for each place that the attacker has
	left         [2]uint8  // how many requests the browser and the attacker may still send

	// What the browser has been told, and what the search knows besides.
	in     bool // it is signed in, and has not tried to sign out since
	carted bool // its cart is stored, in the session that its cookie is of
	owed   bool // the token of an event's sign-in
	stolen bool
	clean  bool // it has signed in, with a request sent after the theft
}

// A request, or an event of the browser's connection, is under way. It pauses before
// each step of the store. An event that gives the session a new token, or ends it, goes on
// as the request by which the page fetches its cookie.
type request struct {
	op       op
	event    bool
	of       op       // what the event was whose page fetches
	ticket   ticketOf // with which it does so
	shows    redemption
	stage    stage
	with     token
	evidence evidence
	seen     bool // it has seen its session alive (R7)
	refusal  verdict
	answer   token // with stage answered: what the jar becomes
	later    bool  // an answer that left before has not arrived
	robbed   bool  // sent after the theft
	bare     bool  // without a cookie
	pays     bool  // what is owed
	outdated bool  // a sign-out was sent after this sign-in
}

type stage uint8

const (
	idle stage = iota
	sent
	arrived
	loaded
	answered
	told // the page is to fetch
)

// An op is what a request does.
type op byte

const (
	reads    op = 'r'
	writes   op = 'w'
	renews   op = 'n'
	signsIn  op = 's'
	signsOut op = 'o'
	destroys op = 'd'

	connects op = 'c'
	fetches  op = 'f'

	liveRenews op = 'l' // an attacker's, in an event
)

var changes = map[op]change{writes: write, renews: renew, signsIn: signIn, signsOut: signOut, liveRenews: renew}

// does is what the browser wants of a request: a fetch is for what an event has done.
func (q *request) does() op {
	if q.op == fetches {
		return q.of
	}
	return q.op
}

// leaves reports whether the op is a sign-out.
func (o op) leaves() bool { return o == signsOut || o == destroys }

// at returns the session of a token.
func (w *world) at(t token) *session { return &w.sessions[t.session] }

// holders returns every token of the session, to be moved, and those that the attacker
// knows as one more list.
func (w *world) holders(session int8, known []token) (list []*token) {
	add := func(t *token) {
		if t.session == session {
			list = append(list, t)
		}
	}
	add(&w.jar)
	add(&w.conn.with)
	add(&w.conn.saw)
	for i := range w.sessions {
		add(&w.sessions[i].saw)
	}
	for i := range w.mine {
		add(&w.mine[i].shows.cookie)
		add(&w.mine[i].with)
		add(&w.mine[i].answer)
		add(&w.theirs[i].with)
	}
	for i := range known {
		add(&known[i])
	}
	return list
}

// known returns what the attacker has of a session.
func (w *world) known(session int8) (list []token) {
	for p := current; p <= lost; p++ {
		if w.knows[session]&(1<<p) != 0 {
			list = append(list, token{session, p})
		}
	}
	return list
}

// update commits a change with a token, and moves all others if that renews.
func (w *world) update(t token, e evidence, c change, who user, o *offer) (v verdict, won bool) {
	w.renewing(t.session, func(holders []*token) {
		v, won = w.at(t).update(t.place, e, c, who, o, holders...)
	})
	if o != nil && won {
		w.tear(t.session)
	}
	if won {
		w.arrivedBefore(t.session, c)
	}
	return v, won
}

// renewing does what may replace the token of a session.
func (w *world) renewing(session int8, do func(holders []*token)) {
	known := w.known(session)
	do(w.holders(session, known))
	w.knows[session] = 0
	for _, k := range known {
		w.knows[session] |= 1 << k.place
	}
}

// arrivedBefore takes note, for what is under way, of a renewal of the session.
func (w *world) arrivedBefore(session int8, c change) {
	before := func(e *evidence) {
		e.beforeLast = true
		e.beforeOut = e.beforeOut || c == signOut
	}
	for _, list := range []*[2]request{&w.mine, &w.theirs} {
		for i := range list {
			if q := &list[i]; q.stage >= arrived && q.stage < answered && q.with.session == session {
				before(&q.evidence)
			}
		}
	}
	if w.conn.with.session == session {
		before(&w.conn.evidence)
	}
}

// begin makes a session of the victim's. It reports false if there is no room.
func (w *world) begin(who user, cart bool, o *offer) (token, bool) {
	i := slices.IndexFunc(w.sessions[:], func(s session) bool { return s.status == absent })
	if i < 0 {
		return none, false
	}
	w.sessions[i] = session{status: live, user: who, cart: cart, victims: who == victim, saw: none}
	if o != nil {
		w.sessions[i].ticket, w.sessions[i].saw = sole, *o.saw
	}
	return token{session: int8(i)}, true
}

// commit is the commit of one of the browser's requests: what the runtime makes of the
// store's answer. It reports false if the search has no room for what follows.
func (w *world) commit(q *request) (answer token, ok, room bool) {
	if q.event && q.with == unknown || q.refusal == gone || q.refusal == superseded && q.op != signsIn {
		return unchanged, false, true
	}
	if !q.with.real() {
		return w.commitAfresh(q)
	}
	t, s := q.with, w.at(q.with)
	if q.op == destroys {
		return w.destroy(q)
	}
	if q.op == signsOut && q.seen && s.user == nobody { // no change
		return unchanged, true, true
	}
	v, won := w.update(t, q.evidence, changes[q.op], victim, w.offer(q))
	switch {
	case v == admitted:
		s.cart = s.cart || q.op == writes
		s.victims = s.victims || q.op == signsIn
		if won {
			return token{session: t.session}, true, true
		}
		return unchanged, true, true
	case q.op == signsIn && v == superseded && !s.isSignedOut(t.place, q.evidence):
		return w.commitAfresh(q)
	case v == superseded, v == gone, q.seen:
		return unchanged, false, true
	default:
		return w.commitAfresh(q)
	}
}

// unchanged is the answer that leaves the jar as it is.
var unchanged = token{session: -3}

// commitAfresh begins a session, if there is anything to store.
func (w *world) commitAfresh(q *request) (answer token, ok, room bool) {
	switch q.op {
	case writes:
		answer, room = w.begin(nobody, true, w.offer(q))
		return answer, true, room
	case signsIn:
		answer, room = w.begin(victim, false, w.offer(q))
		return answer, true, room
	default:
		return unchanged, true, true
	}
}

// destroy is R3.
func (w *world) destroy(q *request) (answer token, ok, room bool) {
	if !q.seen {
		return unchanged, true, true
	}
	switch v, _ := w.at(q.with).destroy(q.with.place, q.evidence); v {
	case superseded:
		return unchanged, false, true
	case gone:
		return unchanged, true, true
	default:
		return none, true, true
	}
}

// load is what a request that looks first finds.
func (w *world) load(q *request) {
	q.stage = loaded
	if q.op == fetches {
		q.shows = w.recognise(q.with, q.ticket)
		return
	}
	if !q.with.real() {
		return
	}
	v := w.at(q.with).admit(q.with.place, q.evidence, read)
	switch {
	case v == admitted:
		q.seen, q.evidence.held = true, true
	case v == superseded:
		q.refusal = v
	case v == gone, q.event: // its connection has seen it alive
		q.refusal = gone
	default:
		q.refusal = v
		if v == reused || q.op != signsIn { // a sign-in asks once more with its token (T8)
			q.with = none
		}
	}
}

// pass lets a grace pass.
func (w *world) pass() {
	for i := range w.sessions {
		w.sessions[i].pass()
	}
}

// tidy forgets what makes no difference: who has a token of what is gone, and sessions
// that nobody has a token of. Families are numbered in the order of their tokens.
func (w *world) tidy() {
	for i := range w.sessions {
		s := &w.sessions[i]
		known := w.known(int8(i))
		list := w.holders(int8(i), known)
		if s.status == absent || len(list) == 0 && len(w.tickets(int8(i))) == 0 {
			for _, t := range list {
				*t = unknown
			}
			w.tear(int8(i))
			*s, w.knows[i] = nothing, 0
			continue
		}
		if s.ticket == noTicket {
			w.tear(int8(i))
		}
		s.blank(list)
		s.renumber(list)
		w.knows[i] = 0
		for _, k := range known {
			w.knows[i] |= 1 << k.place
		}
	}
	if !w.conn.open || w.conn.with == unknown { // it closes with its session
		w.conn = closed
	}
	if !w.loot.real() {
		w.loot = noTicketOf
	}
	for _, list := range []*[2]request{&w.mine, &w.theirs} {
		for i := range list {
			if list[i].stage == idle {
				list[i] = request{with: none, answer: unchanged, shows: redemption{cookie: none}}
			}
		}
	}
}

// blank forgets what is known of earlier tokens that nobody has.
func (s *session) blank(holders []*token) {
	for i, o := range s.old {
		held := slices.ContainsFunc(holders, func(t *token) bool { return t.place == place(i+1) })
		if o.any(known) && !held {
			s.old[i] = known | ended | over | aged
		}
	}
}

// renumber gives the families of a session the smallest numbers.
func (s *session) renumber(holders []*token) {
	number := map[uint8]uint8{}
	for i, o := range s.old {
		if !o.any(known) {
			s.family[i+1] = s.family[current] // of no token
		}
	}
	for i, f := range s.family {
		if _, found := number[f]; !found {
			number[f] = uint8(len(number))
		}
		s.family[i] = number[f]
	}
	renumbered := func(p place) place {
		if p < forgotten || p == lost {
			return p
		}
		if n, found := number[uint8(p-forgotten)]; found {
			return forgotten + place(n)
		}
		return lost
	}
	for _, t := range holders {
		t.place = renumbered(t.place)
	}
}
