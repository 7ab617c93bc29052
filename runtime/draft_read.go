package runtime

import (
	"errors"
	"math"
	"strings"
	"time"
)

// How a draft is read: what is stored of a field, under its key or an earlier
// one, with what is pending on top.

var (
	errKind  = errors.New("a counter where a value belongs, or the reverse")
	errShape = errors.New("elements of a map where one value belongs, or the reverse")
)

// content is what one entry holds.
type content struct {
	value string
	count int64
	ends  int64 // of the value, in nanoseconds since 1970; 0: it does not
}

// element is one element of a map field.
type element struct {
	text string // of the key
	content
}

// find returns what is pending of the field, nil for nothing.
func (d *draft) find(f *Field) *pending {
	for i := range d.pending {
		if d.pending[i].field == f {
			return &d.pending[i]
		}
	}
	return nil
}

// see takes note of what is stored, nil for nothing, and judges anew what is a
// change of it.
func (d *draft) see(r *Record) {
	d.stored, d.known = r, true
	d.withdraw()
}

// answers reports whether what is pending alone says what the field is.
func (d *draft) answers(f *Field) bool {
	p := d.find(f)
	if p == nil || f.mapped {
		return p != nil && p.clears()
	}
	return p.scalar.shown().absolute()
}

// absolute reports whether the change says by itself what becomes of the entry.
func (c change) absolute() bool { return c.op == changeSet || c.op == changeRemove }

// shown returns what a read sees of the change: nothing of one that cannot be
// stored or is none.
func (c change) shown() change {
	if c.err != nil {
		return change{}
	}
	return c.effective()
}

// scalar returns a field of one entry, encoded.
func (d *draft) scalar(f *Field) (value string, ok bool) {
	e, ok := d.sole(f)
	return e.value, ok
}

// count returns a counter.
func (d *draft) count(f *Field) (n int64, ok bool) {
	e, ok := d.sole(f)
	return e.count, ok
}

// sole returns what the one entry of a field holds.
func (d *draft) sole(f *Field) (content, bool) {
	p := d.find(f)
	if p == nil {
		return d.storedScalar(f)
	}
	c := p.scalar.shown()
	if c.absolute() {
		return d.onto(f, c, content{}, false)
	}
	stored, found := d.storedScalar(f)
	return d.onto(f, c, stored, found)
}

// onto returns what the change makes of an entry.
func (d *draft) onto(f *Field, c change, e content, found bool) (content, bool) {
	switch c.op {
	case changeSet:
		return content{c.value, c.count, c.ends}, d.lasts(c.ends)
	case changeRemove:
		return content{}, false
	case changeAdd:
		e, found = d.left(f, c, e, found)
		return content{count: addSaturated(e.count, c.count)}, found || c.count != 0
	case changeFold:
		merged, err := d.merged(f, c, e, found)
		return merged, err == nil && merged.value != "" && d.lasts(merged.ends)
	}
	return e, found
}

// left returns what remains of an entry after what was taken has gone.
func (d *draft) left(f *Field, c change, e content, found bool) (content, bool) {
	switch {
	case c.taken == nil || !found:
		return e, found
	case f.counter && e.count == c.taken.count, !f.counter && sameValue(f, d.format, e.value, c.taken.value):
		return content{}, false
	case f.rest == nil:
		return e, true
	}
	rest, err := f.rest(d.format, e.value, c.taken.value)
	if err != nil {
		d.misfit(f.Key, err)
		return e, true
	}
	e.value = rest
	return e, rest != ""
}

// merged returns what a changeFold makes of an entry, without a value if nothing
// remains of it. What is let go in part, or stays, keeps its end.
func (d *draft) merged(f *Field, c change, e content, found bool) (content, error) {
	e, _ = d.left(f, c, e, found)
	if c.value == "" {
		return e, nil
	}
	value, err := d.foldStored(f, e.value, c.value)
	if !f.first || value != e.value {
		e.ends = c.ends
	}
	e.value = value
	return e, err
}

// addSaturated adds, held to the range of int64.
func addSaturated(a, b int64) int64 {
	sum, ok := addCounts(a, b)
	switch {
	case ok:
		return sum
	case b < 0:
		return math.MinInt64
	default:
		return math.MaxInt64
	}
}

// has reports whether anything is stored under one of the keys that has not ended.
func (d *draft) has(f *Field, key, was string) bool {
	e, found := d.current(key, was)
	return found && !d.ended(f, e)
}

// current returns the entry under the key, else the one under the earlier key, if
// there is one.
func (d *draft) current(key, was string) (e Entry, found bool) {
	if d.stored == nil {
		return Entry{}, false
	}
	if e, found = d.stored.Entries.Get(key); !found && was != "" {
		e, found = d.stored.Entries.Get(was)
	}
	return e, found
}

// storedValue returns the encoded value under the key, else under the earlier
// one.
func (d *draft) storedValue(f *Field, key, was string) (content, bool) {
	e, found := d.current(key, was)
	if !found {
		return content{}, false
	}
	value, err := d.open(f, e)
	if err != nil {
		d.misfit(e.Key, err)
		return content{}, false
	}
	if !d.lasts(value.ends) {
		return content{}, false
	}
	return value, true
}

