package runtime

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// How a delta makes a new set of entries: each operation becomes edits of the old
// one, which are then carried out in a single pass.

// An edit replaces the entries from one position to before another by one entry,
// or by none.
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
