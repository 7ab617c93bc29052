package tokens

import "strings"

// A connection is the browser's live one. It runs one event after the other.
type connection struct {
	open      bool
	with, saw token
	evidence  evidence
}

var closed = connection{with: none, saw: none}

// A ticketOf is a ticket that somebody has: of the session before that number.
type ticketOf int8

const (
	worthless  ticketOf = -1 // it was used, or another one has replaced it
	noTicketOf ticketOf = 0
)

func (t ticketOf) real() bool { return t > 0 }

// tear makes the tickets of a session worthless that anybody has.
func (w *world) tear(session int8) {
	for _, t := range w.tickets(session) {
		*t = worthless
	}
}

// tickets returns those of a session that anybody has.
func (w *world) tickets(session int8) (list []*ticketOf) {
	for _, t := range []*ticketOf{&w.mine[0].ticket, &w.mine[1].ticket, &w.loot} {
		if *t == ticketOf(session+1) {
			list = append(list, t)
		}
	}
	return list
}

// redeem shows a ticket.
func (w *world) redeem(t ticketOf, by redemption) (answer token, v verdict) {
	if !t.real() {
		return unchanged, notFound
	}
	session := int8(t - 1)
	s := &w.sessions[session]
	w.renewing(session, func(holders []*token) { v = s.redeem(session, by, holders...) })
	switch v {
	case admitted:
		w.arrivedBefore(session, renew)
		return token{session: session}, v
	case conflict:
		s.reject()
	}
	return unchanged, v
}

// recognise is what a browser's cookie says of a ticket.
func (w *world) recognise(cookie token, t ticketOf) (by redemption) {
	by.cookie = cookie
	if cookie.real() {
		s := w.at(cookie)
		v := s.admit(cookie.place, s.arrival(cookie.place), read)
		by.opens, by.live = v == admitted, v == admitted || v == superseded
	}
	if t.real() {
		saw := w.sessions[t-1].saw
		by.same = saw == cookie || by.opens && saw.session == cookie.session && w.at(cookie).follows(saw.place)
	}
	return by
}

// offer is the ticket that goes with what a request does, nil if it is not an event.
func (w *world) offer(q *request) *offer {
	if !q.event || q.op == writes && q.with.real() {
		return nil
	}
	return &offer{sole: q.op == signsIn || q.op == signsOut, saw: &w.conn.saw}
}

// connect is a handshake, with whatever the browser has.
func (w *world) connect() {
	w.conn = connection{open: true, with: none, saw: none}
	if !w.jar.real() {
		return
	}
	s := w.at(w.jar)
	if s.admit(w.jar.place, s.arrival(w.jar.place), read) == admitted {
		w.conn.with, w.conn.saw = w.jar, w.jar
	}
	w.rest()
}

// rest is the time between two events: the next one has arrived by then.
func (w *world) rest() {
	w.conn.evidence = evidence{}
	if w.conn.with.real() {
		w.conn.evidence = w.at(w.conn.with).arrival(w.conn.with.place)
	}
	w.conn.evidence.held, w.conn.evidence.ofOwn = true, true
}

// endEvent is the end of an event, of which the page is told if that has made a token
// or ended the session.
func (w *world) endEvent(q *request, answer token, ok bool) {
	before := w.conn.with
	joins := q.op == signsIn && answer.real() && w.at(answer).at(1).any(joined) // it is one with the sign-in before
	tells := request{op: fetches, of: q.op, stage: told, with: none, answer: unchanged, shows: redemption{cookie: none}, robbed: q.robbed && !joins, outdated: q.outdated}
	switch {
	case !ok:
		w.conn = closed
		*q = request{}
	case answer == unchanged:
		if !w.owed {
			w.acknowledge(*q, before)
		}
		w.rest()
		*q = request{}
	case answer == none:
		w.conn = closed
		*q = tells
	default:
		tells.ticket = ticketOf(answer.session + 1)
		if q.op != renews {
			w.owed, w.mine[0].pays, w.mine[1].pays = true, false, false
		}
		w.conn.with, w.conn.saw = answer, answer
		w.rest()
		if before.real() && before.session != answer.session {
			w.conn = closed
		}
		*q = tells
	}
}

