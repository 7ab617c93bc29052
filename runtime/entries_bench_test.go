package runtime

import (
	"fmt"
	"testing"
)

var realisticKeys = []string{"user_id", "account_id", "name", "email", "role", "locale", "theme", "time_zone", "referrer",
	"campaign", "agent", "views", "score", "step", "verified", "seen_at", "login_at", "consent_at", "recent"}

// realistic returns the entries of a session of 20 fields, one of them a map of
// 10 elements.
func realistic() Entries {
	var list []Entry
	for _, key := range realisticKeys {
		list = append(list, Entry{Key: key, Value: "a value of some forty bytes, as in a form"})
	}
	for i := range 10 {
		list = append(list, Entry{Key: fmt.Sprintf("cart:sku-%d", 1000+i), Kind: CounterEntry, Count: int64(i)})
	}
	return NewEntries(list...)
}

// BenchmarkEntriesGet looks up every field once.
func BenchmarkEntriesGet(b *testing.B) {
	e := realistic()
	for b.Loop() {
		for _, key := range realisticKeys {
			if _, found := e.Get(key); !found {
				b.Fatal(key)
			}
		}
	}
}

// BenchmarkEntriesApply changes one field.
func BenchmarkEntriesApply(b *testing.B) {
	e := realistic()
	d := &Delta{Ops: []Op{{Kind: OpSet, Entry: Entry{Key: "theme", Value: "another value"}}}, MaxBytes: 1 << 20}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := e.apply(d); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseEntries checks the packed form of a session.
func BenchmarkParseEntries(b *testing.B) {
	packed := []byte(realistic().Packed())
	b.SetBytes(int64(len(packed)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseEntries(packed); err != nil {
			b.Fatal(err)
		}
	}
}
