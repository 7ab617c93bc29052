package storetest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// C3, C11 and C14: what becomes of entries, alone and under concurrent writes.

func failedCondition(k *kit) {
	conditions := map[string]runtime.Op{
		"another value":         {Entry: k.entry("theme", "light"), If: &runtime.Condition{Value: k.value("blue")}},
		"absent, but present":   {Entry: k.entry("theme", "light"), If: &runtime.Condition{Absent: true}},
		"present, but absent":   {Entry: k.entry("name", "Ann"), If: &runtime.Condition{Value: k.value("Bob")}},
		"another count":         {Entry: k.entry("views", "1"), If: &runtime.Condition{Counter: true, Count: 2}},
		"a count, of a value":   {Entry: k.entry("theme", "light"), If: &runtime.Condition{Counter: true}},
		"a count, but absent":   {Entry: k.entry("name", "Ann"), If: &runtime.Condition{Counter: true}},
		"a value, of a counter": {Entry: k.entry("views", "1"), If: &runtime.Condition{Value: ""}},
	}
	for name, op := range conditions {
		s := k.create(k.entry("theme", "dark"), counter("views", 3), k.entry("cart:a", "1"))
		before := k.load(s)
		op.Kind = runtime.OpSet
		d := &runtime.Delta{
			Ops: []runtime.Op{
				{Kind: runtime.OpClear, Entry: runtime.Entry{Key: "cart"}},
				{Kind: runtime.OpSet, Entry: k.entry("lang", "eo")},
				op,
				{Kind: runtime.OpAdd, Entry: counter("hits", 1)},
			},
			Active:   k.now.Add(idle + time.Hour),
			Deadline: k.now.Add(2 * life),
			Renewal:  &runtime.Renewal{Proof: newProof(), Grace: grace},
			Ticket:   &runtime.Ticket{Proof: newProof(), Ends: k.now.Add(grace)},
		}
		k.want("an Update that demands "+name, k.updateErr(k.key(s), d), runtime.ErrConflict)
		k.same("after an Update that demands "+name, k.load(s), before)
	}
}

func heldCondition(k *kit) {
	s := k.create(k.entry("theme", "dark"), counter("views", -3), counter("hits", 7))
	d := set(k.entry("theme", "light"), k.entry("name", "Ann"), counter("hits", 1))
	d.Ops[0].If = &runtime.Condition{Value: k.value("dark")}
	d.Ops[1].If = &runtime.Condition{Absent: true}
	d.Ops[2].If = &runtime.Condition{Counter: true, Count: 7}
	d.Ops = append(d.Ops, runtime.Op{
		Kind: runtime.OpRemove, Entry: runtime.Entry{Key: "views"}, If: &runtime.Condition{Counter: true, Count: -3},
	})
	k.update(k.key(s), d)
	k.holds("conditions that hold", s, k.entry("theme", "light"), k.entry("name", "Ann"), counter("hits", 1))
}

func conditionPerEntry(k *kit) {
	s := k.create(k.entry("a", "0"), k.entry("b", "0"))
	for _, key := range []string{"a", "b"} {
		d := set(k.entry(key, "1"))
		d.Ops[0].If = &runtime.Condition{Value: k.value("0")}
		k.want("a condition on an entry that nobody changed", k.updateErr(k.key(s), d), nil)
	}
	k.holds("conditions on two entries", s, k.entry("a", "1"), k.entry("b", "1"))
}

func concurrentConditions(k *kit) {
	s, seen := k.create(k.entry("recent", "0")), "0"
	for n := range k.rounds(50) {
		payloads := make([]string, 8)
		errs := make([]error, len(payloads))
		for i := range payloads {
			payloads[i] = fmt.Sprintf("%d by %d", n, i)
		}
		together(len(payloads), func(i int) {
			d := set(k.entry("recent", payloads[i]))
			d.Ops[0].If = &runtime.Condition{Value: k.value(seen)}
			errs[i] = k.updateErr(k.key(s), d)
		})
		won := 0
		for i, err := range errs {
			if err != nil {
				k.want("a conditional write that lost", err, runtime.ErrConflict)
				continue
			}
			won++
			seen = payloads[i]
		}
		if won != 1 {
			k.Fatalf("%d of 8 concurrent writes under one condition won, want 1", won)
		}
		k.holds("concurrent writes under one condition", s, k.entry("recent", seen))
	}
}

