package runtime

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// EntryKind says how an entry is stored.
type EntryKind uint8

const (
	PlainEntry   EntryKind = iota // an encoded value
	IndexedEntry                  // an encoded value by which the session is found
	CounterEntry                  // an int64 that the store adds to
)

// An Entry is the smallest thing that is stored on its own: a scalar field, or
// one element of a map field.
type Entry struct {
	Key   string // "theme", or "cart:sku-1"
	Kind  EntryKind
	Value string // encoded; empty for a counter
	Count int64  // of a counter
}

// size is what the entry counts towards a record's limit, in bytes.
func (e Entry) size() int {
	if e.Kind == CounterEntry {
		return len(e.Key) + 8
	}
	return len(e.Key) + len(e.Value)
}

// Entries is an immutable set of entries in the order of their keys. The zero
// value is empty.
type Entries struct{ list []Entry }

// NewEntries returns the set of the given entries. Of several with one key the
// last one counts.
func NewEntries(list ...Entry) Entries {
	list = slices.Clone(list)
	if sortedByKey(list) { // as stores keep them
		return Entries{list}
	}
	slices.SortStableFunc(list, func(a, b Entry) int { return cmp.Compare(a.Key, b.Key) })
	kept := list[:0]
	for i, e := range list {
		if i+1 < len(list) && list[i+1].Key == e.Key {
			continue
		}
		kept = append(kept, e)
	}
	return Entries{kept}
}

// sortedByKey reports whether each key is less than the next one.
func sortedByKey(list []Entry) bool {
	for i := 1; i < len(list); i++ {
		if list[i-1].Key >= list[i].Key {
			return false
		}
	}
	return true
}

// Len returns the number of entries.
func (e Entries) Len() int { return len(e.list) }

// All yields the entries in the order of their keys.
func (e Entries) All() iter.Seq[Entry] { return slices.Values(e.list) }

// Get returns the entry with the key.
func (e Entries) Get(key string) (Entry, bool) {
	i, found := e.find(key)
	if !found {
		return Entry{}, false
	}
	return e.list[i], true
}

// Elements yields the entries of a map field, in the order of their keys.
func (e Entries) Elements(field string) iter.Seq[Entry] {
	return e.elements(field + ":").all()
}

// Indexed yields the entries by which the session is found.
func (e Entries) Indexed() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for i := range e.list {
			if e.list[i].Kind == IndexedEntry && !yield(e.list[i]) {
				return
			}
		}
	}
}

// Size returns the bytes of all keys and values, with 8 for each counter.
func (e Entries) Size() int {
	n := 0
	for _, entry := range e.list {
		n += entry.size()
	}
	return n
}

// Equal reports whether both sets hold the same entries.
func (e Entries) Equal(other Entries) bool { return slices.Equal(e.list, other.list) }

func (e Entries) find(key string) (int, bool) {
	i := e.position(key)
	return i, i < len(e.list) && e.list[i].Key == key
}

// A span is a contiguous part of a set: its entries from one position to before
// another.
type span struct {
	entries  Entries
	from, to int
}

// elements returns the entries whose keys begin with the prefix. They follow each
// other, as everything that sorts between two of them begins with it.
func (e Entries) elements(prefix string) span {
	from := e.position(prefix)
	to := from
	for to < len(e.list) && strings.HasPrefix(e.list[to].Key, prefix) {
		to++
	}
	return span{e, from, to}
}

func (s span) len() int { return s.to - s.from }

func (s span) all() iter.Seq[Entry] { return slices.Values(s.entries.list[s.from:s.to]) }

// hasElements reports whether a key begins with the prefix.
func (e Entries) hasElements(prefix string) bool {
	i := e.position(prefix)
	return i < len(e.list) && strings.HasPrefix(e.list[i].Key, prefix)
}

// position returns where the keys begin that are not before the given one.
func (e Entries) position(key string) int {
	from, to := 0, len(e.list)
	for from < to {
		middle := from + (to-from)/2
		if e.list[middle].Key < key {
			from = middle + 1
		} else {
			to = middle
		}
	}
	return from
}

// FieldOf returns the key of the field that an entry belongs to.
func FieldOf(entry string) string {
	field, _, _ := strings.Cut(entry, ":")
	return field
}
