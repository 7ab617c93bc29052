package storetest

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// C21: histories of random operations, on a store and on the model of it. Every
// answer and every stored record has to be the same. What a history does is
// decided by its number alone, so one that fails fails again.

// randomSteps is how many operations a history has.
const randomSteps = 40

// randomDay is the time between the beginnings of two histories: a store that
// sweeps while one goes on takes nothing of it, and may take all of those before.
const randomDay = 24 * time.Hour

func randomHistories(k *kit) { k.play(k.histories(), (*random).step) }

// shortWays lets each session have a twin. Both get the same deltas, most of them
// as ordinary as those of most commits, but those of the twin have a limit more,
// which binds nothing. A store that has a short way for ordinary deltas takes it
// for the one and not for the other.
func shortWays(k *kit) { k.play(k.histories()/2, (*random).twinStep) }

// histories is how many there are to be.
func (k *kit) histories() int { return shortened(cmp.Or(k.history, historyLength)) / historyShare }

func (k *kit) play(histories int, step func(*random) error) {
	k.Helper()
	for seed := range histories {
		h := k.random(uint64(seed))
		for n := range randomSteps {
			if err := step(h); err != nil {
				k.Fatalf("history %d, step %d: %v", seed, n, err)
			}
		}
	}
}

// A random is one history of a few sessions of a kind of their own.
type random struct {
	*kit
	*rand.Rand
	model  *model
	kind   string
	ids    [2]runtime.ID
	proofs []runtime.Proof // all that were given out, and one that never is
	rights map[error]int   // how often each answer was the right one
}

func (k *kit) random(seed uint64) *random {
	h := &random{
		kit: k, Rand: rand.New(rand.NewPCG(seed, 21)), model: newModel(),
		kind: fmt.Sprintf("%s.%d", kind, seed), rights: map[error]int{},
	}
	k.now = k.now.Add(randomDay)
	h.fresh()
	for i := range h.ids {
		h.ids[i] = h.newID()
	}
	return h
}

// step does one operation on one of the sessions, and looks at it.
func (h *random) step() error {
	h.pass()
	h.replaceSome()
	id := draw(h, h.ids[:]...)
	r := h.record(id)
	var err error
	switch n := h.IntN(100); {
	case r == nothing && n < 80 || n < 2:
		err = h.create(id, h.newRecord())
	case n < 20:
		err = h.load(h.key(id))
	case n < 24:
		err = h.delete(h.key(id))
	case n < 28:
		return h.find(h.value())
	case n < 32:
		return h.revoke(h.value())
	case n < 33:
		return h.revokeAll()
	case n < 50:
		err = h.update(h.key(id), h.ordinaryDelta(r))
	default:
		err = h.update(h.key(id), h.delta(r))
	}
	return cmp.Or(err, h.look(id))
}

// twinStep does one operation on both sessions, which are twins. Little of it is
// out of the ordinary, or no short way would be taken.
func (h *random) twinStep() error {
	h.pass()
	id, twin := h.ids[0], h.ids[1]
	r := h.record(id)
	if h.over(r) {
		id, twin, r = h.newID(), h.newID(), h.newRecord()
		if r.Earlier, r.Ticket = nil, nil; h.oneIn(4) {
			r.Ticket = h.ticket(r)
		}
		h.ids = [2]runtime.ID{id, twin}
		return cmp.Or(h.create(id, r), h.create(twin, r))
	}
	key := h.key(id)
	if !h.oneIn(8) {
		key.Proof, key.Ticket = r.Proof, false
	}
	ofTwin := key
	ofTwin.ID = twin
	var err error
	if n := h.IntN(100); n < 10 {
		err = cmp.Or(h.load(key), h.load(ofTwin))
	} else {
		d := h.ordinaryDelta(r)
		if n < 30 {
			d = h.delta(r)
		}
		longer := *d
		longer.Limits = append(slices.Clone(d.Limits), runtime.Limit{Field: "nothing", Max: math.MaxInt32})
		err = cmp.Or(h.update(key, d), h.update(ofTwin, &longer))
	}
	return cmp.Or(err, h.look(h.ids[:]...))
}

// pass lets some time pass, most often.
func (h *random) pass() {
	if !h.oneIn(4) {
		h.later(h.duration())
	}
}

// replaceSome puts new sessions in the place of some that are over.
func (h *random) replaceSome() {
	for i, id := range h.ids {
		if h.over(h.record(id)) && h.oneIn(4) {
			h.ids[i] = h.newID()
		}
	}
}

// nothing is what there is of a session before it is created.
var nothing = &runtime.Record{}