func concurrentClaims(k *kit) {
	s := k.create()
	for n := range k.rounds(20) {
		value := fmt.Sprint(n)
		k.update(k.key(s), set(k.entry("state", value), k.entry("links:a", value), counter("points", int64(n)+1)))
		claims := []runtime.Op{
			{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: "state"}, If: &runtime.Condition{Value: k.value(value)}},
			{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: "links:a"}, If: &runtime.Condition{Value: k.value(value)}},
			{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: "points"}, If: &runtime.Condition{Counter: true, Count: int64(n) + 1}},
		}
		for _, claim := range claims {
			errs := make([]error, 64)
			together(len(errs), func(i int) { errs[i] = k.updateErr(k.key(s), &runtime.Delta{Ops: []runtime.Op{claim}}) })
			won := 0
			for _, err := range errs {
				if err != nil {
					k.want("a claim that lost", err, runtime.ErrConflict)
					continue
				}
				won++
			}
			if won != 1 {
				k.Fatalf("%d of 64 concurrent claims of %q won, want 1", won, claim.Entry.Key)
			}
		}
		k.holds("what was claimed", s)
	}
}

func disjointSurvive(k *kit) {
	s := k.create()
	writes := func(round string) []runtime.Entry {
		return []runtime.Entry{
			k.entry("theme", round), k.entry("cart:a", round), k.entry("cart:b", round), k.indexedEntry("user_id", round),
		}
	}
	for n := range k.rounds(1000) {
		entries := writes(fmt.Sprint(n))
		errs := make([]error, len(entries))
		together(len(entries), func(i int) {
			errs[i] = k.updateErr(k.key(s), set(entries[i]))
		})
		if err := errors.Join(errs...); err != nil {
			k.Fatalf("concurrent writes: %v", err)
		}
		if got := k.load(s).Entries; !got.Equal(runtime.NewEntries(entries...)) {
			k.Fatalf("a write was lost in round %d: %s", n, list(got))
		}
	}
}

func countersExact(k *kit) {
	const writers, each = 64, 10
	s := k.create(k.entry("theme", "dark"))
	errs := make([]error, writers)
	together(writers, func(i int) {
		for n := range each {
			errs[i] = errors.Join(errs[i], k.updateErr(k.key(s), add("views", int64(n))))
		}
	})
	if err := errors.Join(errs...); err != nil {
		k.Fatalf("concurrent additions: %v", err)
	}
	k.holds("concurrent additions", s, k.entry("theme", "dark"), counter("views", writers*each*(each-1)/2))
}

// counterRules checks V5.
func counterRules(k *kit) {
	s := k.create(counter("views", 2), counter("cart:a", 1), k.entry("visits", "many"))
	d := &runtime.Delta{Ops: []runtime.Op{
		{Kind: runtime.OpAdd, Entry: counter("views", -2), DropZero: true},
		{Kind: runtime.OpAdd, Entry: counter("cart:a", -1)},
		{Kind: runtime.OpAdd, Entry: counter("visits", 5)},
		{Kind: runtime.OpAdd, Entry: counter("hits", 0), DropZero: true},
	}}
	result := k.update(k.key(s), d)
	if len(result.Replaced) != 1 || result.Replaced[0] != "visits" {
		k.Errorf("an addition to an entry that is no counter: got Replaced %q, want %q", result.Replaced, []string{"visits"})
	}
	k.holds("additions", s, counter("cart:a", 0), counter("visits", 5))
	k.update(k.key(s), &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpAdd, Entry: counter("visits", -5), DropZero: true}}})
	k.holds("the removal of a counter that took the place of a value", s, counter("cart:a", 0))
}

// clearField checks V4.
func clearField(k *kit) {
	s := k.create(k.entry("cart", "old"), k.entry("cart:a", "1"), counter("cart:b", 2),
		k.entry("cart2:a", "1"), k.entry("cart_x", "1"), k.entry("car", "1"), k.entry("lang", "eo"))
	d := &runtime.Delta{Ops: []runtime.Op{
		{Kind: runtime.OpClear, Entry: runtime.Entry{Key: "cart"}},
		{Kind: runtime.OpSet, Entry: k.entry("cart:c", "3")},
		{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: "lang"}},
		{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: "absent"}},
	}}
	k.update(k.key(s), d)
	k.holds("a clearing", s, k.entry("cart:c", "3"), k.entry("cart2:a", "1"), k.entry("cart_x", "1"), k.entry("car", "1"))

	const many = 1100
	cart, each := []runtime.Entry{k.entry("theme", "dark")}, &runtime.Delta{}
	for n := range many {
		cart = append(cart, k.entry(fmt.Sprint("cart:", n), "1"))
		each.Ops = append(each.Ops, runtime.Op{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: cart[n+1].Key}})
	}
	s = k.create(cart...)
	k.holds("a record of many entries", s, cart...)
	k.update(k.key(s), each)
	k.holds("a removal of many entries", s, k.entry("theme", "dark"))
	k.update(k.key(s), set(cart...))
	k.holds("many entries at once", s, cart...)
	k.update(k.key(s), &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpClear, Entry: runtime.Entry{Key: "cart"}}}})
	k.holds("a clearing of many entries", s, k.entry("theme", "dark"))
}

