package fleet

import (
	"net/http"
	"slices"

	"github.com/duckgen/duckgen/runtime"
)

// Promises are what a browser may rely on, by the answers that it has got.
//
// T13 leaves open, and so it is promised here nothing, what an answer does that arrives
// after that of a later sign-in or after another one that has moved the cookie.
type promises struct {
	user  int64 // who is signed in, unknown if that is not known
	users map[int64]bool
	marks []string // what was stored in the session that the cookie is of
	home  runtime.ID

	last   *action // sent
	mover  *action // the last one sent that signs in or out
	left   moment  // when the last one was sent that signs out or destroys
	leaves int     // how many of these are under way
	turn   *action // whose answer has changed the cookie last
	turned moment

	planted bool // Mallory has put a cookie of hers into the jar
}

const unknown = -1

// forget takes note that nothing is known any more.
func (p *promises) forget() { p.user, p.marks = unknown, nil }

// disturbed takes note that somebody else has changed the session: what is under way
// says nothing of it either.
func (p *promises) disturbed() {
	p.forget()
	p.mover = nil
}

// browsersForget takes note that the sessions of a user have ended.
func (w *world) browsersForget(user int64) {
	for _, b := range w.browsers {
		if b.user == user || b.mover != nil && b.mover.user == user {
			b.disturbed()
		}
	}
}

// sends takes note of a request, or of an event.
func (b *browser) sends(a *action) {
	b.last = a
	if a.op == nil || !a.op.moves() {
		return
	}
	b.mover, b.user = a, unknown
	if a.op.signsIn {
		b.users[a.user] = true
	}
	if a.op.leaves() || a.conn != nil { // what only a ticket can deliver ends with it
		b.marks, b.left = nil, b.w.moment
		b.leaves++
	}
}

// settles takes note that an action is answered or lost.
func (b *browser) settles(a *action) {
	if b.refreshing == a {
		b.refreshing = nil
	}
	if a.op != nil && a.op.moves() && (a.op.leaves() || a.conn != nil) {
		b.leaves--
	}
}

// takes applies the answer of a request or a fetch.
func (b *browser) takes(a *action) {
	w := b.w
	b.settles(a)
	if a.exchange != nil {
		b.device.answered(a)
		return
	}
	b.device.take(a.lines, w.now())
	before, _ := b.jar.session()
	sets := b.jar.take(a.lines)
	b.register(a)
	w.received(a)
	after, sole := b.jar.session()
	overtaken := sets && b.isOvertaken(a)
	if sets {
		b.turn, b.turned = a, w.moment
		if overtaken {
			b.forget()
		}
	}
	if len(b.marks) > 0 && sets && after != before {
		if a.behind != "" {
			w.found("T2: %s moves the browser to a new session, %s", a, a.behind)
		}
		b.marks = nil
	}
	if a.status == http.StatusOK && a.op != nil {
		b.learns(a, overtaken, after, sole)
	}
	if a.origin != nil {
		b.fetched(a)
	}
}

// hears takes note of the end of an event.
func (b *browser) hears(a *action) { b.settles(a) }

// isOvertaken reports whether the answer has changed the cookie although a later one
// had been there before.
func (b *browser) isOvertaken(a *action) bool {
	e := b.w.entries[a.home]
	switch {
	case e == nil:
		return true
	case e.ended != 0 && e.ended != a.step: // it brings the cookie of a session that has ended since
		return true
	case e.ended == 0 && e.cut > a.step: // the answer of a later sign-in has been lost, or will come
		return true
	case b.turned <= a.sent, b.turn.home == a.home && e.twins[a.proof] && e.remembers(a.proof):
		return false
	default:
		return b.turn.home != a.home || b.turn.step > a.step
	}
}

// learns takes note of what a successful answer says.
func (b *browser) learns(a *action, overtaken bool, session runtime.ID, sole bool) {
	if a.op == looking || a.saw.marks != nil && !a.op.moves() {
		b.compare(a)
	}
	e := b.w.entries[a.home]
	switch {
	case a.op.fails || a.gone:
	case a.op.signsIn && b.mover == a && a.signedIn && sole && session == a.home && b.w.lives(e) && e.cut <= a.step && e.remembers(a.proof):
		b.user = a.user
	case a.ended && len(a.lines) == 0 && session != a.home: // of a session that its cookie was not of any more
	case a.op.leaves() && b.mover == a && !overtaken && !b.signsInAfter(a) && (a.renewed || a.ended || a.alone && a.refusal == nil && len(tokens(a.header)) < 2):
		b.user = 0
	}
	if a.stored && !overtaken && b.leaves == 0 && a.sent > b.left && sole && session == a.home && b.w.lives(b.w.entries[a.home]) {
		if b.home != a.home {
			b.home, b.marks = a.home, nil
		}
		b.marks = append(b.marks, a.mark)
	}
}

// signsInAfter reports whether a sign-in that was sent before a sign-out may take
// place after it. Those that have arrived before, with the session's token, may not (T3).
func (b *browser) signsInAfter(out *action) bool {
	return slices.ContainsFunc(b.w.actions, func(a *action) bool {
		if a.by != b || a.op == nil || !a.op.signsIn {
			return false
		}
		p, ok := b.w.brought(a)
		return !ok || p.id != out.home || a.arrived == 0 || a.arrived > out.step || !out.renewed && b.w.entries[out.home].ended == 0
	})
}

// fetched takes note of a fetch, whose event has signed somebody in or out.
func (b *browser) fetched(a *action) {
	e := b.w.entries[a.home]
	if b.mover != a.origin || !a.origin.op.signsIn || a.status != http.StatusNoContent {
		return
	}
	if session, sole := b.jar.session(); sole && session == a.home && b.w.lives(e) && e.cut <= a.step && !b.isOvertaken(a) {
		b.user = a.origin.user
	}
}

// compare compares what a request has seen with what the browser knows.
func (b *browser) compare(a *action) {
	if !b.users[a.saw.user] && !b.planted {
		b.w.found("R1: %s sees the session of %d", a, a.saw.user)
	}
	if !a.alone || b.last != a || a.failed || a.gone {
		return
	}
	if b.user == unknown || a.unbound {
		return
	}
	if a.saw.user != b.user {
		b.w.found("T2: %s finds %d signed in, and by its answers it is %d (%v)", a, a.saw.user, b.user, a.saw.err)
	}
	for _, mark := range b.marks {
		if _, found := a.saw.marks[mark]; !found {
			b.w.found("R7: %s finds its marks %v without %s (%v)", a, len(a.saw.marks), mark, a.saw.err)
		}
	}
}
