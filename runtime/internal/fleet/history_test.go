package fleet

import (
	"slices"
	"time"

	"pgregory.net/rapid"
)

// A command is one line of a history. Its numbers choose among what there is.
type command struct {
	Do      string
	A, B, C int
}

// A deed is what a command does. Deeds differ in how often they are done.
type deed struct {
	name  string
	often int
	do    func(w *world, c command)
}

var deeds = []deed{
	{"visit", 12, func(w *world, c command) { w.deliver(w.visitOf(c)) }},
	{"look", 4, func(w *world, c command) { w.deliver(w.browser(c.A).visit(looking, w.process(c.B), 0)) }},
	{"send", 10, func(w *world, c command) { w.visitOf(c) }},
	{"click twice", 4, func(w *world, c command) { w.clickTwice(c) }},
	{"step", 14, func(w *world, c command) { w.with(c.A, w.advance) }},
	{"deliver", 8, func(w *world, c command) { w.with(c.A, w.deliver) }},
	{"lose", 3, func(w *world, c command) { w.with(c.A, w.lose) }},
	{"fault", 3, func(w *world, c command) { w.fault(c) }},
	{"repeat", 2, func(w *world, c command) { w.repeatOne(c) }},
	{"hang up", 1, func(w *world, c command) { w.with(c.A, (*action).hangUp) }},
	{"pass", 5, func(w *world, c command) { w.pass(waits[c.A%len(waits)]) }},
	{"keep", 1, func(w *world, c command) { w.browser(c.A).keep() }},
	{"restore", 1, func(w *world, c command) { w.browser(c.A).restore() }},
	{"deploy", 1, func(w *world, c command) { w.deployQuietly(c) }},
	{"connect", 2, func(w *world, c command) { w.browser(c.A).connect(w.process(c.B)) }},
	{"event", 4, func(w *world, c command) { w.eventOf(c) }},
	{"fetch", 4, func(w *world, c command) { w.fetchOf(c) }},
	{"revoke", 1, func(w *world, c command) { w.revoke(c) }},
	{"steal", 1, func(w *world, c command) { w.mallory.steals(w.browser(c.A)) }},
	{"plant", 1, func(w *world, c command) { w.plant(c) }},
	{"Mallory", 6, func(w *world, c command) { w.deliver(w.malloryOf(c)) }},
	{"Mallory sends", 3, func(w *world, c command) { w.malloryOf(c) }},
}

// boundDeeds are done beside the others if sessions are bound.
var boundDeeds = []deed{
	{"wait", 10, func(w *world, c command) { w.pass(w.boundTime() * time.Duration(1+c.A%4) / 4) }},
	{"refresh", 8, func(w *world, c command) { w.browser(c.A).refresh(w.process(c.B)) }},
	{"rob", 8, func(w *world, c command) { w.mallory.steals(w.browser(c.A)) }},
	{"thief", 20, func(w *world, c command) { w.deliver(w.malloryOf(c)) }},
	{"Mallory binds", 6, func(w *world, c command) { w.deliver(w.malloryBinds(c)) }},
	{"Mallory connects", 8, func(w *world, c command) {
		w.mallory.connect(w, w.process(c.B), w.mallory.header(c.A, c.C))
	}},
	{"Mallory's event", 8, func(w *world, c command) { w.malloryEvent(c) }},
}

// waits are longer than a moment, a grace, the life of a mark, and that of a
// revocation.
var waits = []time.Duration{
	time.Second, 31 * time.Second, 31 * time.Second, 61 * time.Second, 10 * time.Minute, 25 * time.Hour,
}

func (w *world) browser(n int) *browser { return w.browsers[n%len(w.browsers)] }
func (w *world) process(n int) *process { return w.processes[n%len(w.processes)] }
func (w *world) user(n int) int64       { return w.users + 1 + int64(n%2) }

func (w *world) visitOf(c command) *action {
	return w.browser(c.A).visit(ops[c.C%len(ops)], w.process(c.B), w.user(c.B/4))
}

// clickTwice sends a sign-in once more before there is an answer.
func (w *world) clickTwice(c command) {
	for n := range 2 {
		w.browser(c.A).visit(signingIn, w.process(c.B+n), w.user(c.C))
	}
}

func (w *world) malloryOf(c command) *action {
	return w.mallory.visit(w, ops[c.C%len(ops)], w.process(c.B), w.mallory.header(c.A, c.B/3))
}

func (w *world) malloryBinds(c command) *action {
	return w.mallory.bind(w, c.C, w.process(c.B), w.mallory.header(c.A, c.B/3))
}

