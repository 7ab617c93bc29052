package runtime

// A draft is the entries of a session as one request sees them: what is stored,
// as far as it is known, with what is pending on top. It has no lock, no context
// and no store: the doors in access.go hand it to the typed fields, and a commit
// turns it into the operations of a delta. The zero value is empty and knows
// nothing.
type draft struct {
	stored  *Record // as last seen; nil: nothing is stored
	known   bool    // stored is what the store has
	pending []pending
	format  Format
	sealer  sealer

	misfits []misfit
}

// pending is what a request has changed in one field and not stored yet.
type pending struct {
	field    *Field
	signIn   bool              // a renew field was set to something
	cleared  bool              // everything stored of a map field goes first
	scalar   change            // of a field that is one entry
	elements map[string]change // of a map field, by the text of the key
}

// change is one operation to come on one entry.
type change struct {
	op    changeOp
	value string // encoded and not sealed
	count int64
	anew  bool  // a set that came of adding to what had been removed
	err   error // makes the commit fail
}

type changeOp uint8

const (
	changeNone changeOp = iota
	changeSet
	changeRemove
	changeAdd  // count, to a counter
	changeFold // value, into the stored one
)

// misfit is a stored value that does not fit its field.
type misfit struct {
	entry    string
	err      error
	reported bool
}

// see takes note of what is stored, nil for nothing, and withdraws what would
// change nothing of it.
func (d *draft) see(r *Record) {
	d.stored, d.known = r, true
	d.withdraw()
}

// forget drops what was seen: the next read has to load.
func (d *draft) forget() { d.stored, d.known = nil, false }

// find returns what is pending of the field, nil for nothing.
func (d *draft) find(f *Field) *pending {
	for i := range d.pending {
		if d.pending[i].field == f {
			return &d.pending[i]
		}
	}
	return nil
}

// dirty reports whether the field has a change that is not stored yet.
func (d *draft) dirty(f *Field) bool {
	p := d.find(f)
	return p != nil && !p.empty()
}

func (p *pending) empty() bool {
	return !p.cleared && p.scalar.op == changeNone && len(p.elements) == 0
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
