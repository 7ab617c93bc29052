package pgstore_test

import (
	crand "crypto/rand"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/pgstore"
)

// TestFunctionsFollowTheRecord holds the functions in the database to the
// methods of runtime.Record, which define what they do: the same operations on
// both give the same answers and leave the same records.
func TestFunctionsFollowTheRecord(t *testing.T) {
	store := open(t, emptyURL(t))
	answers := map[string]int{}
	for seed := range uint64(200) {
		choice := rand.New(rand.NewPCG(seed, 5))
		p := newPair(t, store, choice, seed)
		for range 30 {
			answers[p.operate()]++
			if p.over() {
				p = newPair(t, store, choice, seed)
			}
		}
	}
	t.Logf("answers: %v", answers)
	for _, err := range []error{
		nil, runtime.ErrNotFound, runtime.ErrEnded, runtime.ErrSuperseded, runtime.ErrReused,
		runtime.ErrConflict, runtime.ErrTooLarge, runtime.ErrOverflow,
	} {
		if n := answers[fmt.Sprint(err)]; n < 10 {
			t.Errorf("%d operations had the answer %v, which is too few to compare", n, err)
		}
	}
}

// A pair is one session in the store and as it has to be.
type pair struct {
	*testing.T
	*rand.Rand
	seed   uint64
	store  *pgstore.Store
	id     runtime.ID
	now    time.Time
	record *runtime.Record
	proofs int // how many there are
}

func newPair(t *testing.T, store *pgstore.Store, choice *rand.Rand, seed uint64) *pair {
	p := &pair{T: t, Rand: choice, seed: seed, store: store, now: time.UnixMilli(1_790_000_000_000).UTC()}
	crand.Read(p.id[:])
	p.record = &runtime.Record{
		Kind: "kind", Proof: p.fresh(),
		Created: p.now, Renewed: p.now, Deadline: p.now.Add(time.Hour), Expires: p.now.Add(10 * time.Minute),
		Entries: runtime.NewEntries(entry("a", `"x"`), entry("m:1", "1"), counter("n", math.MaxInt64-5), counter("c", 3), indexed("u", "7")),
	}
	err := store.Create(t.Context(), runtime.Key{ID: p.id, Proof: p.record.Proof, Now: p.now}, p.record)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// over reports whether nothing but one answer is to be expected any more.
func (p *pair) over() bool {
	return !p.now.Before(p.record.Expires) || !p.record.Ended.IsZero() && p.oneIn(4)
}

func entry(key, value string) runtime.Entry { return runtime.Entry{Key: key, Value: value} }

func indexed(key, value string) runtime.Entry {
	return runtime.Entry{Key: key, Kind: runtime.IndexedEntry, Value: value}
}

func counter(key string, n int64) runtime.Entry {
	return runtime.Entry{Key: key, Kind: runtime.CounterEntry, Count: n}
}

// fresh returns a proof that nobody has presented.
func (p *pair) fresh() runtime.Proof {
	p.proofs++
	return runtime.Proof{p.id[0], byte(p.proofs), byte(p.proofs >> 8), 1}
}

func (p *pair) oneIn(n int) bool { return p.IntN(n) == 0 }

func draw[T any](p *pair, from ...T) T { return from[p.IntN(len(from))] }

// duration draws one around the times that matter, to the microsecond.
func (p *pair) duration() time.Duration {
	return draw(p, time.Millisecond, time.Second, 15*time.Second, 30*time.Second, time.Minute) +
		draw[time.Duration](p, -1, 0, 1)*time.Microsecond
}

// proof draws one that the record has or had, or another.
func (p *pair) proof() runtime.Proof {
	n := p.IntN(10)
	switch {
	case n == 0:
		return runtime.Proof{}
	case n < 5 && len(p.record.Earlier) > 0:
		return draw(p, p.record.Earlier...).Proof
	}
	return p.record.Proof
}

func (p *pair) key() runtime.Key {
	if p.oneIn(2) {
		p.now = p.now.Add(p.duration())
	}
	key := runtime.Key{ID: p.id, Proof: p.proof(), Now: p.now, Held: p.oneIn(4), Live: p.oneIn(4)}
	if p.oneIn(2) {
		key.Age = p.duration()
	}
	if t := p.record.Ticket; t != nil && p.oneIn(2) {
		key.Ticket, key.Proof = true, t.Proof
	}
	key.Ticket = key.Ticket || p.oneIn(20)
	return key
}

// operate does one operation on both, and returns the answer.
func (p *pair) operate() string {
	key := p.key()
	var what string
	var next *runtime.Record
	var want, got error
	switch n := p.IntN(40); {
	case n < 10:
		what = "Load"
		next, want = p.record.Read(key)
		var loaded *runtime.Record
		if loaded, got = p.store.Load(p.Context(), key); want == nil {
			p.same(what, loaded, next)
		}
	case n == 10:
		what = "Delete"
		next, want = p.record.End(key)
		got = p.store.Delete(p.Context(), key)
	default:
		d := p.delta()
		what = fmt.Sprintf("Update by %+v", d)
		var wanted, result *runtime.Result
		next, wanted, want = p.record.Apply(key, d)
		result, got = p.store.Update(p.Context(), key, d)
		p.sameResult(what, result, wanted)
	}
	if describe(want) != describe(got) {
		p.Fatalf("seed %d, %s with %+v: got error %v, want %v", p.seed, what, key, got, want)
	}
	p.record = next
	p.inspect(what)
	var limit *runtime.LimitError
	if errors.As(want, &limit) {
		want = limit.Err
	}
	return fmt.Sprint(want)
}

// inspect compares what is stored. A record that nobody may load any more is
// compared by what it answers.
func (p *pair) inspect(what string) {
	key := runtime.Key{ID: p.id, Proof: p.record.Proof, Now: p.now, Age: time.Minute, Live: true}
	want, wantErr := p.record.Read(key)
	got, err := p.store.Load(p.Context(), key)
	if describe(wantErr) != describe(err) {
		p.Fatalf("seed %d, Load after %s: got error %v, want %v", p.seed, what, err, wantErr)
	}
	if err == nil {
		p.same(what, got, want)
	}
}

func (p *pair) same(what string, got, want *runtime.Record) {
	if diff := cmp.Diff(want, got); diff != "" {
		p.Fatalf("seed %d, after %s the record differs (-want +got):\n%s", p.seed, what, diff)
	}
}

func (p *pair) sameResult(what string, got, want *runtime.Result) {
	inAnyOrder := cmpopts.SortSlices(func(a, b string) bool { return a < b })
	if diff := cmp.Diff(want, got, inAnyOrder); diff != "" {
		p.Fatalf("seed %d, %s: the result differs (-want +got):\n%s", p.seed, what, diff)
	}
}

// describe names an error as far as the contract does.
func describe(err error) string {
	var limit *runtime.LimitError
	if errors.As(err, &limit) {
		return fmt.Sprint(*limit)
	}
	return fmt.Sprint(err)
}

func (p *pair) delta() *runtime.Delta {
	if p.oneIn(4) {
		return p.ordinaryDelta()
	}
	d := &runtime.Delta{CurrentOnly: p.oneIn(8)}
	for _, field := range []string{"a", "m", "n"} {
		if p.oneIn(8) {
			d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpClear, Entry: runtime.Entry{Key: field}})
		}
	}
	for _, key := range []string{"a", "m", "m:", "m:1", "m:2:3", "m2:1", "n", "u", "ü\"\\\n"} {
		if p.oneIn(8) {
			d.Ops = append(d.Ops, p.op(key))
		}
	}
	if p.oneIn(8) {
		d.Limits = []runtime.Limit{{Field: "m", Max: p.IntN(3)}}
	}
	if p.oneIn(4) {
		d.MaxBytes = max(1, p.record.Entries.Size()+p.IntN(30)-10)
	}
	if p.oneIn(8) {
		d.Deadline = p.now.Add(p.duration()).Truncate(time.Millisecond)
	}
	if p.oneIn(2) {
		d.Active = p.now.Add(10 * p.duration()).Truncate(time.Millisecond)
	}
	if p.oneIn(4) {
		d.Renewal = &runtime.Renewal{Proof: p.fresh(), SignIn: p.oneIn(3), Grace: 30 * time.Second}
	}
	if p.oneIn(4) {
		d.Ticket = &runtime.Ticket{Proof: p.fresh(), Ends: p.now.Add(30 * time.Second), Sole: p.oneIn(3)}
		if p.oneIn(2) {
			d.Ticket.Saw = p.record.Proof
		}
	}
	if p.record.Ticket != nil && !p.oneIn(4) || p.oneIn(8) {
		d.Redeem = &runtime.Redemption{Presented: p.proof(), Live: p.oneIn(3)}
		if p.oneIn(2) {
			d.Redeem.Same = []runtime.Proof{p.record.Proof, {}}
		}
	}
	return d
}

