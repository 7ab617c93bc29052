package runtime_test

import (
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

func keys(list []runtime.Entry) (keys []string) {
	for _, e := range list {
		keys = append(keys, e.Key)
	}
	return keys
}

func TestEntriesAreInTheOrderOfTheirKeysAndOncePerKey(t *testing.T) {
	given := []runtime.Entry{plain("b", "1"), plain("a", "1"), plain("b", "2"), plain("a:x", "1"), plain("b", "3")}
	entries := runtime.NewEntries(given...)
	want := []runtime.Entry{plain("a", "1"), plain("a:x", "1"), plain("b", "3")}
	if got := slices.Collect(entries.All()); !slices.Equal(got, want) {
		t.Errorf("entries %v, want %v", got, want)
	}
	if entries.Len() != len(want) {
		t.Errorf("Len = %d, want %d", entries.Len(), len(want))
	}
	given[0] = plain("z", "9")
	if _, found := entries.Get("z"); found {
		t.Error("the set shares the list that it was made from")
	}
}

func TestEntriesGet(t *testing.T) {
	entries := runtime.NewEntries(plain("b", "1"), counter("d", 2))
	if e, found := entries.Get("d"); !found || e.Count != 2 {
		t.Errorf("Get of a counter = %v, %v", e, found)
	}
	for _, absent := range []string{"", "a", "c", "e"} {
		if e, found := entries.Get(absent); found || e != (runtime.Entry{}) {
			t.Errorf("Get(%q) = %v, %v", absent, e, found)
		}
	}
	if _, found := (runtime.Entries{}).Get("a"); found {
		t.Error("the zero value has an entry")
	}
}

// TestElementsAreThoseOfOneField has neighbours on both sides of ':'.
func TestElementsAreThoseOfOneField(t *testing.T) {
	entries := runtime.NewEntries(plain("car:a", "1"), plain("cart", "1"), plain("cart0:a", "1"), plain("cart9", "1"),
		plain("cart:", "1"), plain("cart:a", "1"), plain("cart:z:z", "1"), plain("cart:\xff", "1"), plain("cart_x:a", "1"),
		plain("carta:a", "1"))
	want := []string{"cart:", "cart:a", "cart:z:z", "cart:\xff"}
	if got := keys(slices.Collect(entries.Elements("cart"))); !slices.Equal(got, want) {
		t.Errorf("elements %q, want %q", got, want)
	}
	if got := slices.Collect(entries.Elements("none")); len(got) != 0 {
		t.Errorf("elements of an absent field: %v", got)
	}
}

func TestIndexedYieldsIndexedEntriesOnly(t *testing.T) {
	indexed := func(key string) runtime.Entry {
		return runtime.Entry{Key: key, Kind: runtime.IndexedEntry, Value: "1"}
	}
	entries := runtime.NewEntries(plain("a", "1"), indexed("b"), counter("c", 1), indexed("d"))
	if got := keys(slices.Collect(entries.Indexed())); !slices.Equal(got, []string{"b", "d"}) {
		t.Errorf("indexed entries %q", got)
	}
	for e := range entries.Indexed() {
		if e.Key != "b" {
			t.Errorf("the loop goes on to %q after its end", e.Key)
		}
		break
	}
}

func TestEntriesSize(t *testing.T) {
	entries := runtime.NewEntries(plain("ab", "cde"), counter("fgh", 1))
	if got, want := entries.Size(), 2+3+3+8; got != want {
		t.Errorf("Size = %d, want %d", got, want)
	}
}

func TestEntriesEqual(t *testing.T) {
	a := runtime.NewEntries(plain("a", "1"), plain("b", "2"))
	for name, other := range map[string]runtime.Entries{
		"fewer":         runtime.NewEntries(plain("a", "1")),
		"another value": runtime.NewEntries(plain("a", "1"), plain("b", "3")),
		"another kind":  runtime.NewEntries(plain("a", "1"), runtime.Entry{Key: "b", Kind: runtime.IndexedEntry, Value: "2"}),
	} {
		if a.Equal(other) {
			t.Errorf("%s: the sets are equal", name)
		}
	}
	if !a.Equal(runtime.NewEntries(plain("b", "2"), plain("a", "1"))) {
		t.Error("the order in which entries are given counts")
	}
}

func TestFieldOf(t *testing.T) {
	for entry, want := range map[string]string{"theme": "theme", "cart:sku-1": "cart", "cart:": "cart", "cart:a:b": "cart"} {
		if got := runtime.FieldOf(entry); got != want {
			t.Errorf("FieldOf(%q) = %q, want %q", entry, got, want)
		}
	}
}

func TestIndexValuesEndWithTheirLoop(t *testing.T) {
	indexed := func(key string) runtime.Entry { return runtime.Entry{Key: key, Kind: runtime.IndexedEntry, Value: "1"} }
	r := &runtime.Record{Kind: "k", Entries: runtime.NewEntries(indexed("a"), indexed("b"), indexed("c"))}
	for name, values := range map[string]iter.Seq[runtime.IndexValue]{
		"IndexValues": r.IndexValues(nil), "Revocable": r.Revocable(), "Entries": r.Entries.IndexValues(r.Kind),
	} {
		all := slices.Collect(values)
		for n := 1; n <= len(all); n++ {
			var seen []runtime.IndexValue
			for v := range values {
				if seen = append(seen, v); len(seen) == n {
					break
				}
			}
			if !slices.Equal(seen, all[:n]) {
				t.Errorf("%s: a loop that ends after %d has seen %v", name, n, seen)
			}
		}
	}
}

func TestALimitErrorSaysWhatIsTooLarge(t *testing.T) {
	for want, err := range map[string]*runtime.LimitError{
		"too large: more than 9 bytes in all": {Limit: 9, Err: errors.New("too large")},
		`overflow: field "n"`:                 {Field: "n", Err: errors.New("overflow")},
		`too large: field "n" allows 1`:       {Field: "n", Limit: 1, Err: errors.New("too large")},
	} {
		if got := err.Error(); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
}
