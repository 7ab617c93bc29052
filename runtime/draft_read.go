package runtime

import (
	"errors"
	"math"
	"strings"
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

// answers reports whether what is pending alone says what the field is.
func (d *draft) answers(f *Field) bool {
	p := d.find(f)
	if p == nil || f.mapped {
		return p != nil && p.clears()
	}
	return p.scalar.shown().absolute()
}

// answersElement reports whether what is pending alone says what one element of
// a map field is.
func (d *draft) answersElement(f *Field, text string) bool {
	c, cleared := d.pendingElement(f, text)
	return cleared || c.absolute()
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

// element returns one element of a map field.
func (d *draft) element(f *Field, text string) (element, bool) {
	if f.dropsOldest() {
		return d.remainingElement(f, text)
	}
	c, cleared := d.pendingElement(f, text)
	e := element{text: text}
	found := false
	if !cleared {
		d.checkShape(f)
		e.content, found = d.storedElement(f, text)
	}
	e.content, found = d.onto(f, c, e.content, found)
	return e, found
}

// remainingElement is element for a map that makes room by itself.
func (d *draft) remainingElement(f *Field, text string) (element, bool) {
	list, _ := d.elements(f)
	for _, e := range list {
		if e.text == text {
			return e, true
		}
	}
	return element{}, false
}

func (d *draft) pendingElement(f *Field, text string) (c change, cleared bool) {
	if p := d.find(f); p != nil {
		return p.element(text).shown(), p.clears()
	}
	return change{}, false
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
	case f.counter && e.count == c.taken.count, !f.counter && f.same(d.format, e.value, c.taken.value):
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

// elements returns a map field, in no particular order, and whether it has any.
func (d *draft) elements(f *Field) (list []element, ok bool) {
	list = d.allElements(f)
	if p := d.find(f); p != nil && p.changes() {
		list = list[len(f.crowdedOut(list)):]
	}
	return list, len(list) > 0
}

// allElements returns a map field, also with elements for which it has no room.
func (d *draft) allElements(f *Field) []element {
	p := d.find(f)
	var stored []element
	if p == nil || !p.clears() {
		d.checkShape(f)
		stored = d.storedElements(f)
	}
	if p == nil || len(p.elements) == 0 || p.withdrawn {
		return stored
	}
	seen := make(map[string]content, len(stored)+len(p.elements))
	for _, e := range stored {
		seen[e.text] = e.content
	}
	for text, c := range p.elements {
		e, found := seen[text]
		if e, found = d.onto(f, c.shown(), e, found); found {
			seen[text] = e
		} else {
			delete(seen, text)
		}
	}
	list := make([]element, 0, len(seen))
	for text, e := range seen {
		list = append(list, element{text, e})
	}
	return list
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

// storedElement returns one element of a map field.
func (d *draft) storedElement(f *Field, text string) (content, bool) {
	key, was := f.elementKeys(text)
	return d.storedEntry(f, key, was)
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

// storedElements returns every element of a map field, each once.
func (d *draft) storedElements(f *Field) []element {
	if d.stored == nil {
		return nil
	}
	stored := d.stored.Entries.elements(f.elements)
	list := make([]element, 0, stored.len())
	for e := range stored.all() {
		text := e.Key[len(f.elements):]
		if f.Was == "" || !f.counter {
			list = d.appendElement(list, f, text, e)
		} else if sum, ok := d.storedElement(f, text); ok {
			list = append(list, element{text, sum})
		}
	}
	for _, e := range d.earlierElements(f) {
		list = d.appendElement(list, f, e.Key[len(f.wasElements):], e)
	}
	return list
}

// earlierElements returns the entries of a map field that are stored under its
// earlier key alone.
func (d *draft) earlierElements(f *Field) []Entry {
	if f.Was == "" {
		return nil
	}
	var only []Entry
	for e := range d.stored.Entries.elements(f.wasElements).all() {
		if _, newer := d.current(f.elements+e.Key[len(f.wasElements):], ""); !newer {
			only = append(only, e)
		}
	}
	return only
}

// countElements counts the stored elements of a map field, also those that do
// not fit it, but not those that have ended.
func (d *draft) countElements(f *Field) int {
	if d.stored == nil {
		return 0
	}
	ended := d.endedElements(f)
	return d.stored.Entries.elements(f.elements).len() + len(d.earlierElements(f)) - len(ended)
}

// appendElement appends what one entry holds, if that fits the field.
func (d *draft) appendElement(list []element, f *Field, text string, e Entry) []element {
	var held content
	var err error
	if !f.counter {
		held, err = d.open(f, e)
	} else if e.Kind != CounterEntry {
		err = errKind
	}
	switch {
	case err != nil:
		d.misfit(e.Key, err)
		return list
	case !d.lasts(held.ends):
		return list
	}
	held.count = e.Count
	return append(list, element{text, held})
}
