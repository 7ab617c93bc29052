package runtime

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// sample returns entries of every kind, with keys that are prefixes of each other
// or differ behind their first bytes.
func sample() []Entry {
	return []Entry{
		{Key: "", Value: "the empty key"},
		{Key: "a"},
		{Key: "a\x00", Value: "\x00"},
		{Key: "cart", Value: strings.Repeat("x", 300)},
		{Key: "cart:", Kind: CounterEntry, Count: -1},
		{Key: "cart:a", Kind: CounterEntry, Count: 1 << 62},
		{Key: "cart:b", Value: "v"},
		{Key: "user_id", Kind: IndexedEntry, Value: "42"},
		{Key: strings.Repeat("k", 1000), Value: "v"},
	}
}

func TestPackedEntriesAreWhatTheyWere(t *testing.T) {
	want := NewEntries(sample()...)
	got, err := ParseEntries([]byte(want.Packed()))
	if err != nil || !got.Equal(want) {
		t.Fatalf("parsed %v, %v", got, err)
	}
	for _, e := range sample() {
		if kept, found := got.Get(e.Key); !found || kept != e {
			t.Errorf("Get(%q) = %v, %v, want %v", e.Key, kept, found, e)
		}
	}
	none, err := ParseEntries(nil)
	if err != nil || none.Len() != 0 || none != NewEntries() || none != (Entries{}) {
		t.Errorf("the empty set: %v, %v", none, err)
	}
}

// TestDamagedEntriesAreRefused changes every bit and cuts at every length.
func TestDamagedEntriesAreRefused(t *testing.T) {
	packed := []byte(NewEntries(sample()...).Packed())
	for n := 1; n < len(packed); n++ {
		if _, err := ParseEntries(slices.Clone(packed[:n])); err == nil {
			t.Errorf("%d of %d bytes are accepted", n, len(packed))
		}
	}
	for i := range packed {
		for bit := range 8 {
			damaged := slices.Clone(packed)
			damaged[i] ^= 1 << bit
			checkParsed(t, damaged)
		}
	}
	if allocated := testing.AllocsPerRun(10, func() { _, _ = ParseEntries(packed) }); allocated > 0 {
		t.Errorf("parsing makes %v allocations", allocated)
	}
}

// checkParsed demands that what is accepted is exactly what its entries pack to.
func checkParsed(t *testing.T, packed []byte) {
	e, err := ParseEntries(packed)
	if err != nil {
		return
	}
	list := slices.Collect(e.All())
	if !sortedByKey(list) || NewEntries(list...) != e {
		t.Errorf("%q is accepted, but its entries %v pack otherwise", packed, list)
	}
	for _, entry := range list {
		if got, found := e.Get(entry.Key); !found || got != entry {
			t.Errorf("Get(%q) = %v, %v", entry.Key, got, found)
		}
	}
}

func FuzzParseEntries(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte(NewEntries(sample()...).Packed()))
	f.Add([]byte(NewEntries(sample()[0]).Packed()))
	f.Add(binary.LittleEndian.AppendUint32(nil, endSize)) // a table without rows
	f.Fuzz(checkParsed)
}

func TestApplyingDoesWhatItsOperationsSay(t *testing.T) {
	choice := rand.New(rand.NewPCG(1, 2))
	entries, model := Entries{}, map[string]Entry{}
	for step := range 20_000 {
		d := randomDelta(choice)
		next, replaced, err := entries.apply(d)
		wanted, wantedReplaced, wantedErr := applyNaively(model, d.Ops)
		if !errors.Is(err, wantedErr) {
			t.Fatalf("step %d: %v: got error %v, want %v", step, d.Ops, err, wantedErr)
		}
		if err != nil {
			wanted = model
		}
		want := NewEntries(slices.Collect(maps.Values(wanted))...)
		if next != want || err == nil && !slices.Equal(replaced, wantedReplaced) {
			t.Fatalf("step %d: %v: got %v, replaced %q, want %v, replaced %q", step, d.Ops,
				slices.Collect(next.All()), replaced, slices.Collect(want.All()), wantedReplaced)
		}
		checkParsed(t, []byte(next.Packed()))
		entries, model = next, wanted
	}
}

// randomDelta clears some fields and then touches some entries once.
func randomDelta(choice *rand.Rand) *Delta {
	fields := []string{"a", "a0", "b", "cart", "c"}
	d := &Delta{}
	for _, field := range fields {
		if choice.IntN(6) == 0 {
			d.Ops = append(d.Ops, Op{Kind: OpClear, Entry: Entry{Key: field}})
		}
	}
	for _, i := range choice.Perm(4 * len(fields)) {
		if choice.IntN(5) != 0 {
			continue
		}
		key := fields[i%len(fields)]
		if element := i / len(fields); element > 0 {
			key += fmt.Sprintf(":%d", element)
		}
		op := Op{Kind: OpSet + OpKind(choice.IntN(3)), Entry: Entry{Key: key}}
		switch op.Kind {
		case OpSet:
			op.Entry.Kind = EntryKind(choice.IntN(3))
			if op.Entry.Kind == CounterEntry {
				op.Entry.Count = choice.Int64() - 1<<62
			} else {
				op.Entry.Value = strings.Repeat("v", choice.IntN(40))
			}
		case OpAdd:
			op.Entry.Count = choice.Int64N(5) - 2
			if choice.IntN(10) == 0 {
				op.Entry.Count = choice.Int64() + 1<<62
			}
			op.DropZero = choice.IntN(2) == 0
		}
		d.Ops = append(d.Ops, op)
	}
	return d
}

// applyNaively applies one operation after the other to a map.
func applyNaively(before map[string]Entry, ops []Op) (after map[string]Entry, replaced []string, err error) {
	after = maps.Clone(before)
	for _, op := range ops {
		key := op.Entry.Key
		old, found := after[key]
		switch op.Kind {
		case OpClear:
			maps.DeleteFunc(after, func(k string, _ Entry) bool { return FieldOf(k) == key })
		case OpSet:
			after[key] = op.Entry
		case OpRemove:
			delete(after, key)
		case OpAdd:
			sum := op.Entry.Count + old.Count
			if (sum > old.Count) != (op.Entry.Count > 0) && op.Entry.Count != 0 {
				return nil, nil, ErrOverflow
			}
			if found && old.Kind != CounterEntry {
				replaced = append(replaced, key)
			}
			if after[key] = (Entry{Key: key, Kind: CounterEntry, Count: sum}); sum == 0 && op.DropZero {
				delete(after, key)
			}
		}
	}
	return after, replaced, nil
}

func TestOfSeveralOperationsOnOneEntryTheLastCounts(t *testing.T) {
	entry := func(key, value string) Entry { return Entry{Key: key, Value: value} }
	for _, before := range []Entries{{}, NewEntries(entry("a", "old"), entry("b", "1"))} {
		r := &Record{Proof: Proof{1}, Expires: time.Unix(1, 0), Entries: before}
		var ops []Op
		for _, v := range []string{"x", "longer", "z"} {
			ops = append(ops, Op{Kind: OpSet, Entry: entry("a", v)})
		}
		next, _, err := r.Apply(Key{Proof: r.Proof}, &Delta{Ops: ops})
		if err != nil {
			t.Fatal(err)
		}
		if e, _ := next.Entries.Get("a"); e.Value != "z" || next.Entries.Len() != max(1, before.Len()) {
			t.Errorf("%v, want the last value once", next.Entries)
		}
	}
}
