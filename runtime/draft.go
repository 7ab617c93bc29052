package runtime

import "errors"

// A draft is the entries of a session as one request sees them: what is stored,
// as far as it is known, with what is pending on top. It has no lock, no context
// and no store: the doors in access.go hand it to the typed fields, and a commit
// turns it into the operations of a delta. The zero value is empty and knows
// nothing; fields with a TTL need its clock.
type draft struct {
	stored  *Record // as last seen; nil: nothing is stored
	known   bool    // stored is what the store has
	format  Format
	pending []pending
	sealer  sealer
	clock   *clock // for fields with a TTL

	misfits []misfit
}

// pending is what a request has changed in one field and not stored yet. What
// would leave the record as it is, is withdrawn: it stays here, because it counts
// again if the record turns out to be another one, but it is no change.
type pending struct {
	field     *Field
	signIn    bool              // a renew field was set to something
	cleared   bool              // everything stored of a map field goes first
	withdrawn bool              // the clearing, and what was set since is what is stored
	scalar    change            // of a field that is one entry
	elements  map[string]change // of a map field, by the text of the key
}

// change is one operation to come on one entry.
type change struct {
	op        changeOp
	anew      bool   // a set that came of adding to what had been removed
	withdrawn bool   // it would leave the entry as it is
	value     string // encoded and not sealed
	count     int64
	ends      int64    // of the value, in nanoseconds since 1970; 0: it does not
	taken     *content // what was read of the stored one and goes if that still has it; nil: nothing
	err       error    // makes the commit fail
}

type changeOp uint8

const (
	changeNone changeOp = iota
	changeSet
	changeRemove
	changeAdd  // count, to a counter
	changeFold // value, into the stored one; none: only what was taken goes
)

// misfit is a stored value that does not fit its field.
type misfit struct {
	entry    string
	err      error
	reported bool
}

var errSaturated = errors.New("the counter is beyond the range of its field's type, and was read as its nearest value")

func (m *misfit) kind() EventKind {
	if m.err == errSaturated {
		return EventSaturated
	}
	return EventMisfit
}

// changes reports whether anything is pending that is a change, or a sign-in: that
// renews by itself.
func (d *draft) changes() bool {
	return anyPending(d.pending, func(p *pending) bool { return p.signIn || p.changes() })
}

func anyPending(list []pending, is func(*pending) bool) bool {
	for i := range list {
		if is(&list[i]) {
			return true
		}
	}
	return false
}

// dirty reports whether the field has a change that is not stored yet.
func (d *draft) dirty(f *Field) bool {
	p := d.find(f)
	return p != nil && p.changes()
}

func (p *pending) changes() bool {
	return p.clears() || p.any(func(c change) bool { return c.op != changeNone })
}

// any reports whether a change that is not withdrawn is such.
func (p *pending) any(is func(change) bool) bool {
	if is(p.scalar.effective()) {
		return true
	}
	for text := range p.elements {
		if is(p.element(text)) {
			return true
		}
	}
	return false
}

// clears reports whether the stored elements of a map field are to go.
func (p *pending) clears() bool { return p.cleared && !p.withdrawn }

// effective returns the change, or none if it is withdrawn.
func (c change) effective() change {
	if c.withdrawn {
		return change{}
	}
	return c
}

// element returns the change of one element of a map field.
func (p *pending) element(text string) change {
	if p.withdrawn {
		return change{}
	}
	return p.elements[text].effective()
}

// misfit notes, once for each entry, that a stored value does not fit its field.
func (d *draft) misfit(entry string, err error) {
	for _, noted := range d.misfits {
		if noted.entry == entry {
			return
		}
	}
	d.misfits = append(d.misfits, misfit{entry: entry, err: err})
}