// record returns the session's record as it has to be.
func (h *random) record(id runtime.ID) *runtime.Record {
	if r := h.model.records[id]; r != nil {
		return r
	}
	return nothing
}

func (h *random) over(r *runtime.Record) bool { return !r.Ended.IsZero() || !h.now.Before(r.Expires) }

// The operations. Each is done on the store and on the model, and is an error if
// the answers differ.

func (h *random) load(key runtime.Key) error {
	before := show(h.model.records[key.ID])
	want, wantErr := h.model.load(key)
	got, err := h.store.Load(h.Context(), key)
	return h.compare("a Load", key, before, show(got), err, show(want), wantErr)
}

func (h *random) create(id runtime.ID, r *runtime.Record) error {
	key := runtime.Key{ID: id, Proof: r.Proof, Now: h.now, Age: h.age()}
	before := show(h.model.records[id])
	wantErr := h.model.create(key, r)
	err := h.store.Create(h.Context(), key, r)
	return h.compare("a Create of "+show(r), key, before, "", err, "", wantErr)
}

func (h *random) update(key runtime.Key, d *runtime.Delta) error {
	before := show(h.model.records[key.ID])
	want, wantErr := h.model.update(key, d)
	got, err := h.store.Update(h.Context(), key, d)
	return h.compare(showDelta(d), key, before, showResult(got), err, showResult(want), wantErr)
}

func (h *random) delete(key runtime.Key) error {
	before := show(h.model.records[key.ID])
	wantErr := h.model.delete(key)
	err := h.store.Delete(h.Context(), key)
	return h.compare("a Delete", key, before, "", err, "", wantErr)
}

func (h *random) find(v runtime.IndexValue) error {
	indexer, ok := runtime.Ability[runtime.Indexer](h.store)
	if !ok {
		return nil
	}
	var want, got []string
	for _, id := range h.model.find(v, h.now) {
		want = append(want, id.String()+": "+show(h.model.records[id]))
	}
	for found, err := range indexer.Find(h.Context(), v, h.now) {
		if err != nil {
			return fmt.Errorf("a Find of %q: %w", v, err)
		}
		got = append(got, found.ID.String()+": "+show(found.Record))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		return fmt.Errorf("a Find of %q at %s yields\n%q, want\n%q", v, at(h.now), got, want)
	}
	return nil
}

// revoke replaces the sessions that have expired: whether a revocation ends them,
// too, is the store's affair.
func (h *random) revoke(v runtime.IndexValue) error {
	indexer, ok := runtime.Ability[runtime.Indexer](h.store)
	if !ok {
		return nil
	}
	except := h.ids[:draw(h, 0, 0, 1)]
	want := h.model.revoke(v, h.now, slices.Clone(except))
	if got, err := indexer.Revoke(h.Context(), v, h.now, except...); got != want || err != nil {
		return fmt.Errorf("a Revoke of %q at %s = %d, %v; want %d", v, at(h.now), got, err, want)
	}
	for i, id := range h.ids {
		if r := h.record(id); r.Ended.IsZero() && h.over(r) {
			h.ids[i] = h.newID()
		}
	}
	return h.look(h.ids[:]...)
}

// revokeAll is followed by sessions of its own: those that have expired stay.
func (h *random) revokeAll() error {
	lister, ok := runtime.Ability[runtime.Lister](h.store)
	if !ok {
		return nil
	}
	want := h.model.revoke(runtime.IndexValue{Kind: h.kind}, h.now, nil)
	if got, err := lister.RevokeAll(h.Context(), h.kind, h.now); got != want || err != nil {
		return fmt.Errorf("a RevokeAll at %s = %d, %v; want %d", at(h.now), got, err, want)
	}
	return h.look(h.ids[:]...)
}

// look compares what is stored, without presenting a token. A record that nobody
// may load any more is compared by what it answers.
func (h *random) look(ids ...runtime.ID) error {
	for _, id := range ids {
		key := runtime.Key{ID: id, Proof: h.record(id).Proof, Now: h.now, Age: 2 * time.Minute, Live: true}
		if err := h.load(key); err != nil {
			return fmt.Errorf("what is stored differs: %w", err)
		}
	}
	return nil
}

func (h *random) compare(what string, key runtime.Key, before, got string, err error, want string, wantErr error) error {
	h.rights[answerOf(wantErr)]++
	if err != nil {
		got = ""
	}
	if wantErr != nil {
		want = ""
	}
	if got == want && showErr(err) == showErr(wantErr) {
		return nil
	}
	return fmt.Errorf("%s\nwith %s\non %s\n got: %s, %s\nwant: %s, %s",
		what, showKey(key), before, got, showErr(err), want, showErr(wantErr))
}
