package runtime

// What a request has changed and not stored yet.

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

func (p *pending) empty() bool {
	return !p.cleared && p.scalar.op == changeNone && len(p.elements) == 0
}

// find returns what is pending of the field, nil for nothing.
func (s *Session) find(f *Field) *pending {
	for i := range s.pending {
		if s.pending[i].field == f {
			return &s.pending[i]
		}
	}
	return nil
}

// writing returns the pending change of the field for a setter to change, or nil
// where the session is closed. The caller settles it.
func (s *Session) writing(f *Field) *pending {
	if !s.mayChange(f.Key) {
		return nil
	}
	if p := s.find(f); p != nil {
		return p
	}
	if s.pending == nil {
		if s.commitment == nil {
			s.commitment = &commitment{}
		}
		s.pending = s.commitment.pending[:0]
	}
	s.pending = append(s.pending, pending{field: f})
	return &s.pending[len(s.pending)-1]
}

func (s *Session) clear(f *Field) {
	p := s.writing(f)
	if p == nil {
		return
	}
	p.signIn = false
	if f.mapped {
		p.cleared, p.elements = true, nil
	} else {
		p.scalar = change{op: changeRemove}
	}
	s.settleField(p)
}

func (s *Session) dirtyField(f *Field) bool {
	p := s.find(f)
	return p != nil && !p.empty()
}

// setScalar sets a field of one entry, or folds into it where the field's merge
// asks for that.
func (s *Session) setScalar(f *Field, value string, err error) {
	s.lockToWrite()
	defer s.unlock()
	p := s.writing(f)
	if p == nil {
		return
	}
	p.scalar = s.foldPending(f, p.scalar, change{op: changeSet, value: value, err: err})
	s.afterSet(p)
}

// replaceScalar sets a field of one entry, whatever its merge.
func (s *Session) replaceScalar(f *Field, value string, err error) {
	s.lockToWrite()
	defer s.unlock()
	if p := s.writing(f); p != nil {
		p.scalar = change{op: changeSet, value: value, err: err}
		s.afterSet(p)
	}
}

// foldPending merges a new value into what is pending already. After a set or a
// clear the result is absolute, otherwise it is merged into the stored value.
func (s *Session) foldPending(f *Field, before, set change) change {
	switch {
	case f.fold == nil || set.err != nil:
		return set
	case before.err != nil:
		return before
	}
	stored := ""
	switch before.op {
	case changeNone:
		set.op = changeFold
	case changeFold, changeSet:
		set.op, stored = before.op, before.value
	}
	set.value, set.err = f.fold(s.format(), stored, set.value)
	return set
}

func (s *Session) afterSet(p *pending) {
	c := &p.scalar
	isDefault := c.err == nil && c.value == p.field.defaults[s.format()]
	if c.op == changeSet && isDefault {
		*c = change{op: changeRemove}
	}
	p.signIn = p.field.Renew && !isDefault
	s.settleField(p)
}

func (s *Session) setCount(f *Field, n int64) {
	s.lockToWrite()
	defer s.unlock()
	if p := s.writing(f); p != nil {
		p.scalar = setCounter(n)
		s.settleField(p)
	}
}

func (s *Session) addCount(f *Field, delta int64) {
	s.lockToWrite()
	defer s.unlock()
	p := s.writing(f)
	if p == nil {
		return
	}
	p.scalar = p.scalar.add(f, delta)
	if p.scalar.op == changeSet && p.scalar.err == nil {
		p.scalar = setCounter(p.scalar.count)
	}
	s.settleField(p)
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

// setElement changes one element of a map field.
func (s *Session) setElement(f *Field, text string, c change) {
	s.lockToWrite()
	defer s.unlock()
	p := s.writing(f)
	if p == nil {
		return
	}
	if p.elements == nil {
		p.elements = make(map[string]change)
	}
	if c.op == changeAdd {
		before := p.elements[text]
		if p.cleared && before.op == changeNone {
			before.op = changeRemove
		}
		c = before.add(f, c.count)
	}
	p.elements[text] = c
	s.settleElement(p, text)
	s.settleCleared(p)
	s.dropEmpty()
}

// replaceElements replaces a whole map field.
func (s *Session) replaceElements(f *Field, elements map[string]change) {
	s.lockToWrite()
	defer s.unlock()
	if p := s.writing(f); p != nil {
		p.cleared, p.elements = true, elements
		s.settleField(p)
	}
}
