package storetest

import (
	"cmp"
	"encoding/binary"
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
func (k *kit) histories() int { return rounds(cmp.Or(k.history, historyLength)) / historyShare }

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

func (h *random) newID() (id runtime.ID) {
	binary.BigEndian.PutUint64(id[:], h.Uint64())
	binary.BigEndian.PutUint64(id[8:], h.Uint64())
	return id
}

// fresh gives out a proof.
func (h *random) fresh() (p runtime.Proof) {
	for i := 0; i < len(p); i += 8 {
		binary.BigEndian.PutUint64(p[i:], h.Uint64())
	}
	h.proofs = append(h.proofs, p)
	return p
}

func (h *random) oneIn(n int) bool { return h.IntN(n) == 0 }

func draw[T any](h *random, from ...T) T { return from[h.IntN(len(from))] }

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
		if n < 15 {
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

// duration draws one around the times that matter, to the microsecond.
func (h *random) duration() time.Duration {
	return draw(h, time.Millisecond, time.Second, grace/2, grace, time.Minute) + draw[time.Duration](h, -1, 0, 1)*time.Microsecond
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
	indexer, ok := h.store.(runtime.Indexer)
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
	indexer, ok := h.store.(runtime.Indexer)
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

// What is drawn.

func (h *random) age() time.Duration {
	if h.oneIn(2) {
		return 0
	}
	return h.duration()
}

func (h *random) key(id runtime.ID) runtime.Key {
	r := h.record(id)
	key := runtime.Key{ID: id, Proof: h.proof(r), Now: h.now, Age: h.age(), Held: h.oneIn(4), Live: h.oneIn(4)}
	if r.Ticket != nil && h.oneIn(2) {
		key.Ticket, key.Proof = true, r.Ticket.Proof
	}
	key.Ticket = key.Ticket || h.oneIn(20)
	return key
}

// proof draws one that the record has or had, or any other.
func (h *random) proof(r *runtime.Record) runtime.Proof {
	n := h.IntN(10)
	switch {
	case n == 0:
		return draw(h, append(h.proofs, runtime.Proof{})...)
	case n < 5 && len(r.Earlier) > 0:
		return draw(h, r.Earlier...).Proof
	default:
		return r.Proof
	}
}

func (h *random) newRecord() *runtime.Record {
	now := h.now.Truncate(time.Millisecond)
	r := &runtime.Record{
		Kind: h.kind, Proof: h.fresh(),
		Created: now, Renewed: now, Deadline: now.Add(time.Hour), Expires: now.Add(10 * time.Minute),
	}
	entries := []runtime.Entry{counter("n", math.MaxInt64-5)}
	for range h.IntN(8) {
		entries = append(entries, h.anyEntry(draw(h, randomKeys...)))
	}
	if h.oneIn(2) {
		entries = append(entries, h.login())
	}
	r.Entries = runtime.NewEntries(entries...)
	if h.oneIn(4) {
		r.Earlier = []runtime.EarlierProof{{Proof: h.fresh(), Ended: h.now, SignIn: h.oneIn(2), Grace: grace}}
	}
	if h.oneIn(4) {
		r.Ticket = h.ticket(r)
	}
	return r
}

func (h *random) ticket(r *runtime.Record) *runtime.Ticket {
	t := &runtime.Ticket{Proof: h.fresh(), Ends: h.now.Add(grace).Truncate(time.Millisecond), Sole: h.oneIn(3)}
	if h.oneIn(2) {
		t.Saw = h.proof(r)
	}
	return t
}

var (
	randomKeys = []string{
		"a", "b", "m", "m:", "m:1", "m:2:3", "m2:1", "c", "c:1", "n", "n:x", "ü\"\\\n",
	}
	randomCounts = []int64{
		0, 1, -1, 6, 999_999_999, 1_000_000_000, -1_000_000_000, 1 << 53, -(1<<53 + 1), 5_000_000_000_000_000_001,
		math.MaxInt64, math.MaxInt64 - 1, math.MaxInt64 - 5, math.MinInt64, math.MinInt64 + 1,
	}
	randomValues = map[runtime.Format][]string{
		runtime.JSON:        {`"x"`, `"\u0001\"ü"`, `"1"`, "1", "-2.5", "9223372036854775807", "true", "null"},
		runtime.MessagePack: {"", "1", "-1", "007", "dark", "\x00\xff", "9223372036854775807"},
	}
)

func (h *random) anyValue() string { return draw(h, randomValues[h.format()]...) }

func (h *random) count() int64 {
	if h.oneIn(2) {
		return draw(h, randomCounts...)
	}
	return int64(h.Uint64()) >> h.IntN(64)
}

func (h *random) anyEntry(key string) runtime.Entry {
	e := runtime.Entry{Key: key, Kind: draw(h, runtime.PlainEntry, runtime.IndexedEntry, runtime.CounterEntry)}
	if e.Kind == runtime.CounterEntry {
		e.Count = h.count()
	} else {
		e.Value = h.anyValue()
	}
	return e
}

// login draws an entry that makes a session one of two users.
func (h *random) login() runtime.Entry { return h.kit.login(h.IntN(2)) }

// value draws one that a session carries, or that of a user.
func (h *random) value() runtime.IndexValue {
	e := h.login()
	for indexed := range h.record(draw(h, h.ids[:]...)).Entries.Indexed() {
		if h.oneIn(2) {
			e = indexed
		}
	}
	return runtime.IndexValue{Kind: h.kind, Field: e.Key, Value: e.Value}
}

// ordinaryDelta is like what most commits send: entries set and removed, counters
// added to, and activity. R is the record that it is for.
func (h *random) ordinaryDelta(r *runtime.Record) *runtime.Delta {
	d := set(runtime.Entry{Key: draw(h, "a", "m:1", "z"), Value: h.anyValue()})
	if h.oneIn(4) {
		e := runtime.Entry{Key: draw(h, "n", "user_id", "y"), Value: h.anyValue()}
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpSet, Entry: e})
	}
	if h.oneIn(8) {
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: draw(h, "b", "m", "m:2:3")}})
	}
	for _, key := range []string{"c", "c:1", "c:2"} {
		if h.oneIn(4) {
			op := runtime.Op{Kind: runtime.OpAdd, Entry: counter(key, draw(h, 0, 1, 1, -1, 2, h.count())), DropZero: h.oneIn(4)}
			d.Ops = append(d.Ops, op)
		}
	}
	d.MaxBytes = max(0, r.Entries.Size()+draw(h, -10, 0, 20, 100, 500, 500, 500))
	h.times(d)
	return d
}

