package redisstore_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/redisstore"
)

// The functions are a second writing of runtime/apply.go. Random histories hold
// both to the same answers and the same records.
func TestTheFunctionsJudgeAsTheRuntimeDoes(t *testing.T) {
	histories := 300
	if testing.Short() {
		histories = 30
	}
	s := fresh(t, start(t).URL())
	wanted := map[error]int{}
	for seed := range histories {
		h := newHistory(s, uint64(seed))
		h.wanted = wanted
		for step := range 40 {
			if difference := h.step(t); difference != "" {
				t.Fatalf("seed %d, step %d, %s", seed, step, difference)
			}
		}
	}
	for _, err := range answers {
		if wanted[err] == 0 {
			t.Errorf("no history leads to %q", err)
		}
	}
}

// answers are what some history must have led to.
var answers = []error{
	nil, runtime.ErrNotFound, runtime.ErrConflict, runtime.ErrTooLarge, runtime.ErrOverflow,
	runtime.ErrSuperseded, runtime.ErrReused, runtime.ErrEnded,
}

// A history is one session in the store and, as the runtime defines it, in
// memory.
type history struct {
	*rand.Rand
	store  *redisstore.Store
	id     runtime.ID
	record *runtime.Record
	now    time.Time
	proofs []runtime.Proof // that were ever given out
	ticket runtime.Proof
	wanted map[error]int // how often
}

func newHistory(s *redisstore.Store, seed uint64) *history {
	h := &history{Rand: rand.New(rand.NewPCG(seed, 1)), store: s, now: time.Now().UTC().Truncate(time.Millisecond)}
	for i := range h.id {
		h.id[i] = byte(h.Uint32())
	}
	h.proofs = []runtime.Proof{h.proof(), h.proof()} // the second one is never valid
	return h
}

func (h *history) proof() (p runtime.Proof) {
	for i := range p {
		p[i] = byte(h.Uint32())
	}
	return p
}

func (h *history) chance(percent int) bool { return h.IntN(100) < percent }

func (h *history) span(most time.Duration) time.Duration {
	return time.Duration(h.Int64N(int64(most))).Truncate(time.Microsecond)
}

// step does one operation on both, and returns how they differ.
func (h *history) step(t *testing.T) string {
	h.now = h.now.Add(h.span(8 * time.Second))
	key := h.key()
	if h.record == nil {
		h.record = h.newRecord()
		key.Proof, key.Ticket = h.record.Proof, false
		return h.differ("Create", nil, nil, h.store.Create(t.Context(), key, h.record), nil)
	}
	var difference string
	switch n := h.IntN(100); {
	case n < 20:
		want, wantErr := h.record.Read(key)
		got, err := h.store.Load(t.Context(), key)
		difference = h.differ("Load", got, want, err, wantErr)
		h.record = want
	case n < 97:
		d := h.delta()
		next, want, wantErr := h.record.Apply(key, d)
		got, err := h.store.Update(t.Context(), key, d)
		difference = h.differ(fmt.Sprintf("Update %+v with %+v", d, key), got, want, err, wantErr)
		h.record = next
	default:
		next, wantErr := h.record.End(key)
		err := h.store.Delete(t.Context(), key)
		difference = h.differ("Delete", nil, nil, err, wantErr)
		h.record = next
	}
	if difference != "" {
		return difference
	}
	return h.look(t)
}

// look compares what is stored, without presenting a token.
func (h *history) look(t *testing.T) string {
	key := runtime.Key{ID: h.id, Proof: h.record.Proof, Now: h.now, Live: true}
	want, wantErr := h.record.Read(key)
	got, err := h.store.Load(t.Context(), key)
	return h.differ("the stored record", got, want, err, wantErr)
}

func (h *history) differ(what string, got, want any, err, wantErr error) string {
	for _, answer := range answers {
		if errors.Is(wantErr, answer) {
			h.wanted[answer]++
		}
	}
	if fmt.Sprint(err) != fmt.Sprint(wantErr) {
		return fmt.Sprintf("%s: got error %v, want %v", what, err, wantErr)
	}
	if err != nil {
		return ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Sprintf("%s differs (-want +got):\n%s", what, diff)
	}
	return ""
}

func (h *history) key() runtime.Key {
	key := runtime.Key{ID: h.id, Now: h.now, Held: h.chance(20), Live: h.chance(20)}
	if h.chance(60) {
		key.Age = h.span(20 * time.Second)
	}
	key.Proof = h.proofs[len(h.proofs)-1]
	if h.record != nil {
		key.Proof = h.record.Proof
	}
	if h.chance(25) {
		key.Proof = h.proofs[h.IntN(len(h.proofs))]
	}
	if h.chance(15) {
		key.Proof, key.Ticket = h.ticket, true
	}
	return key
}