func binarySafe(k *kit) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	entries := []runtime.Entry{
		k.entry("empty", ""), k.entry("nul", "\x00"), k.entry("every", string(every)),
		k.entry("invalid", "\xff\xfe\xc0\x80"), k.entry("digits", "0123456789"),
		k.entry("text", "naïve 鸭 🦆 \r\n'\"\\`$1"),
		k.entry("map:", "the empty key"), k.entry("map:a:b", "a colon"), k.entry("map:鸭 'q\"\\%_*", "signs"),
	}
	if k.format() == runtime.MessagePack {
		entries = append(entries,
			runtime.Entry{Key: "nothing", Value: ""}, runtime.Entry{Key: "one", Value: "1"},
			k.entry("map:"+string(every), "every byte"))
	}
	created := k.create(entries...)
	k.holds("Create", created, entries...)
	updated := k.create()
	k.update(k.key(updated), set(entries...))
	k.holds("Update", updated, entries...)
	for i := range entries {
		entries[i].Value = k.value("x")
	}
	k.update(k.key(updated), set(entries...))
	k.holds("Update of each entry", updated, entries...)
}

func largeValue(k *kit) {
	payload := make([]byte, 1<<20)
	for i := range payload {
		payload[i] = byte(i * i >> 3)
	}
	large := k.entry("large", string(payload))
	s := k.create(large)
	k.holds("Create of 1 MiB", s, large)
	s = k.create()
	d := set(large)
	d.MaxBytes = 0
	k.update(k.key(s), d)
	k.update(k.key(s), add("views", 1))
	k.holds("Update of 1 MiB", s, large, counter("views", 1))
}

func counterRange(k *kit) {
	s := k.create(counter("high", math.MaxInt64-1), counter("low", math.MinInt64))
	k.update(k.key(s), add("high", 1))
	k.holds("the largest counter", s, counter("high", math.MaxInt64), counter("low", math.MinInt64))
	least := k.create(counter("low", math.MinInt64+1))
	k.update(k.key(least), add("low", -1))
	k.holds("the least counter", least, counter("low", math.MinInt64))
	before := k.load(s)
	for key, n := range map[string]int64{"high": 1, "low": -1} {
		d := set(k.entry("theme", "dark"))
		d.Ops = append(d.Ops, add(key, n).Ops...)
		d.Active = k.now.Add(idle + time.Hour)
		k.want("an overflow", k.updateErr(k.key(s), d), runtime.ErrOverflow)
		k.same("after an overflow", k.load(s), before)
	}
	k.sums()
}

// sums adds where a sum in decimal digits carries or borrows, or is exact in a
// floating-point number no more. Each session has those that begin near one power.
func (k *kit) sums() {
	var places [][]int64
	for _, n := range []int64{2, 1e9, 5e9, 1e15, 9e15, 1e17, 4e18} {
		places = append(places, []int64{n - 1, n, n + 1, 1 - n, -n, -n - 1})
	}
	for _, near := range places {
		var before, after []runtime.Entry
		d := new(runtime.Delta)
		for _, a := range near {
			for _, b := range slices.Concat(places...) {
				name := fmt.Sprintf("sum:%d:%d", a, b)
				before, after = append(before, counter(name, a)), append(after, counter(name, a+b))
				d.Ops = append(d.Ops, add(name, b).Ops...)
			}
		}
		s := k.create(before...)
		k.update(k.key(s), d)
		got := k.load(s).Entries
		for _, want := range after {
			if e, _ := got.Get(want.Key); e != want {
				k.Errorf("%s is %d, want %d", want.Key, e.Count, want.Count)
			}
		}
	}
}