func (h *random) times(d *runtime.Delta) {
	if h.oneIn(8) {
		d.Deadline = h.now.Add(draw[time.Duration](h, 1, 10) * h.duration()).Truncate(time.Millisecond)
	}
	if h.oneIn(2) {
		d.Active = h.now.Add(10 * h.duration()).Truncate(time.Millisecond)
	}
}

// delta draws anything that a delta for the record may be.
func (h *random) delta(r *runtime.Record) *runtime.Delta {
	d := &runtime.Delta{CurrentOnly: h.oneIn(8)}
	for _, field := range []string{"a", "m", "n"} {
		if h.oneIn(8) {
			d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpClear, Entry: runtime.Entry{Key: field}})
		}
	}
	for _, key := range randomKeys {
		if h.oneIn(8) {
			d.Ops = append(d.Ops, h.op(r, key))
		}
	}
	if h.oneIn(3) {
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpSet, Entry: h.login()})
	}
	if h.oneIn(4) {
		d.Limits = []runtime.Limit{{Field: "m", Max: h.IntN(3)}, {Field: "n", Max: h.IntN(2)}}
	}
	if h.oneIn(4) {
		d.MaxBytes = max(1, r.Entries.Size()+h.IntN(30)-10)
	}
	h.times(d)
	if h.oneIn(3) {
		d.Renewal = &runtime.Renewal{Proof: h.fresh(), SignIn: h.oneIn(3), Grace: grace}
	}
	if h.oneIn(4) {
		d.Ticket = h.ticket(r)
	}
	if r.Ticket != nil && !h.oneIn(4) || h.oneIn(8) {
		d.Redeem = &runtime.Redemption{Presented: h.proof(r), Live: h.oneIn(2)}
		for range h.IntN(3) {
			d.Redeem.Same = append(d.Redeem.Same, h.proof(r))
		}
	}
	return d
}

// op draws what may be done to an entry.
func (h *random) op(r *runtime.Record, key string) runtime.Op {
	op := runtime.Op{Kind: runtime.OpSet, Entry: h.anyEntry(key)}
	switch h.IntN(3) {
	case 0:
		op = runtime.Op{Kind: runtime.OpAdd, Entry: counter(key, h.count()), DropZero: h.oneIn(2)}
	case 1:
		if h.oneIn(2) {
			op = runtime.Op{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: key}}
		}
	}
	if h.oneIn(6) {
		op.If = &runtime.Condition{Absent: h.oneIn(2), Value: h.anyValue()}
		if stored, found := r.Entries.Get(key); found && h.oneIn(2) {
			op.If.Value = stored.Value
		}
	}
	return op
}
