package runtime

import "maps"

// part is a field as a whole, or one element of a map field, for what is done with
// either in the same way.
type part struct {
	*Field
	element bool
	text    string // of the element's key
}

// whole returns the field as a part.
func whole(f *Field) part { return part{Field: f} }

// elementOf returns one element of a map field as a part.
func elementOf(f *Field, text string) part { return part{f, true, text} }

// answered reports whether what is pending alone says what the part is.
func (p part) answered(d *draft) bool {
	if p.element {
		return d.answersElement(p.Field, p.text)
	}
	return d.answers(p.Field)
}

// stored reports whether something is stored of the part, as far as is known.
func (p part) stored(d *draft) (found bool) {
	switch {
	case p.element:
		_, found = d.storedElement(p.Field, p.text)
	case p.mapped:
		found = len(d.storedElements(p.Field)) > 0
	default:
		_, found = d.storedEntry(p.Field, p.Key, p.Was)
	}
	return found
}

// take lets go what the part reads as.
func (p part) take(d *draft) {
	if p.element {
		d.takeElement(p.Field, p.text)
	} else {
		d.take(p.Field)
	}
}

// set sets the part, or folds into it if the field's merge asks for that.
func (p part) set(d *draft, value string) {
	if p.element {
		d.setElement(p.Field, p.text, change{op: changeSet, value: value})
	} else {
		d.set(p.Field, value, nil)
	}
}

// split returns what is pending of the part, and all the rest, and leaves the list
// as it is. An element of a map that is cleared cannot go without the others.
func (p part) split(list []pending) (own, rest []pending) {
	for _, q := range list {
		all := q.elements
		q.elements = maps.Clone(all)
		switch c, changed := all[p.text]; {
		case q.field != p.Field:
			rest = append(rest, q)
		case !p.element || q.cleared:
			own = append(own, q)
		case changed:
			own = append(own, pending{field: p.Field, elements: map[string]change{p.text: c}})
			delete(q.elements, p.text)
			fallthrough
		default:
			rest = append(rest, q)
		}
	}
	return own, rest
}
