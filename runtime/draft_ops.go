package runtime

import (
	"maps"
	"slices"
)

// How what is pending becomes the operations of a delta.

// ops appends the operations to list: whole fields are cleared first, then each
// entry is touched at most once, plus the entry it had under an earlier key. With
// them come the bounds that the store has to check.
func (d *draft) ops(list []Op) ([]Op, []Limit, error) {
	list = slices.Grow(list, len(d.pending))
	for i := range d.pending {
		switch p := &d.pending[i]; {
		case p.clears():
			list = appendFor(list, Op{Kind: OpClear, Entry: Entry{Key: p.field.Key}}, p.field.Was)
		case p.changes() && d.misshapen(p.field):
			list = append(list, clearShape(p.field))
		}
	}
	for i := range d.pending {
		var err error
		if list, err = d.appendOps(list, &d.pending[i]); err != nil {
			return nil, nil, err
		}
	}
	return list, d.limits(), nil
}

// limits bounds the maps that change: one may grow under writes that do not know its
// size.
func (d *draft) limits() (list []Limit) {
	for i := range d.pending {
		if f := d.pending[i].field; f.mapped && f.Max > 0 && d.pending[i].changes() {
			list = append(list, Limit{Field: f.Key, Max: f.Max})
		}
	}
	return list
}

// on returns what the operations make of entries, within the limits. The list and
// the delta are room for them.
func (d *draft) on(before Entries, list []Op, delta *Delta, maxBytes int) (Entries, error) {
	ops, limits, err := d.ops(list)
	if err != nil {
		return before, err
	}
	*delta = Delta{Ops: ops, Limits: limits, MaxBytes: maxBytes}
	entries, _, err := before.apply(delta)
	return entries, err
}

// clearShape removes what is stored of the field in a shape that it no longer
// has.
func clearShape(f *Field) Op {
	op := Op{Kind: OpClear, Entry: Entry{Key: f.Key}}
	if f.mapped {
		op.Kind = OpRemove // and not the elements
	}
	return op
}

// appendFor appends the operation, and the same one on the earlier key.
func appendFor(list []Op, op Op, was string) []Op {
	list = append(list, op)
	if was == "" {
		return list
	}
	kind := OpRemove
	if op.Kind == OpClear {
		kind = OpClear
	}
	return append(list, Op{Kind: kind, Entry: Entry{Key: was}})
}

func (d *draft) appendOps(list []Op, p *pending) ([]Op, error) {
	f := p.field
	switch {
	case p.signIn: // also of whom the record had: somebody may have signed out since
		return d.appendOp(list, f, f.Key, f.Was, p.scalar)
	case !f.mapped:
		return d.appendOp(list, f, f.Key, f.Was, p.scalar.effective())
	}
	list, gone := d.appendTidying(list, p)
	for _, text := range slices.Sorted(maps.Keys(p.elements)) {
		key, was := elementKeys(f, text)
		if slices.Contains(gone, text) {
			continue
		}
		if p.cleared {
			was = ""
		}
		var err error
		if list, err = d.appendOp(list, f, key, was, p.element(text)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// appendTidying removes the elements that have ended and those that are crowded out,
// and returns those of which what is pending is not stored either: it is crowded out,
// or has ended, too.
func (d *draft) appendTidying(list []Op, p *pending) (_ []Op, gone []string) {
	f := p.field
	if f.TTL == 0 || !p.changes() {
		return list, nil
	}
	for _, e := range crowdedOut(f, d.allElements(f)) {
		gone = append(gone, e.text)
	}
	for _, text := range slices.Sorted(maps.Keys(p.elements)) {
		if c := p.element(text); c.op == changeSet && !d.lasts(c.ends) {
			gone = append(gone, text)
		}
	}
	if p.cleared {
		return list, gone
	}
	tidied := slices.Sorted(slices.Values(slices.Concat(gone, d.endedElements(f))))
	for _, text := range slices.Compact(tidied) {
		key, was := elementKeys(f, text)
		_, stored := d.current(key, was)
		if stored && (p.element(text).op == changeNone || slices.Contains(gone, text)) {
			list = d.appendIf(list, f, key, was, change{}, false)
		}
	}
	return list, gone
}

func (d *draft) appendOp(list []Op, f *Field, key, was string, c change) ([]Op, error) {
	if c.err != nil {
		return nil, asFieldError(f, c.err)
	}
	switch c.op {
	case changeNone:
		return list, nil
	case changeAdd:
		if d.goes(f, key, was, c) {
			return d.appendIf(list, f, key, was, change{count: c.count}, c.count != 0), nil
		}
		add := Op{Kind: OpAdd, Entry: Entry{Key: key, Kind: CounterEntry, Count: c.count}, DropZero: !f.mapped}
		return append(list, add), nil
	case changeRemove:
		return appendFor(list, Op{Kind: OpRemove, Entry: Entry{Key: key}}, was), nil
	case changeFold:
		return d.appendFold(list, f, key, was, c)
	default:
		return appendFor(list, Op{Kind: OpSet, Entry: d.newEntry(f, key, c)}, was), nil
	}
}

// appendFold merges the pending value into the stored one, on condition that
// this is still what is stored.
func (d *draft) appendFold(list []Op, f *Field, key, was string, c change) ([]Op, error) {
	stored, found := d.storedEntry(f, key, was)
	merged, err := d.merged(f, c, stored, found)
	if err != nil {
		return nil, asFieldError(f, err)
	}
	remains := merged.value != "" && merged.value != f.defaults[d.format]
	return d.appendIf(list, f, key, was, change{value: merged.value, ends: merged.ends}, remains), nil
}

// goes reports whether a counter that was taken is still the same.
func (d *draft) goes(f *Field, key, was string, c change) bool {
	stored, found := d.storedEntry(f, key, was)
	_, remains := d.left(f, c, stored, found)
	return found && !remains
}

// appendIf sets the entry, or removes it if nothing remains, on condition that what
// is stored is still as the loaded record has it.
func (d *draft) appendIf(list []Op, f *Field, key, was string, c change, remains bool) []Op {
	op := Op{Kind: OpRemove, Entry: Entry{Key: key}}
	if remains {
		op.Kind, op.Entry = OpSet, d.newEntry(f, key, c)
	}
	op.If = d.condition(key)
	list = appendFor(list, op, was)
	if was != "" {
		list[len(list)-1].If = d.condition(was)
	}
	return list
}

// condition demands that the entry is as the loaded record has it.
func (d *draft) condition(key string) *Condition {
	e, found := d.current(key, "")
	return &Condition{Absent: !found, Counter: e.Kind == CounterEntry, Value: e.Value, Count: e.Count}
}

// newEntry is the entry that a set stores.
func (d *draft) newEntry(f *Field, key string, c change) Entry {
	if f.TTL > 0 {
		c.value = withEnd(d.format, c.ends, c.value)
	}
	switch {
	case f.counter:
		return Entry{Key: key, Kind: CounterEntry, Count: c.count}
	case f.Secret:
		return Entry{Key: key, Value: d.sealer.seal(d.format, key, c.value)}
	case f.Index:
		return Entry{Key: key, Kind: IndexedEntry, Value: c.value}
	default:
		return Entry{Key: key, Value: c.value}
	}
}

func asFieldError(f *Field, err error) error {
	if limit, ok := err.(*LimitError); ok {
		return limit
	}
	return &FieldError{Field: f.Key, Err: err}
}
