package storetest

import (
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// clockDifference is how far the clock of one process is ahead of that of the
// server, and that of the other one behind.
const clockDifference = 5 * time.Minute

// A process has a store on the same server as others, and a clock of its own.
type process struct {
	kit   *kit
	store runtime.Store
	ahead time.Duration // of the kit's clock
}

// processes returns one whose clock is ahead, and one whose clock is behind.
func (k *kit) processes() (early, late process) {
	if k.clocks == nil {
		k.Skipf("WithClocks is not given")
	}
	stores := k.clocks()
	return process{k, stores[0], clockDifference}, process{k, stores[1], -clockDifference}
}

// A way has two processes in one part each, and the session that they share.
type way struct {
	a, b process
	s    session
}

// ways returns either process in either part.
func (k *kit) ways() []*way {
	a, b := k.processes()
	return []*way{{a: a, b: b}, {a: b, b: a}}
}

// eachWay calls check with either process in either part.
func (k *kit) eachWay(check func(a, b process)) {
	for _, w := range k.ways() {
		check(w.a, w.b)
	}
}

// now returns a kit with the store and the time of the process.
func (p process) now() *kit {
	k := *p.kit
	k.store, k.now = p.store, time.Now().Add(p.ahead).UTC()
	return &k
}

// newRecord returns a record whose times are whole, as those of a program are.
func (p process) newRecord(s session, life time.Duration, entries ...runtime.Entry) *runtime.Record {
	k := p.now()
	k.now = k.now.Truncate(time.Millisecond)
	r := k.record(s, entries...)
	r.Expires = k.now.Add(life)
	return r
}

func (p process) create(entries ...runtime.Entry) session {
	s := newSession()
	r := p.newRecord(s, idle, entries...)
	if err := p.store.Create(p.kit.Context(), p.now().key(s), r); err != nil {
		p.kit.Fatalf("Create of a new session: %v", err)
	}
	return s
}

// isNear demands that a time lies about so far ahead of the process' own.
func (p process) isNear(what string, got time.Time, ahead time.Duration) {
	p.kit.Helper()
	const slack = 2 * time.Second
	if want := p.now().now.Add(ahead); got.Sub(want).Abs() > slack {
		p.kit.Errorf("%s is %v, want about %v, by a clock that is %v ahead", what, got, want, p.ahead)
	}
}

// revokedElsewhere checks that a sign-in counts, or does not, by the order of
// things and not by two clocks.
func revokedElsewhere(k *kit) {
	k.eachWay(func(a, b process) {
		indexer, ok := runtime.Ability[runtime.Indexer](a.store)
		if !ok {
			k.Skipf("the store has no index")
		}
		for n := range k.rounds(20) {
			s := b.create()
			if _, err := indexer.Revoke(k.Context(), k.user(n), a.now().now); err != nil {
				k.Fatalf("Revoke: %v", err)
			}
			k.want("a login that arrived before another process revoked the user",
				b.now().updateErr(b.now().running(s, time.Second), set(k.login(n))), runtime.ErrEnded)
			k.want("a login after another process revoked the user",
				b.now().updateErr(b.now().key(s), set(k.login(n))), nil)
			b.now().found("that login", k.user(n), s)
		}
	})
}

// supersededElsewhere checks that a planted token reaches nothing once the
// visitor has signed in by another process.
func supersededElsewhere(k *kit) {
	k.eachWay(func(a, b process) {
		planted := b.create()
		own := planted.with(newProof())
		a.now().update(a.now().key(planted), a.now().signIn(own, "7"))
		for _, age := range []time.Duration{0, time.Minute} {
			key := b.now().running(planted, age)
			k.want("Load with a token that was superseded elsewhere", b.now().loadErr(key), runtime.ErrSuperseded)
			k.want("Update with it", b.now().updateErr(key, add("views", 1)), runtime.ErrSuperseded)
			k.want("Delete with it", b.store.Delete(k.Context(), key), runtime.ErrSuperseded)
		}
		b.now().holds("a sign-in elsewhere", own, k.indexedEntry("user_id", "7"))
	})
}

// renewedElsewhere checks T4 and T5.
func renewedElsewhere(k *kit) {
	const grace = time.Second
	current := newProof()
	ways := k.ways()
	for _, w := range ways {
		w.s = w.a.create()
		d := renewal(w.s.with(current))
		d.Renewal.Grace = grace
		w.a.now().update(w.a.now().key(w.s), d)
		w.a.now().load(w.s.with(current))
		w.b.now().update(w.b.now().key(w.s), add("views", 1))
		w.b.now().holds("a parallel request after a renewal elsewhere", w.s, counter("views", 1))
	}
	time.Sleep(grace)
	for _, w := range ways {
		k.want("Load with the old token after the grace", w.b.now().loadErr(w.b.now().key(w.s)), runtime.ErrReused)
		w.a.now().gone("a token reused elsewhere", w.s.with(current))
	}
}

// livesElsewhere checks that a session ends when its program says, by whatever
// clock.
func livesElsewhere(k *kit) {
	const life = time.Second
	ways := k.ways()
	for _, w := range ways {
		w.s = newSession()
		if err := w.a.store.Create(k.Context(), w.a.now().key(w.s), w.a.newRecord(w.s, life)); err != nil {
			k.Fatalf("Create: %v", err)
		}
		result := w.b.now().update(w.b.now().key(w.s), &runtime.Delta{Active: w.b.now().now.Add(3 * life)})
		w.b.isNear("the end of a session as another process moves it", result.Expires, 3*life)
	}
	time.Sleep(life + life/4)
	for _, w := range ways {
		w.a.isNear("the end of a session that another process has moved", w.a.now().load(w.s).Expires, 7*life/4)
		w.b.now().load(w.s)
	}
	time.Sleep(2 * life)
	for _, w := range ways {
		w.a.now().gone("the end of a session", w.s)
		w.b.now().gone("the end of a session", w.s)
	}
}

// endedElsewhere checks R7.
func endedElsewhere(k *kit) {
	k.eachWay(func(a, b process) {
		s := a.create()
		a.now().end(s)
		k.want("Load by a request that arrived before the end", b.now().loadErr(b.now().running(s, time.Second)), runtime.ErrEnded)
		b.now().gone("an end elsewhere", s)
	})
}

// timesElsewhere checks that a process reads times by its own clock, and always
// the same ones, also if what it stores is the first that the server hears of it.
func timesElsewhere(k *kit) {
	for range 2 {
		a, b := k.processes()
		s := a.create()
		began := time.Now()
		ends := b.now().now.Add(time.Minute).Truncate(time.Millisecond)
		s = b.now().deliver(s, &runtime.Ticket{Proof: newProof(), Ends: ends})
		for _, p := range []process{a, b} {
			if t := p.now().load(s).Ticket; t == nil {
				k.Errorf("no ticket by a clock that is %v ahead", p.ahead)
			} else {
				p.isNear("the end of a ticket", t.Ends, time.Minute-time.Since(began))
			}
		}
	}
	k.eachWay(func(a, b process) {
		s := a.create(k.login(1))
		for _, p := range []process{a, b} {
			r := p.now().load(s)
			p.isNear("the creation", r.Created, 0)
			p.isNear("the deadline", r.Deadline, life)
			p.kit.at("the deadline", r.Deadline, r.Created.Add(life))
			p.kit.at("the last renewal", r.Renewed, r.Created)
			p.now().same("a second load", p.now().load(s), r)
			result := p.now().update(p.now().key(s), &runtime.Delta{Deadline: r.Deadline})
			p.kit.at("a deadline that was set as it was", result.Deadline, r.Deadline)
		}
	})
}
