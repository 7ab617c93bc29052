package runtime

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math/bits"
	"strings"
)

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

func tableSize(n int) int { return n*rowSize + endSize }

// packedSize returns the bytes of n entries that have the size, as [Entries.Size]
// counts it.
func packedSize(n, size int) int { return tableSize(n) + n*headSize + size }

// newRow returns a row as it is stored: where an entry begins in its lower half, and
// the beginning of the key in the upper one. Most searches compare no more of the
// keys than that.
func newRow(begin int, key string) uint64 {
	return uint64(begin) | uint64(keyBeginning(key))<<32
}

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

// packed returns the entries of the span without their rows.
func (s span) packed() string {
	if s.from == s.to {
		return ""
	}
	return s.entries.packed[s.entries.begin(s.from):s.entries.begin(s.to)]
}

// A packer packs a set whose size is known, in the order of the keys.
type packer struct {
	packed []byte
	row    int // where the next row begins
	entry  int // where the next entry begins
}

// newPacker begins a set of n entries that have the size.
func newPacker(n, size int) packer {
	if n == 0 {
		return packer{}
	}
	return packer{packed: make([]byte, packedSize(n, size)), entry: tableSize(n)}
}

func (p *packer) add(e *Entry) {
	binary.LittleEndian.PutUint64(p.packed[p.row:], newRow(p.entry, e.Key))
	p.row += rowSize
	binary.LittleEndian.PutUint32(p.packed[p.entry:], uint32(len(e.Key))<<kindBits|uint32(e.Kind)&kindMask)
	p.entry += headSize
	p.entry += copy(p.packed[p.entry:], e.Key)
	if e.Kind == CounterEntry {
		binary.LittleEndian.PutUint64(p.packed[p.entry:], uint64(e.Count))
		p.entry += counterSize
	} else {
		p.entry += copy(p.packed[p.entry:], e.Value)
	}
}

// addSpan adds what another set has. The rows differ in where the entries begin.
func (p *packer) addSpan(s span) {
	if s.from == s.to {
		return
	}
	rows := p.packed[p.row : p.row+s.len()*rowSize]
	p.row += copy(rows, s.entries.packed[s.from*rowSize:s.to*rowSize])
	if moved := uint64(p.entry - s.entries.begin(s.from)); moved != 0 {
		for ; len(rows) >= rowSize; rows = rows[rowSize:] {
			binary.LittleEndian.PutUint64(rows, binary.LittleEndian.Uint64(rows)+moved)
		}
	}
	p.entry += copy(p.packed[p.entry:], s.packed())
}

// entries returns the set, to which nothing can be added any more.
func (p *packer) entries() Entries {
	if p.packed == nil {
		return Entries{}
	}
	binary.LittleEndian.PutUint32(p.packed[p.row:], uint32(p.entry))
	return Entries{byteString(p.packed)}
}

// Packed returns the set in the form from which [ParseEntries] makes it again.
func (e Entries) Packed() string { return e.packed }

// ParseEntries returns the set whose packed form is given. The set keeps packed,
// which must not change any more. Anything that is not exactly what
// [Entries.Packed] returns is an error.
func ParseEntries(packed []byte) (Entries, error) {
	e := Entries{byteString(packed)}
	if len(packed) > 0 && !e.wellFormed() {
		return Entries{}, errors.New("the packed entries are damaged")
	}
	return e, nil
}

// wellFormed checks everything that the methods rely on.
func (e Entries) wellFormed() bool {
	size := len(e.packed)
	if size < tableSize(1) || size > maxPacked {
		return false
	}
	n := e.Len()
	if n == 0 || tableSize(n) > size || e.begin(0) != tableSize(n) || e.begin(n) != size {
		return false
	}
	for i := range n {
		begin, end := e.begin(i), e.begin(i+1)
		if end < begin+headSize || end > size || !e.soundAt(begin, end) {
			return false
		}
		key := e.keyAt(begin)
		if e.keyBeginning(i) != keyBeginning(key) || i > 0 && e.key(i-1) >= key {
			return false
		}
	}
	return true
}

// soundAt checks the head of the entry between begin and end.
func (e Entries) soundAt(begin, end int) bool {
	value := begin + headSize + e.keyLength(begin)
	switch EntryKind(e.packed[begin] & kindMask) {
	case PlainEntry, IndexedEntry:
		return value <= end
	case CounterEntry:
		return value+counterSize == end
	default:
		return false
	}
}
