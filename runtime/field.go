package runtime

import "time"

// A Field is what all typed fields have in common. Generated code fills in the
// exported part, [NewModel] the rest; after that it is never changed and safe
// for concurrent use.
//
// What only the runtime asks of a field is no method: a program would compile it
// for each type that embeds a Field.
type Field struct {
	Key    string // the stored identity, [a-z0-9_]+
	Was    string // an earlier key, still read; empty: none
	Max    int    // bytes of strings and []byte, elements of collections; 0: no limit
	Index  bool   // sessions are found by it
	Limit  int    // sessions that one indexed value may have; 0: any number
	Renew  bool   // setting it is a sign-in: it renews the token
	Secret bool   // sealed before it reaches a store

	// TTL is the life of a value, or of each element of a map, from when it was set
	// last. Then it is absent. 0: no limit.
	TTL time.Duration

	// defaults are the encodings of the default, by format: setting it clears.
	defaults [2]string

	// fold merges a pending value into the stored one, for fields whose merge
	// needs both. An empty stored one is absent; one that does not fit is a
	// misfitError. Nil: the last writer wins.
	fold func(f Format, stored, pending string) (string, error)

	// rest returns what was stored beyond what was taken of it, and empty if that
	// is nothing. Nil: a value is taken whole.
	rest func(f Format, stored, taken string) (string, error)

	// canonical encodes a stored value as this program would: a store may hand
	// JSON back in another spelling.
	canonical func(f Format, stored string) (string, error)

	// spellings returns the other encodings that a stored value may have, see
	// [respeller]. Nil: none.
	spellings func(f Format, stored string) []string

	elements    string // what the keys of elements begin with, "cart:"
	wasElements string // the same of the earlier key

	counter bool // stored as counters
	first   bool // what is stored stays
	mapped  bool // stored element by element
}

// misfitError says that a stored value does not fit its field.
type misfitError struct{ error }

func (f *Field) base() *Field { return f }

// elementKeys returns the keys of one element of a map field: its own, and the
// one it had under an earlier key.
func elementKeys(f *Field, text string) (key, was string) {
	if f.Was != "" {
		was = f.wasElements + text
	}
	return f.elements + text, was
}

// sameValue reports whether two encodings are of one value. In JSON a store may have
// spelled the stored one in its own way.
func sameValue(f *Field, format Format, stored, value string) bool {
	if stored == value {
		return true
	}
	if format != JSON || stored == "" || f.canonical == nil {
		return false
	}
	spelled, err := f.canonical(format, stored)
	return err == nil && spelled == value
}

// Merge says how a [Value], a [List] or an element of a [Map] combines what a request sets with what is stored.
type Merge uint8

const (
	MergeLast   Merge = iota // the last writer wins
	MergeMax                 // the larger one stays
	MergeMin                 // the smaller one stays
	MergeAppend              // a list: what others append stays
	MergeFirst               // what is there stays
)

// Integer is every kind that can be a counter: those whose values all fit into
// an int64.
type Integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32
}