func (h *history) newRecord() *runtime.Record {
	r := &runtime.Record{
		Kind:     "example.com/shop.Visitor",
		Proof:    h.proofs[0],
		Created:  h.now.Truncate(time.Millisecond),
		Renewed:  h.now.Truncate(time.Millisecond),
		Deadline: h.now.Truncate(time.Millisecond).Add(5 * time.Minute),
		Expires:  h.now.Truncate(time.Millisecond).Add(time.Minute),
	}
	var entries []runtime.Entry
	for range h.IntN(6) {
		entries = append(entries, h.entry())
	}
	r.Entries = runtime.NewEntries(entries...)
	if h.chance(30) {
		earlier := runtime.EarlierProof{Proof: h.proof(), Ended: h.now, SignIn: h.chance(50), Grace: 10 * time.Second}
		h.proofs = append(h.proofs, earlier.Proof)
		r.Earlier = []runtime.EarlierProof{earlier}
	}
	if h.chance(30) {
		r.Ticket = h.newTicket()
	}
	return r
}

func (h *history) newTicket() *runtime.Ticket {
	t := &runtime.Ticket{Proof: h.proof(), Ends: h.now.Add(h.span(30 * time.Second)), Sole: h.chance(30)}
	h.ticket = t.Proof
	if h.chance(50) {
		t.Saw = h.proofs[h.IntN(len(h.proofs))]
	}
	return t
}

var (
	someKeys   = []string{"a", "b", "cart", "cart:a", "cart:b", "cart:c", "cart2:a", "n", "n:x", "n:"}
	someValues = []string{"", "1", "-1", "007", "dark", "\x00\xff", "9223372036854775807"}
	someCounts = []int64{
		0, 1, -1, 999_999_999, 1_000_000_000, -1_000_000_000, 1 << 53, -(1<<53 + 1),
		math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MinInt64 + 1, 5_000_000_000_000_000_001,
	}
)

func pick[T any](h *history, from []T) T { return from[h.IntN(len(from))] }

func (h *history) count() int64 {
	if h.chance(50) {
		return pick(h, someCounts)
	}
	return int64(h.Uint64()) >> h.IntN(64)
}

func (h *history) entry() runtime.Entry {
	e := runtime.Entry{Key: pick(h, someKeys), Kind: runtime.EntryKind(h.IntN(3))}
	if e.Kind == runtime.CounterEntry {
		e.Count = h.count()
	} else {
		e.Value = pick(h, someValues)
	}
	return e
}

// plainDelta returns a delta as most commits are.
func (h *history) plainDelta() *runtime.Delta {
	d := &runtime.Delta{}
	for range 1 + h.IntN(3) {
		e := runtime.Entry{Key: someKeys[h.IntN(4)], Value: pick(h, someValues)}
		op := runtime.Op{Kind: runtime.OpSet, Entry: e}
		if h.chance(50) {
			op = runtime.Op{Kind: runtime.OpAdd, Entry: runtime.Entry{Key: e.Key, Count: h.count()}}
		}
		d.Ops = append(d.Ops, op)
	}
	if h.chance(50) {
		d.MaxBytes = 1 + h.IntN(80)
	}
	if h.chance(50) {
		d.Active = h.now.Add(h.span(2 * time.Minute))
	}
	return d
}

func (h *history) delta() *runtime.Delta {
	if h.chance(30) {
		return h.plainDelta()
	}
	d := &runtime.Delta{CurrentOnly: h.chance(10)}
	for range h.IntN(2) {
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpClear, Entry: runtime.Entry{Key: pick(h, someKeys)}})
	}
	for range h.IntN(4) {
		d.Ops = append(d.Ops, h.op())
	}
	if h.chance(30) {
		d.Limits = []runtime.Limit{{Field: "cart", Max: h.IntN(3)}, {Field: "n", Max: h.IntN(2)}}
	}
	if h.chance(30) {
		d.MaxBytes = 1 + h.IntN(80)
	}
	if h.chance(20) {
		d.Deadline = h.now.Add(h.span(10 * time.Minute))
	}
	if h.chance(50) {
		d.Active = h.now.Add(h.span(2 * time.Minute))
	}
	if h.chance(30) {
		d.Renewal = &runtime.Renewal{Proof: h.proof(), SignIn: h.chance(40), Grace: 10 * time.Second}
		h.proofs = append(h.proofs, d.Renewal.Proof)
	}
	if h.chance(20) {
		d.Ticket = h.newTicket()
	}
	if h.chance(50) {
		d.Redeem = &runtime.Redemption{Presented: pick(h, h.proofs), Live: h.chance(50)}
		for range h.IntN(3) {
			d.Redeem.Same = append(d.Redeem.Same, pick(h, h.proofs))
		}
	}
	return d
}

func (h *history) op() runtime.Op {
	op := runtime.Op{Kind: runtime.OpSet, Entry: h.entry()}
	switch h.IntN(3) {
	case 0:
		added := runtime.Entry{Key: op.Entry.Key, Count: h.count()}
		op = runtime.Op{Kind: runtime.OpAdd, Entry: added, DropZero: h.chance(50)}
	case 1:
		if h.chance(40) {
			op = runtime.Op{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: op.Entry.Key}}
		}
	}
	switch h.IntN(12) {
	case 0:
		op.If = &runtime.Condition{Absent: true}
	case 1:
		op.If = &runtime.Condition{Value: pick(h, someValues)}
	case 2:
		if e, ok := h.record.Entries.Get(op.Entry.Key); ok {
			op.If = &runtime.Condition{Value: e.Value}
		}
	}
	return op
}