func (s *search) reconnect(w world) {
	before := w
	w.connect()
	s.judgeAlarm(&before, &w, before.jar)
	s.reach(w)
}

func (s *search) sendEvent(w world, i int) {
	if w.left[0] == 0 || !w.conn.open || w.mine[i].stage != idle || w.mine[1-i].event || i == 1 && w.mine[0].stage == idle {
		return
	}
	for _, o := range []op(s.events) {
		n := w
		n.left[0]--
		n.mine[i] = request{
			op: o, event: true, stage: arrived, with: n.conn.with, evidence: n.conn.evidence, seen: n.conn.with.real(),
			answer: unchanged, shows: redemption{cookie: none}, robbed: n.stolen, bare: !n.conn.saw.real(),
		}
		n.leave(i)
		s.reach(n)
	}
}

// sendFetch has the page fetch what it was told, unless it is gone.
func (s *search) sendFetch(w world, i int) {
	q := &w.mine[i]
	if !s.lossless || q.of == renews {
		left := lostAnswer(w, *q)
		left.mine[i] = request{}
		s.reach(left)
	}
	if other := w.mine[1-i]; s.ordered && other.op == fetches && other.stage != told {
		return // a page fetches one thing after the other
	}
	q.stage, q.with, q.bare = sent, w.jar, !w.jar.real()
	s.depart(w, i)
}

// redeemMine is the second step of a fetch.
func (s *search) redeemMine(w world, i int) {
	q := &w.mine[i]
	if q.ticket == noTicketOf {
		if q.shows.live {
			*q = request{}
			s.reach(w)
			return
		}
		s.reply(w, i, none)
		return
	}
	hadRoom := q.ticket.real() && (w.sessions[q.ticket-1].ticket == sole || w.sessions[q.ticket-1].hasRoom(current))
	before := w.conn.with
	answer, v := w.redeem(q.ticket, q.shows)
	if v == admitted {
		q.pays = w.owed
		if before == answer && !w.at(answer).isCurrent(w.conn.with.place) {
			s.broken = "L2: a connection is sent away by the cookie of its own event"
		}
		s.reply(w, i, answer)
		return
	}
	if v == conflict && hadRoom && s.attacks == "" && !strings.ContainsAny(s.mine, "wsod") {
		s.broken = "L3: a page is refused the cookie of its own event"
	}
	w = lostAnswer(w, *q)
	w.mine[i] = request{}
	s.reach(w)
}

// stealTicket has somebody read a ticket who has no cookie of its browser's.
func (s *search) stealTicket(w world) {
	for i := range w.sessions {
		if w.sessions[i].ticket != noTicket {
			n := w
			n.stolen, n.loot = true, ticketOf(i+1)
			s.reach(n)
		}
	}
}

// liveTheirs is an event of the attacker's connection, whose handshake had the token.
func (s *search) liveTheirs(w world, i int, t token, o op) {
	before, session := w, w.at(t)
	e := session.arrival(t.place)
	if session.admit(t.place, e, read) == admitted {
		e.held, e.ofOwn = true, true
		q := &w.theirs[i]
		q.with = t
		if _, won := w.update(t, e, changes[o], attacker, &offer{saw: &q.with}); won {
			w.loot = ticketOf(t.session + 1)
		}
		*q = request{}
	}
	s.judgeAttack(&before, &w, t)
	s.reach(w)
}

// redeemTheirs has the attacker show a ticket, with a cookie or none.
func (s *search) redeemTheirs(w world, cookie token) {
	if !w.loot.real() || !strings.ContainsRune(s.theirs, rune(fetches)) {
		return
	}
	before, session := w, int8(w.loot-1)
	w.left[1]--
	_, v := w.redeem(w.loot, w.recognise(cookie, w.loot))
	if v == admitted {
		w.knows[session] |= 1 << current
		if s.attacks == "ticket" && before.sessions[session].saw != none {
			s.broken = "L3: a ticket opens a session without the cookie that its connection saw"
		}
	}
	s.judgeAttack(&before, &w, token{session: session})
	s.reach(w)
}
