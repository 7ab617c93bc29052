package runtime

import (
	"cmp"
	"slices"
	"strings"
)

// How a draft reads and changes the elements of a map field.

// answersElement reports whether what is pending alone says what one element of
// a map field is.
func (d *draft) answersElement(f *Field, text string) bool {
	c, cleared := d.pendingElement(f, text)
	return cleared || c.absolute()
}

// element returns one element of a map field.
func (d *draft) element(f *Field, text string) (element, bool) {
	if dropsOldest(f) {
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

// elements returns a map field, in no particular order, and whether it has any.
func (d *draft) elements(f *Field) (list []element, ok bool) {
	list = d.allElements(f)
	if p := d.find(f); p != nil && p.changes() {
		list = list[len(crowdedOut(f, list)):]
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

// storedElement returns one element of a map field.
func (d *draft) storedElement(f *Field, text string) (content, bool) {
	key, was := elementKeys(f, text)
	return d.storedEntry(f, key, was)
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

// endedElements returns which stored elements of a map have ended, by the texts of
// their keys.
func (d *draft) endedElements(f *Field) (texts []string) {
	if f.TTL == 0 || d.stored == nil {
		return nil
	}
	for e := range d.stored.Entries.elements(f.elements).all() {
		if d.ended(f, e) {
			texts = append(texts, e.Key[len(f.elements):])
		}
	}
	for _, e := range d.earlierElements(f) {
		if d.ended(f, e) {
			texts = append(texts, e.Key[len(f.wasElements):])
		}
	}
	return texts
}

// dropsOldest reports whether a map makes room by itself.
func dropsOldest(f *Field) bool { return f.mapped && f.TTL > 0 && f.Max > 0 }

// crowdedOut sorts the elements by their ends, and returns the oldest ones, for which
// there is no room.
func crowdedOut(f *Field, list []element) []element {
	if !dropsOldest(f) || len(list) <= f.Max {
		return nil
	}
	slices.SortFunc(list, func(a, b element) int {
		return cmp.Or(cmp.Compare(a.ends, b.ends), strings.Compare(a.text, b.text))
	})
	return list[:len(list)-f.Max]
}

// setElement changes one element of a map field.
func (d *draft) setElement(f *Field, text string, c change) {
	p := d.of(f)
	if p.elements == nil {
		p.elements = make(map[string]change)
	}
	before := p.elements[text]
	if p.cleared && before.op == changeNone {
		before.op = changeRemove
	}
	if c.op == changeAdd {
		c = before.add(f, c.count)
	} else if c.op == changeSet {
		c.ends = d.endOf(f)
		c = d.fold(f, before, c)
	}
	p.elements[text] = c
	d.judgeElement(p, text)
	d.judgeClear(p)
}

// replaceElements replaces a whole map field.
func (d *draft) replaceElements(f *Field, elements map[string]change) {
	p := d.of(f)
	ends := d.endOf(f)
	for text, c := range elements {
		c.ends = ends
		elements[text] = c
	}
	p.cleared, p.elements = true, elements
	d.judge(p)
}

func (d *draft) takeElements(p *pending) {
	list, _ := d.elements(p.field)
	if p.elements == nil {
		p.elements = make(map[string]change, len(list))
	}
	for _, e := range list {
		d.letGo(p, e.text)
	}
}

// takeElement is take for one element of a map field.
func (d *draft) takeElement(f *Field, text string) {
	p := d.of(f)
	if p.elements == nil {
		p.elements = make(map[string]change)
	}
	if p.cleared {
		p.elements[text] = change{op: changeRemove}
	} else {
		d.letGo(p, text)
	}
	d.judge(p)
}

// letGo lets go what an element reads as, of a map that was not cleared before.
func (d *draft) letGo(p *pending, text string) {
	stored, found := d.storedElement(p.field, text)
	if c := p.elements[text].take(p.field, stored, found); c.op != changeNone {
		p.elements[text] = c
	} else {
		delete(p.elements, text)
	}
}

// judgeElement judges the change of one element. After a clear nothing is stored,
// so there a removal is what has no effect.
func (d *draft) judgeElement(p *pending, text string) {
	c := p.elements[text]
	c.withdrawn = c.op == changeRemove
	if !p.cleared {
		key, was := elementKeys(p.field, text)
		c.withdrawn = d.redundant(p.field, key, was, c)
	}
	p.elements[text] = c
}

// judgeClear withdraws the clearing of a map field together with what was set
// since, if that is what is stored.
func (d *draft) judgeClear(p *pending) {
	p.withdrawn = p.cleared && d.known && d.sameElements(p)
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
		if !ok || c.op == changeRemove || c.err != nil || f.counter && c.count != e.count || !f.counter && !sameValue(f, d.format, e.value, c.value) {
			return false
		}
		same++
	}
	return same == set // false if stored ones do not fit
}
