package runtime

import (
	"iter"
	"slices"
	"time"
)

// An IndexValue names the sessions of one kind whose field has one value. Without a
// field it names all sessions of the kind, see [Lister.RevokeAll].
type IndexValue struct {
	Kind  string
	Field string // the field's key
	Value string // encoded in the store's format
}

// IndexValues yields the values by which a session with the record r is found,
// but not those by which one with the record except is found as well. Either may
// be nil, which is a session that is not found. An [Indexer] that replaces a
// record removes old.IndexValues(next) and adds next.IndexValues(old).
func (r *Record) IndexValues(except *Record) iter.Seq[IndexValue] {
	return func(yield func(IndexValue) bool) {
		if r == nil {
			return
		}
		for i := r.Entries.indexedFrom(0); i >= 0; i = r.Entries.indexedFrom(i + 1) {
			if v := r.Entries.at(i).indexValue(r.Kind); !except.carries(v) && !yield(v) {
				return
			}
		}
	}
}

// Revocable yields the values whose revocation bars a Create of the record: that of
// its kind, and those by which it is found.
func (r *Record) Revocable() iter.Seq[IndexValue] {
	return func(yield func(IndexValue) bool) {
		if yield(IndexValue{Kind: r.Kind}) {
			r.IndexValues(nil)(yield)
		}
	}
}

// IndexValues yields the values by which a session of the kind with the entries is
// found.
func (e Entries) IndexValues(kind string) iter.Seq[IndexValue] {
	return func(yield func(IndexValue) bool) {
		for entry := range e.Indexed() {
			if !yield(entry.indexValue(kind)) {
				return
			}
		}
	}
}

// IndexValues yields the values that the delta sets in a record of the kind.
func (d *Delta) IndexValues(kind string) iter.Seq[IndexValue] {
	return func(yield func(IndexValue) bool) {
		for i := range d.Ops {
			op := &d.Ops[i]
			if op.Kind == OpSet && op.Entry.Kind == IndexedEntry && !yield(op.Entry.indexValue(kind)) {
				return
			}
		}
	}
}

func (e Entry) indexValue(kind string) IndexValue {
	return IndexValue{Kind: kind, Field: e.Key, Value: e.Value}
}

func (r *Record) carries(v IndexValue) bool {
	if r == nil || r.Kind != v.Kind {
		return false
	}
	e, found := r.Entries.Get(v.Field)
	return found && e.Kind == IndexedEntry && e.Value == v.Value
}

// A Revocation is the mark that [Indexer.Revoke] leaves on a value.
type Revocation struct {
	At     time.Time
	Except []ID
}

// InForce reports whether the mark still counts. One that lies further ahead
// than [MarkLife] was made before the clock was set back, and would block its
// value until the clock came there again.
func (r Revocation) InForce(now time.Time) bool {
	age := now.Sub(r.At)
	return -MarkLife < age && age < RevocationLife
}

// Covers reports whether the mark bars every operation that other bars.
func (r Revocation) Covers(other Revocation) bool {
	excepted := func(id ID) bool { return slices.Contains(other.Except, id) }
	return !r.At.Before(other.At) && !slices.ContainsFunc(r.Except, func(id ID) bool { return !excepted(id) })
}

// Bars reports whether the operation may not set the value: the request behind
// it had arrived before the revocation, which does not except the session.
func (r Revocation) Bars(key Key) bool {
	return r.InForce(key.Now) && key.Arrived().Before(r.At) && !slices.Contains(r.Except, key.ID)
}

// Indexed yields the entries by which the session is found.
func (e Entries) Indexed() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for i := e.indexedFrom(0); i >= 0; i = e.indexedFrom(i + 1) {
			if !yield(e.at(i)) {
				return
			}
		}
	}
}

// indexedFrom returns the position of the first indexed entry from i on, -1 if there
// is none. It reads nothing but the kinds.
func (e Entries) indexedFrom(i int) int {
	rows := e.packed[i*rowSize : e.Len()*rowSize]
	for ; len(rows) >= rowSize; i, rows = i+1, rows[rowSize:] {
		if EntryKind(e.packed[number(rows)]&kindMask) == IndexedEntry {
			return i
		}
	}
	return -1
}
