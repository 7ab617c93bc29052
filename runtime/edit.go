package runtime

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
)

// How a set of entries is made: of a list, of its packed form, or of another set by
// the operations of a delta.

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

// An edit replaces the entries from one position to before another by one entry,
// or by none. The operations of a delta become edits of the old set, which are then
// carried out in a single pass.
type edit struct {
	from, to int
	op       *Op   // nil: the entries belong to a field that is cleared
	keep     bool  // an entry stands there afterwards, that of op
	count    int64 // of the entry, if it is a counter
}

func (x *edit) key() string {
	if x.op == nil {
		return ""
	}
	return x.op.Entry.Key
}

// entry returns the entry that stands there afterwards.
func (x *edit) entry() Entry {
	if x.op.Kind == OpAdd {
		return Entry{Key: x.op.Entry.Key, Kind: CounterEntry, Count: x.count}
	}
	return x.op.Entry
}

// apply checks everything first and then makes the new set.
func (e Entries) apply(d *Delta) (next Entries, replaced []string, err error) {
	if len(d.Ops) == 0 {
		return e, nil, nil
	}
	for i := range d.Ops {
		if !e.holds(&d.Ops[i]) {
			return e, nil, ErrConflict
		}
	}
	var space [8]edit // most commits change little
	edits := space[:0]
	if len(d.Ops) > len(space) {
		edits = make([]edit, 0, len(d.Ops))
	}
	edits = e.clearings(edits, d.Ops)
	cleared := len(edits)
	for i := range d.Ops {
		op := &d.Ops[i]
		if op.Kind == OpClear {
			continue
		}
		x, old, err := e.editFor(op, edits[:cleared])
		if err != nil {
			return e, nil, err
		}
		if old {
			replaced = append(replaced, op.Entry.Key)
		}
		edits = append(edits, x)
	}
	if next, err = e.edited(edits); err != nil {
		return e, nil, err
	}
	return next, replaced, next.within(d, e)
}

func (e Entries) holds(op *Op) bool {
	if op.If == nil {
		return true
	}
	entry, found := e.Get(op.Entry.Key)
	if op.If.Absent || !found {
		return op.If.Absent && !found
	}
	if entry.Kind == CounterEntry || op.If.Counter {
		return entry.Kind == CounterEntry && op.If.Counter && entry.Count == op.If.Count
	}
	return entry.Value == op.If.Value
}

// clearings appends the edits that clear whole fields.
func (e Entries) clearings(edits []edit, ops []Op) []edit {
	for i := range ops {
		if ops[i].Kind != OpClear {
			continue
		}
		field := ops[i].Entry.Key
		if at, found := e.find(field); found {
			edits = append(edits, edit{from: at, to: at + 1})
		}
		if elements := e.elements(field + ":"); elements.len() > 0 {
			edits = append(edits, edit{from: elements.from, to: elements.to})
		}
	}
	return edits
}

// editFor returns the edit of an operation on one entry, and whether it is an
// addition that replaces an entry that is not a counter.
func (e Entries) editFor(op *Op, cleared []edit) (x edit, replaces bool, err error) {
	at, found := e.find(op.Entry.Key)
	x = edit{from: at, to: at, op: op, keep: op.Kind != OpRemove}
	if found {
		x.to++
	}
	if op.Kind != OpAdd {
		return x, false, nil
	}
	x.count = op.Entry.Count
	covers := func(c edit) bool { return c.from <= at && at < c.to }
	if found && !slices.ContainsFunc(cleared, covers) {
		old := e.at(at)
		replaces = old.Kind != CounterEntry
		var ok bool
		if x.count, ok = addCounts(old.Count, op.Entry.Count); !ok {
			return x, false, &LimitError{Field: FieldOf(op.Entry.Key), Err: ErrOverflow}
		}
	}
	x.keep = x.count != 0 || !op.DropZero
	return x, replaces, nil
}

// edited carries out the edits.
func (e Entries) edited(edits []edit) (Entries, error) {
	arrange(edits)
	n, size := e.Len(), e.Size()
	for i := range edits {
		x := &edits[i]
		n -= x.to - x.from
		size -= span{e, x.from, x.to}.size()
		if x.keep {
			n++
			size += x.entry().size()
		}
	}
	if packedSize(n, size) > maxPacked {
		return e, &LimitError{Limit: maxPacked, Err: ErrTooLarge}
	}
	p, done := newPacker(n, size), 0
	for i := range edits {
		x := &edits[i]
		p.addSpan(span{e, done, x.from})
		if x.keep {
			entry := x.entry()
			p.add(&entry)
		}
		done = x.to
	}
	p.addSpan(span{e, done, e.Len()})
	return p.entries(), nil
}

// arrange sorts the edits and takes from each what the ones before it replace, so
// that an entry which is set anew stands behind its cleared field. Of several on
// one entry, which a delta should not have, the last one counts.
func arrange(edits []edit) {
	order := func(a, b edit) int {
		if a.from != b.from {
			return cmp.Compare(a.from, b.from)
		}
		return strings.Compare(a.key(), b.key())
	}
	if !slices.IsSortedFunc(edits, order) {
		slices.SortStableFunc(edits, order)
	}
	done := 0
	for i := range edits {
		x := &edits[i]
		x.from = max(x.from, done)
		x.to = max(x.to, x.from)
		done = x.to
		if i+1 < len(edits) && edits[i+1].key() == x.key() {
			x.keep = false
		}
	}
}

// within checks the limits of a delta that lets the set grow.
func (e Entries) within(d *Delta, before Entries) error {
	for _, limit := range d.Limits {
		prefix := limit.Field + ":"
		n := e.elements(prefix).len()
		if n > limit.Max && n > before.elements(prefix).len() {
			return &LimitError{Field: limit.Field, Limit: limit.Max, Err: ErrTooLarge}
		}
	}
	if d.MaxBytes == 0 {
		return nil
	}
	if size := e.Size(); size > d.MaxBytes && size > before.Size() {
		return &LimitError{Limit: d.MaxBytes, Err: ErrTooLarge}
	}
	return nil
}

// addCounts adds without leaving the range of int64.
func addCounts(a, b int64) (sum int64, ok bool) {
	if b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b {
		return 0, false
	}
	return a + b, true
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

// newRow returns a row as it is stored: where an entry begins in its lower half, and
// the beginning of the key in the upper one. Most searches compare no more of the
// keys than that.
func newRow(begin int, key string) uint64 {
	return uint64(begin) | uint64(keyBeginning(key))<<32
}

// packedSize returns the bytes of n entries that have the size, as [Entries.Size]
// counts it.
func packedSize(n, size int) int { return tableSize(n) + n*headSize + size }

func tableSize(n int) int { return n*rowSize + endSize }

// packed returns the entries of the span without their rows.
func (s span) packed() string {
	if s.from == s.to {
		return ""
	}
	return s.entries.packed[s.entries.begin(s.from):s.entries.begin(s.to)]
}

// Size returns the bytes of all keys and values, with 8 for each counter.
func (e Entries) Size() int { return span{e, 0, e.Len()}.size() }

// size is what the entries count towards a record's limit, in bytes.
func (s span) size() int { return len(s.packed()) - s.len()*headSize }

func (s span) len() int { return s.to - s.from }
