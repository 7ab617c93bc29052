package runtime

import (
	"cmp"
	"encoding/binary"
	"iter"
	"math/bits"
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
type Entries struct{ packed string } // see rowSize

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

func (s span) all() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for i := s.from; i < s.to; i++ {
			if !yield(s.entries.at(i)) {
				return
			}
		}
	}
}

// FieldOf returns the key of the field that an entry belongs to.
func FieldOf(entry string) string {
	field, _, _ := strings.Cut(entry, ":")
	return field
}

// The packed form of a set of entries is one string, so that a store can keep it
// as it is, an update copies bytes, and the garbage collector finds no pointers.
// It begins with a table: for each entry a row of where it begins and the first
// bytes of its key, and behind them where the last entry ends. Then follow the
// entries, each with a head of the length of its key and its kind, the key and
// the value. Numbers are little-endian. An empty set is empty.
const (
	rowSize     = 8
	endSize     = 4 // of the end of the last entry
	headSize    = 4
	counterSize = 8 // of the value of a counter
	kindBits    = 2 // of a head, the lowest
	kindMask    = 1<<kindBits - 1
	maxPacked   = 1<<30 - 1
)

// keyBeginning returns the first bytes of a key as a number that sorts as they do.
func keyBeginning(key string) uint32 {
	if len(key) >= 4 {
		return bits.ReverseBytes32(number(key[:4]))
	}
	var first [4]byte
	copy(first[:], key)
	return binary.BigEndian.Uint32(first[:])
}

// Len returns the number of entries.
func (e Entries) Len() int {
	if e.packed == "" {
		return 0
	}
	return e.begin(0) / rowSize // which is where the table ends
}

// begin returns where an entry begins: the one at the position Len is where the
// last one ends.
func (e Entries) begin(i int) int { return int(e.number(i * rowSize)) }

// keyBeginning returns what the row of an entry has of its key.
func (e Entries) keyBeginning(i int) uint32 { return e.number(i*rowSize + rowSize/2) }

func (e Entries) number(at int) uint32 { return number(e.packed[at : at+4]) }

// number returns the number that the four bytes are.
func number(b string) uint32 {
	_ = b[3] // the one check of the length
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

func (e Entries) key(i int) string { return e.keyAt(e.begin(i)) }

// keyAt returns the key of the entry that begins there.
func (e Entries) keyAt(begin int) string {
	key := begin + headSize
	return e.packed[key : key+e.keyLength(begin)]
}

// keyLength returns the length of the key of the entry that begins there.
func (e Entries) keyLength(begin int) int { return int(e.number(begin) >> kindBits) }

func (e Entries) at(i int) Entry {
	begin, end := e.begin(i), e.begin(i+1)
	key := begin + headSize
	value := key + e.keyLength(begin)
	kind := EntryKind(e.packed[begin] & kindMask)
	if kind != CounterEntry {
		return Entry{Key: e.packed[key:value], Kind: kind, Value: e.packed[value:end]}
	}
	count := binary.LittleEndian.Uint64(stringBytes(e.packed[value:end]))
	return Entry{Key: e.packed[key:value], Kind: kind, Count: int64(count)}
}

// find returns where the entry with the key is, or where it belongs.
func (e Entries) find(key string) (i int, found bool) {
	wanted := keyBeginning(key)
	from, to := 0, e.Len()
	for from < to {
		middle := int(uint(from+to) / 2)
		order := cmp.Compare(e.keyBeginning(middle), wanted)
		if order == 0 {
			order = strings.Compare(e.key(middle), key)
		}
		switch {
		case order == 0:
			return middle, true
		case order < 0:
			from = middle + 1
		default:
			to = middle
		}
	}
	return from, false
}

// Packed returns the set in the form from which [ParseEntries] makes it again.
func (e Entries) Packed() string { return e.packed }
