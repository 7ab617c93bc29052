package runtime

// How a draft is changed. A later change of an entry replaces or folds into what
// is pending of it.

// of returns what is pending of the field for a change to come. The caller judges
// whether it is one.
func (d *draft) of(f *Field) *pending {
	if p := d.find(f); p != nil {
		return p
	}
	d.pending = append(d.pending, pending{field: f})
	return &d.pending[len(d.pending)-1]
}

// clear brings a field back to its default.
func (d *draft) clear(f *Field) {
	p := d.of(f)
	p.signIn = false
	if f.mapped {
		p.cleared, p.elements = true, nil
	} else {
		p.scalar = change{op: changeRemove}
	}
	d.judge(p)
}

// take lets go what the field reads as: what is pending of it, and what is stored
// if that is still the same at the commit.
func (d *draft) take(f *Field) {
	p := d.of(f)
	p.signIn = false
	if f.mapped {
		d.takeElements(p)
	} else {
		stored, found := d.storedEntry(f, f.Key, f.Was)
		p.scalar = p.scalar.take(f, stored, found)
	}
	d.judge(p)
}

// take returns the change that leaves nothing of an entry as it reads now. What
// was set or removed before is absolute, and so it stays.
func (c change) take(f *Field, stored content, found bool) change {
	switch {
	case c.absolute() && c.err == nil:
		return change{op: changeRemove}
	case !found:
		return change{}
	case f.counter:
		return change{op: changeAdd, taken: &stored}
	default:
		return change{op: changeFold, taken: &stored}
	}
}

// set sets a field of one entry, or folds into it if the field's merge asks for
// that.
func (d *draft) set(f *Field, value string, err error) {
	p := d.of(f)
	d.setScalar(p, d.fold(f, p.scalar, change{op: changeSet, value: value, ends: d.endOf(f), err: err}))
}

// replace sets a field of one entry, whatever its merge.
func (d *draft) replace(f *Field, value string, err error) {
	d.setScalar(d.of(f), change{op: changeSet, value: value, ends: d.endOf(f), err: err})
}

// endOf returns when a value ends that the field is given now.
func (d *draft) endOf(f *Field) int64 {
	if f.TTL == 0 {
		return 0
	}
	return d.clock.read().Add(f.TTL).UnixNano()
}

// fold merges a new value into what is pending already. After a set or a clear
// the result is absolute, otherwise it is merged into the stored value.
func (d *draft) fold(f *Field, before, set change) change {
	switch {
	case f.fold == nil || set.err != nil:
		return set
	case before.err != nil:
		return before
	case !d.lasts(before.ends):
		before = change{op: changeRemove}
	}
	stored := ""
	switch before.op {
	case changeNone:
		set.op = changeFold
	case changeFold, changeSet:
		set.op, set.taken, stored = before.op, before.taken, before.value
	}
	set.value, set.err = f.fold(d.format, stored, set.value)
	return set
}

func (d *draft) setScalar(p *pending, c change) {
	isDefault := c.err == nil && c.value == p.field.defaults[d.format]
	if c.op == changeSet && isDefault {
		c = change{op: changeRemove}
	}
	p.scalar = c
	p.signIn = p.field.Renew && !isDefault
	d.judge(p)
}

func (d *draft) setCount(f *Field, n int64) {
	p := d.of(f)
	p.scalar = setCounter(n)
	d.judge(p)
}

func (d *draft) addCount(f *Field, delta int64) {
	p := d.of(f)
	p.scalar = p.scalar.add(f, delta)
	if p.scalar.op == changeSet && p.scalar.err == nil {
		p.scalar = setCounter(p.scalar.count)
	}
	d.judge(p)
}

// setCounter sets a scalar counter: one that is 0 is not stored.
func setCounter(n int64) change {
	if n == 0 {
		return change{op: changeRemove}
	}
	return change{op: changeSet, count: n}
}

// add folds an addition into what is pending of the same counter.
func (c change) add(f *Field, delta int64) change {
	switch c.op {
	case changeNone:
		return change{op: changeAdd, count: delta}
	case changeRemove:
		c = change{op: changeSet, anew: true}
	}
	sum, ok := addCounts(c.count, delta)
	switch {
	case !ok:
		c.err = &LimitError{Field: f.Key, Err: ErrOverflow}
	case sum == 0 && c.anew:
		return change{op: changeRemove}
	default:
		c.count = sum
	}
	return c
}
