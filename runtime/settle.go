package runtime

import (
	"errors"
	"slices"
)

// How a pending change that would leave the record as it is, is withdrawn.

// settle withdraws every pending change that would leave the record as it is.
func (s *Session) settle() {
	for i := range s.pending {
		s.settlePending(&s.pending[i])
	}
	s.dropEmpty()
}

func (s *Session) settleField(p *pending) {
	s.settlePending(p)
	s.dropEmpty()
}

// dropEmpty removes what has nothing pending any more. A sign-in stays: the call
// itself is what renews.
func (s *Session) dropEmpty() {
	s.pending = slices.DeleteFunc(s.pending, func(p pending) bool { return p.empty() && !p.signIn })
}

func (s *Session) settlePending(p *pending) {
	if !p.field.mapped {
		if s.redundant(p.field, p.field.Key, p.field.Was, p.scalar) {
			p.scalar = change{}
		}
		return
	}
	for text := range p.elements {
		s.settleElement(p, text)
	}
	s.settleCleared(p)
}

// settleCleared withdraws the clearing of a map field together with what was set
// since, where that is what is stored.
func (s *Session) settleCleared(p *pending) {
	if p.cleared && s.settled() && s.sameElements(p) {
		p.cleared, p.elements = false, nil
	}
}

// settleElement withdraws the change of one element. After a clear nothing is
// stored, so there a removal is what has no effect.
func (s *Session) settleElement(p *pending, text string) {
	c := p.elements[text]
	redundant := c.op == changeRemove
	if !p.cleared {
		key, was := p.field.elementKeys(text)
		redundant = s.redundant(p.field, key, was, c)
	}
	if redundant {
		delete(p.elements, text)
	}
}

// redundant reports whether the change would leave what is stored as it is.
func (s *Session) redundant(f *Field, key, was string, c change) bool {
	switch {
	case c.op == changeNone, c.err != nil && !errors.Is(c.err, ErrTooLarge):
		return false
	case c.op == changeAdd:
		return c.count == 0
	case !s.settled() || s.blocked != nil || !f.mapped && s.misshapen(f):
		return false
	case c.op == changeRemove:
		return !s.holds(key, was)
	case f.counter:
		n, found := s.storedCount(key, was)
		return found && n == c.count
	}
	return s.sameStored(f, key, was, c)
}

// sameStored reports whether setting or folding in a value would store what is
// stored. A value that is not indexed yet is to become so.
func (s *Session) sameStored(f *Field, key, was string, c change) bool {
	stored, found := s.stored(f, key, was)
	if e, _ := s.current(key, was); found && f.Index && e.Kind != IndexedEntry {
		return false
	}
	if c.op == changeSet {
		return found && s.sameValue(f, stored, c.value)
	}
	folded, err := s.foldStored(f, stored, c.value)
	return err == nil && (s.sameValue(f, stored, folded) || !found && folded == f.defaults[s.format()])
}

// sameElements reports whether clearing the map and setting its elements would
// store what is stored.
func (s *Session) sameElements(p *pending) bool {
	f := p.field
	if s.countElements(f) != len(p.elements) || s.misshapen(f) {
		return false
	}
	same := 0
	for _, e := range s.storedElements(f) {
		c, ok := p.elements[e.text]
		if !ok || c.err != nil || f.counter && c.count != e.count || !f.counter && !s.sameValue(f, e.value, c.value) {
			return false
		}
		same++
	}
	return same == len(p.elements) // not where stored ones do not fit
}

// sameValue compares encodings. In JSON a store may have spelled the value in
// its own way.
func (s *Session) sameValue(f *Field, stored, value string) bool {
	if stored == value {
		return true
	}
	if s.format() != JSON || stored == "" || f.canonical == nil {
		return false
	}
	spelled, err := f.canonical(s.format(), stored)
	return err == nil && spelled == value
}