// ordinaryDelta is one that a single UPDATE applies, most often.
func (p *pair) ordinaryDelta() *runtime.Delta {
	d := set(entry(draw(p, "a", "m:1", "z"), draw(p, `"x"`, "2")))
	if p.oneIn(4) {
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpSet, Entry: entry(draw(p, "n", "u", "y"), `["x"]`)})
	}
	if p.oneIn(4) {
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: draw(p, "b", "c", "u2", "m:2")}})
	}
	if p.oneIn(2) {
		key, n := draw(p, "c", "c:1", "c:2", "b2"), draw[int64](p, 0, 1, 1, -1, 2, math.MaxInt64-1, math.MinInt64)
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpAdd, Entry: counter(key, n), DropZero: p.oneIn(2)})
	}
	d.MaxBytes = max(1, p.record.Entries.Size()+draw(p, -10, 0, 20, 500, 500))
	if p.oneIn(4) {
		d.Deadline = p.now.Add(p.duration()).Truncate(time.Millisecond)
	}
	if p.oneIn(2) {
		d.Active = p.now.Add(10 * p.duration()).Truncate(time.Millisecond)
	}
	return d
}

func (p *pair) op(key string) runtime.Op {
	value := func() string {
		return draw(p, `"x"`, `"\u0001\"ü"`, "1", "-2.5", `{"a": [1, null], "bc": {}}`, "true", "null")
	}
	n := draw[int64](p, 0, 1, -1, 6, math.MinInt64, math.MaxInt64)
	op := draw(p,
		runtime.Op{Kind: runtime.OpSet, Entry: entry(key, value())},
		runtime.Op{Kind: runtime.OpSet, Entry: indexed(key, value())},
		runtime.Op{Kind: runtime.OpSet, Entry: counter(key, n)},
		runtime.Op{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: key}},
		runtime.Op{Kind: runtime.OpAdd, Entry: counter(key, n), DropZero: true},
		runtime.Op{Kind: runtime.OpAdd, Entry: counter(key, n)},
	)
	if p.oneIn(6) {
		op.If = &runtime.Condition{Absent: p.oneIn(2), Value: value()}
		if stored, found := p.record.Entries.Get(key); found && p.oneIn(2) {
			op.If.Value = stored.Value
		}
	}
	return op
}
