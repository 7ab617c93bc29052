package runtime

import (
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
		return len(e.Key) + counterSize
	}
	return len(e.Key) + len(e.Value)
}

// Entries is an immutable set of entries in the order of their keys. The zero
// value is empty. A set takes less than 1 GiB.
type Entries struct{ packed string } // see packed.go

// NewEntries returns the set of the given entries. Of several with one key the
// last one counts. It panics if they are too large for a set.
func NewEntries(list ...Entry) Entries {
	if !sortedByKey(list) {
		list = sortByKey(slices.Clone(list))
	}
	size := 0
	for i := range list {
		size += list[i].size()
	}
	if packedSize(len(list), size) > maxPacked {
		panic("runtime: session entries of 1 GiB or more")
	}
	p := newPacker(len(list), size)
	for i := range list {
		p.add(&list[i])
	}
	return p.entries()
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

// sortByKey sorts the list and keeps the last of several with one key.
func sortByKey(list []Entry) []Entry {
	slices.SortStableFunc(list, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	kept := list[:0]
	for i, e := range list {
		if i+1 < len(list) && list[i+1].Key == e.Key {
			continue
		}
		kept = append(kept, e)
	}
	return kept
}

// All yields the entries in the order of their keys.
func (e Entries) All() iter.Seq[Entry] { return span{e, 0, e.Len()}.all() }

// Get returns the entry with the key.
func (e Entries) Get(key string) (Entry, bool) {
	i, found := e.find(key)
	if !found {
		return Entry{}, false
	}
	return e.at(i), true
}

// Elements yields the entries of a map field, in the order of their keys.
func (e Entries) Elements(field string) iter.Seq[Entry] {
	return e.elements(field + ":").all()
}

// Indexed yields the entries by which the session is found.
func (e Entries) Indexed() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for i := range e.Len() {
			if entry := e.at(i); entry.Kind == IndexedEntry && !yield(entry) {
				return
			}
		}
	}
}

// Size returns the bytes of all keys and values, with 8 for each counter.
func (e Entries) Size() int { return span{e, 0, e.Len()}.size() }

// Equal reports whether both sets hold the same entries.
func (e Entries) Equal(other Entries) bool { return e == other }

// elements returns the entries whose keys begin with the prefix. They follow each
// other, as everything that sorts between two of them begins with it.
func (e Entries) elements(prefix string) span {
	from, _ := e.find(prefix)
	to := from
	for to < e.Len() && strings.HasPrefix(e.key(to), prefix) {
		to++
	}
	return span{e, from, to}
}

// A span is a contiguous part of a set: its entries from one position to before
// another.
type span struct {
	entries  Entries
	from, to int
}

func (s span) len() int { return s.to - s.from }

func (s span) all() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for i := s.from; i < s.to; i++ {
			if !yield(s.entries.at(i)) {
				return
			}
		}
	}
}

// size is what the entries count towards a record's limit, in bytes.
func (s span) size() int { return len(s.packed()) - s.len()*headSize }

// FieldOf returns the key of the field that an entry belongs to.
func FieldOf(entry string) string {
	field, _, _ := strings.Cut(entry, ":")
	return field
}