func (w *world) malloryEvent(c command) {
	o := ops[c.C%len(ops)]
	if len(w.mallory.conns) == 0 || o.needs {
		return
	}
	if conn := w.mallory.conns[c.B%len(w.mallory.conns)]; conn.event == nil {
		a := &action{op: o, on: conn.on, name: "Mallory", conn: conn, user: w.users + malloryID}
		w.event(a)
		w.deliver(a)
	}
}

// with does something with one of the actions that are under way.
func (w *world) with(n int, do func(*action)) {
	if len(w.actions) > 0 {
		do(w.actions[n%len(w.actions)])
	}
}

// fault loses the next call of the store.
func (w *world) fault(c command) {
	w.with(c.A, func(a *action) {
		a.lost = callLost
		if c.B%2 == 1 {
			a.lost = answerLost
		}
		w.advance(a)
	})
}

// repeatOne is a proxy that does not wait for long.
func (w *world) repeatOne(c command) {
	if len(w.again) == 0 {
		return
	}
	if lost := w.again[c.A%len(w.again)]; w.now().Sub(lost.sentAt) < w.grace/2 {
		w.repeat(lost, w.process(c.B))
	}
}

func (w *world) deployQuietly(c command) {
	if len(w.actions) == 0 {
		w.deploy(c.A)
	}
}

func (w *world) eventOf(c command) {
	b, o := w.browser(c.A), ops[c.C%len(ops)]
	if len(b.conns) == 0 || o.needs {
		return
	}
	if conn := b.conns[c.B%len(b.conns)]; conn.event == nil {
		b.live(conn, o, w.user(c.B))
	}
}

func (w *world) fetchOf(c command) {
	if b := w.browser(c.A); len(b.fetches) > 0 {
		b.fetch(b.fetches[c.B%len(b.fetches)], w.process(c.C))
	}
}

func (w *world) revoke(c command) {
	a := &action{on: w.process(c.A), name: "the program", user: w.user(c.B)}
	w.send(a, a.revoke)
}

// plant gives a browser a token of Mallory's, or one with the id of the other
// browser's session.
func (w *world) plant(c command) {
	b, token := w.browser(c.A), w.mallory.token(c.B)
	if other := w.browser(c.A + 1); c.B%3 == 0 && len(other.jar) > 0 {
		token = forged(other.jar[0].value)
	}
	if token != "" {
		b.plant(w.scopes[c.C%len(w.scopes)], token)
	}
}

// history draws one. It is made of short lists, which rapid shrinks best.
func history(of []deed) *rapid.Generator[[]command] {
	often := often(of)
	draw := func(t *rapid.T) command {
		number := rapid.IntRange(0, 15)
		return command{rapid.SampledFrom(often).Draw(t, ""), number.Draw(t, ""), number.Draw(t, ""), number.Draw(t, "")}
	}
	return rapid.Map(rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(draw), 1, 20), 1, 20),
		func(parts [][]command) []command { return slices.Concat(parts...) })
}

var (
	histories      = history(deeds)
	boundHistories = history(slices.Concat(deeds, boundDeeds))
)

// often has the name of each deed as often as it is to be done.
func often(of []deed) (list []string) {
	for _, d := range of {
		list = append(list, slices.Repeat([]string{d.name}, d.often)...)
	}
	return list
}

func (c command) do(w *world) {
	for _, d := range slices.Concat(deeds, boundDeeds) {
		if d.name == c.Do {
			d.do(w, c)
		}
	}
}

// play lets a history take place, and then all that is under way. It returns how many
// commands that were, and what was found.
func (w *world) play(h []command) (commands int, finding string) {
	defer w.end()
	if w.boundAge > 0 {
		w.bindAll()
	}
	for n, c := range h {
		w.say("%d: %s %d %d %d", n, c.Do, c.A, c.B, c.C)
		if c.do(w); w.finding != "" {
			return n, w.finding
		}
	}
	for len(w.actions) > 0 {
		w.deliver(w.actions[0])
	}
	for n, b := range w.browsers {
		b.fetches = nil
		w.deliver(b.visit(looking, w.process(n), 0))
	}
	if w.boundAge > 0 {
		w.lookAgain()
	}
	return len(h), w.finding
}

// bindAll has each visitor sign in, and come back with a bound cookie.
func (w *world) bindAll() {
	for n, b := range w.browsers {
		w.deliver(b.visit(signingIn, w.process(n+1), w.user(n)))
		for len(w.actions) > 0 {
			w.deliver(w.actions[0])
		}
		w.deliver(b.visit(looking, w.process(n), 0))
	}
}

// lookAgain has each browser come once more after all bound cookies have ended.
func (w *world) lookAgain() {
	w.pass(w.boundTime())
	for n, b := range w.browsers {
		b.prove(w.process(n))
		a := b.visit(looking, w.process(n), 0)
		a.last = true
		w.deliver(a)
	}
}
