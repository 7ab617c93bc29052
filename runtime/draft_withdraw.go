package runtime

import (
	"errors"
)

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

// judgeClear withdraws the clearing of a map field together with what was set
// since, if that is what is stored.
func (d *draft) judgeClear(p *pending) {
	p.withdrawn = p.cleared && d.known && d.sameElements(p)
}

// judgeElement judges the change of one element. After a clear nothing is stored,
// so there a removal is what has no effect.
func (d *draft) judgeElement(p *pending, text string) {
	c := p.elements[text]
	c.withdrawn = c.op == changeRemove
	if !p.cleared {
		key, was := p.field.elementKeys(text)
		c.withdrawn = d.redundant(p.field, key, was, c)
	}
	p.elements[text] = c
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
		return found && f.TTL == 0 && f.same(d.format, stored.value, c.value)
	}
	folded, err := d.merged(f, c, stored, found)
	return err == nil && (stored.ends == folded.ends && f.same(d.format, stored.value, folded.value) ||
		!found && folded.value == f.defaults[d.format])
}

// sameElements reports whether clearing the map and setting its elements would
// store what is stored.
func (d *draft) sameElements(p *pending) bool {
	f := p.field
	set := 0
	for _, c := range p.elements {
		if c.op != changeRemove {
			set++
		}
	}
	if d.countElements(f) != set || d.misshapen(f) || set > 0 && f.TTL > 0 {
		return false
	}
	same := 0
	for _, e := range d.storedElements(f) {
		c, ok := p.elements[e.text]
		if !ok || c.op == changeRemove || c.err != nil || f.counter && c.count != e.count || !f.counter && !f.same(d.format, e.value, c.value) {
			return false
		}
		same++
	}
	return same == set // false if stored ones do not fit
}