// sizeLimit checks V7.
func sizeLimit(k *kit) {
	s := k.create(k.entry("cart:a", "1"), k.entry("cart:b", "1"))
	before := k.load(s)
	grow := set(k.entry("cart:c", "1"))
	grow.Limits = []runtime.Limit{{Field: "cart", Max: 2}}
	k.want("a third element of two", k.updateErr(k.key(s), grow), runtime.ErrTooLarge)
	grow = set(k.entry("theme", "dark"))
	grow.MaxBytes = before.Entries.Size() + len("theme")
	k.want("a record beyond its limit", k.updateErr(k.key(s), grow), runtime.ErrTooLarge)
	k.same("after refused growth", k.load(s), before) // some judge the next one by what they have loaded
	grow.MaxBytes = 1
	k.want("a record beyond the least limit", k.updateErr(k.key(s), grow), runtime.ErrTooLarge)
	k.same("after refused growth", k.load(s), before)

	grow = set(k.entry("theme", "dark"), k.entry("cart:c", "1"))
	grow.Limits = []runtime.Limit{{Field: "theme", Max: 9}, {Field: "cart", Max: 2}}
	k.want("a third element, beside a field within its limit", k.updateErr(k.key(s), grow), runtime.ErrTooLarge)
	k.sizeLimitOfMany()

	// What is too large already may still change, and shrink.
	shrink := &runtime.Delta{
		Ops: []runtime.Op{
			{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: "cart:a"}},
			{Kind: runtime.OpSet, Entry: k.entry("cart:b", "2")},
		},
		Limits:   []runtime.Limit{{Field: "cart", Max: 0}},
		MaxBytes: 1,
	}
	k.update(k.key(s), shrink)
	k.holds("a record that shrinks above its limit", s, k.entry("cart:b", "2"))
}

// sizeLimitOfMany: what several deltas have stored, or removed, counts for the next.
func (k *kit) sizeLimitOfMany() {
	s := k.create(k.entry("name", "Ann"))
	for n := range 5 {
		d := set(k.entry(fmt.Sprint("note:", n), "0123456789"))
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: "absent"}})
		k.update(k.key(s), d)
	}
	note := func(key string) *runtime.Delta {
		d := set(k.entry(key, "0123456789"))
		d.MaxBytes = k.load(s).Entries.Size() + 1
		return d
	}
	k.want("one note more than the limit allows", k.updateErr(k.key(s), note("note:5")), runtime.ErrTooLarge)
	instead := note("note:5")
	k.update(k.key(s), &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: "note:0"}}}})
	k.want("a note in place of a removed one", k.updateErr(k.key(s), instead), nil)
}

// firstIsNamed: the order is that of the delta, not of any names.
func firstIsNamed(k *kit) {
	s := k.create(counter("b", math.MaxInt64), counter("longer", math.MaxInt64))
	overflow := func(names ...string) *runtime.Delta {
		d := new(runtime.Delta)
		for _, name := range names {
			d.Ops = append(d.Ops, add(name, 1).Ops...)
		}
		return d
	}
	outgrow := func(names ...string) *runtime.Delta {
		d := new(runtime.Delta)
		for _, name := range names {
			d.Ops = append(d.Ops, set(k.entry(name+":1", "1"), k.entry(name+":2", "2")).Ops...)
			d.Limits = append(d.Limits, runtime.Limit{Field: name, Max: 1})
		}
		return d
	}
	for _, names := range [][]string{{"b", "longer"}, {"longer", "b"}} {
		for _, d := range []*runtime.Delta{overflow(names...), outgrow(names...)} {
			var got *runtime.LimitError
			if err := k.updateErr(k.key(s), d); !errors.As(err, &got) || got.Field != names[0] {
				k.Errorf("%q are too large: %v, want the first to be named", names, err)
			}
		}
	}
}

func sizeLimitConcurrent(k *kit) {
	const writers, limit = 16, 10
	limits := map[string]func(*runtime.Delta){
		"elements": func(d *runtime.Delta) { d.Limits = []runtime.Limit{{Field: "cart", Max: limit}} },
		"bytes":    func(d *runtime.Delta) { d.MaxBytes = limit * (len("cart:00") + len(k.value("1"))) },
	}
	for name, limited := range limits {
		s := k.create()
		errs := make([]error, writers)
		together(writers, func(i int) {
			d := set(k.entry(fmt.Sprintf("cart:%02d", i), "1"))
			limited(d)
			errs[i] = k.updateErr(k.key(s), d)
		})
		for _, err := range errs {
			if err != nil {
				k.want("a write beyond the limit of "+name, err, runtime.ErrTooLarge)
			}
		}
		if n := k.load(s).Entries.Len(); n != limit {
			k.Errorf("%d concurrent writes under a limit of %d %s left %d elements", writers, limit, name, n)
		}
	}
}