// open returns the value of an entry, and its end. Most are stored as they are.
func (d *draft) open(f *Field, e Entry) (content, error) {
	if e.Kind == CounterEntry || f.Secret || f.TTL > 0 {
		return d.unwrap(f, e)
	}
	return content{value: e.Value}, nil
}

// unwrap unseals the value of a secret field, and takes its end from it.
func (d *draft) unwrap(f *Field, e Entry) (opened content, err error) {
	if e.Kind == CounterEntry {
		return content{}, errKind
	}
	opened.value = e.Value
	if f.Secret {
		opened.value, err = d.sealer.open(d.format, e.Key, e.Value)
	}
	if f.TTL > 0 && err == nil {
		opened.ends, opened.value, err = splitEnd(d.format, opened.value)
	}
	return opened, err
}

// misshapen reports whether something is stored under the field's key in another
// shape: elements of what is one entry now, or the reverse.
func (d *draft) misshapen(f *Field) bool {
	if f.mapped {
		_, found := d.current(f.Key, "")
		return found
	}
	if d.stored == nil {
		return false
	}
	i, _ := d.stored.Entries.find(f.elements)
	return i < d.stored.Entries.Len() && strings.HasPrefix(d.stored.Entries.key(i), f.elements)
}

func (d *draft) checkShape(f *Field) {
	if d.misshapen(f) {
		d.misfit(f.Key, errShape)
	}
}

// foldStored merges a pending value into the stored one. A stored value that
// does not fit counts as absent.
func (d *draft) foldStored(f *Field, stored, pending string) (string, error) {
	folded, err := f.fold(d.format, stored, pending)
	if misfit, ok := err.(misfitError); ok {
		d.misfit(f.Key, misfit.error)
		return f.fold(d.format, "", pending)
	}
	return folded, err
}

// storedCount returns the counters under both keys together.
func (d *draft) storedCount(key, was string) (n int64, found bool) {
	n, found = d.counterAt(key)
	if was == "" {
		return n, found
	}
	earlier, also := d.counterAt(was)
	return addSaturated(n, earlier), found || also
}

func (d *draft) counterAt(key string) (n int64, found bool) {
	e, found := d.current(key, "")
	if found && e.Kind != CounterEntry {
		d.misfit(e.Key, errKind)
		return 0, false
	}
	return e.Count, found
}

// storedEntry returns what is stored under the key or the earlier one, or under
// both of a counter.
func (d *draft) storedEntry(f *Field, key, was string) (e content, found bool) {
	if f.counter {
		e.count, found = d.storedCount(key, was)
		return e, found
	}
	return d.storedValue(f, key, was)
}

// storedScalar returns what is stored of a field that is one entry. If nothing is,
// elements may be stored in its place.
func (d *draft) storedScalar(f *Field) (e content, found bool) {
	if e, found = d.storedEntry(f, f.Key, f.Was); !found {
		d.checkShape(f)
	}
	return e, found
}

// lasts reports whether a value has not ended yet. One without an end always lasts.
// Ends are judged by the millisecond, as those of sessions are; what is finer tells
// which of several elements is the oldest.
func (d *draft) lasts(ends int64) bool {
	return ends == 0 || d.clock.read().UnixMilli() < ends/int64(time.Millisecond)
}

// ended reports whether the time of an entry's value is over: it is absent.
func (d *draft) ended(f *Field, e Entry) bool {
	if f.TTL == 0 {
		return false
	}
	opened, err := d.open(f, e)
	return err == nil && !d.lasts(opened.ends)
}

// How a pending change that would leave the record as it is, is withdrawn. As
// long as it is not known what is stored, nothing but an addition of 0 is.

// withdraw judges every pending change.
func (d *draft) withdraw() {
	for i := range d.pending {
		d.judge(&d.pending[i])
	}
}

func (d *draft) judge(p *pending) {
	if !p.field.mapped {
		p.scalar.withdrawn = d.redundant(p.field, p.field.Key, p.field.Was, p.scalar)
		return
	}
	for text := range p.elements {
		d.judgeElement(p, text)
	}
	d.judgeClear(p)
}

// redundant reports whether the change would leave what is stored as it is.
func (d *draft) redundant(f *Field, key, was string, c change) bool {
	switch {
	case c.op == changeNone, c.err != nil && !errors.Is(c.err, ErrTooLarge):
		return false
	case c.op == changeAdd && c.taken == nil:
		return c.count == 0
	case !d.known || !f.mapped && d.misshapen(f):
		return false
	case c.op == changeRemove:
		return !d.has(f, key, was)
	case f.counter:
		stored, found := d.storedEntry(f, key, was)
		n, remains := d.onto(f, c, stored, found)
		return remains == found && n.count == stored.count
	}
	return d.sameStored(f, key, was, c)
}

// sameStored reports whether setting or folding in a value would store what is
// stored. A value that is not indexed yet is to become so, and one that ends is to
// end later.
func (d *draft) sameStored(f *Field, key, was string, c change) bool {
	stored, found := d.storedValue(f, key, was)
	if e, _ := d.current(key, was); found && f.Index && e.Kind != IndexedEntry {
		return false
	}
	if c.op == changeSet {
		return found && f.TTL == 0 && sameValue(f, d.format, stored.value, c.value)
	}
	folded, err := d.merged(f, c, stored, found)
	return err == nil && (stored.ends == folded.ends && sameValue(f, d.format, stored.value, folded.value) ||
		!found && folded.value == f.defaults[d.format])
}
