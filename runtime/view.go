package runtime

import (
	"maps"
	"slices"
)

// How a session is read: what is stored, with what is pending on top.

// element is one element of a map field as the session sees it.
type element struct {
	text  string
	value string
	count int64
}

// scalar returns a field of one entry as the session sees it.
func (s *Session) scalar(f *Field) (value string, ok bool) {
	s.lock()
	defer s.unlock()
	return s.seeScalar(f)
}

func (s *Session) takeScalar(f *Field) (value string, ok bool) {
	s.lock()
	defer s.unlock()
	if value, ok = s.seeScalar(f); ok {
		s.clear(f)
	}
	return value, ok
}

func (s *Session) seeScalar(f *Field) (value string, ok bool) {
	c := s.pendingScalar(f)
	if c.op == changeNone || c.op == changeFold {
		s.look()
		c = s.pendingScalar(f) // what the load left of it
	}
	switch c.op {
	case changeSet:
		return c.value, true
	case changeRemove:
		return "", false
	}
	s.reportShape(f)
	stored, ok := s.stored(f, f.Key, f.Was)
	if c.op == changeNone {
		return stored, ok
	}
	folded, err := s.foldStored(f, stored, c.value)
	return folded, err == nil
}

func (s *Session) pendingScalar(f *Field) change {
	if p := s.find(f); p != nil {
		return p.scalar.shown()
	}
	return change{}
}

// shown returns what a read sees of the change: nothing of one that cannot be
// stored.
func (c change) shown() change {
	if c.err != nil {
		return change{}
	}
	return c
}

// count returns a counter as the session sees it.
func (s *Session) count(f *Field) (n int64, ok bool) {
	s.lock()
	defer s.unlock()
	return s.seeCount(f)
}

func (s *Session) takeCount(f *Field) (n int64, ok bool) {
	s.lock()
	defer s.unlock()
	if n, ok = s.seeCount(f); ok {
		s.clear(f)
	}
	return n, ok
}

func (s *Session) seeCount(f *Field) (n int64, ok bool) {
	c := s.pendingScalar(f)
	if c.op == changeSet || c.op == changeRemove {
		return c.count, c.op == changeSet
	}
	s.look()
	s.reportShape(f)
	stored, found := s.storedCount(f.Key, f.Was)
	if c.op == changeNone {
		return stored, found
	}
	return addSaturated(stored, c.count), true
}

// element returns one element of a map field as the session sees it.
func (s *Session) element(f *Field, text string) (element, bool) {
	s.lock()
	defer s.unlock()
	c, cleared := s.pendingElement(f, text)
	if !cleared && (c.op == changeNone || c.op == changeAdd) {
		s.look()
		c, cleared = s.pendingElement(f, text)
	}
	e := element{text: text}
	found := false
	if !cleared {
		s.reportShape(f)
		e, found = s.storedElement(f, text)
	}
	return c.onto(e, found)
}

func (s *Session) pendingElement(f *Field, text string) (c change, cleared bool) {
	if p := s.find(f); p != nil {
		return p.elements[text].shown(), p.cleared
	}
	return change{}, false
}

// onto returns what the change makes of an element.
func (c change) onto(e element, found bool) (element, bool) {
	switch c.op {
	case changeSet:
		return element{text: e.text, value: c.value, count: c.count}, true
	case changeRemove:
		return element{}, false
	case changeAdd:
		return element{text: e.text, count: addSaturated(e.count, c.count)}, true
	}
	return e, found
}

// elements returns a map field as the session sees it, in no particular order.
func (s *Session) elements(f *Field) []element {
	s.lock()
	defer s.unlock()
	return s.seeElements(f)
}

func (s *Session) takeElements(f *Field) []element {
	s.lock()
	defer s.unlock()
	list := s.seeElements(f)
	if len(list) > 0 {
		s.clear(f)
	}
	return list
}

func (s *Session) seeElements(f *Field) []element {
	if p := s.find(f); p == nil || !p.cleared {
		s.look()
	}
	p := s.find(f)
	var stored []element
	if p == nil || !p.cleared {
		s.reportShape(f)
		stored = s.storedElements(f)
	}
	if p == nil || len(p.elements) == 0 {
		return stored
	}
	seen := make(map[string]element, len(stored)+len(p.elements))
	for _, e := range stored {
		seen[e.text] = e
	}
	for text, c := range p.elements {
		e, found := seen[text]
		e.text = text
		if e, found = c.shown().onto(e, found); found {
			seen[text] = e
		} else {
			delete(seen, text)
		}
	}
	return slices.Collect(maps.Values(seen))
}

func addSaturated(a, b int64) int64 {
	sum, ok := addCounts(a, b)
	if ok {
		return sum
	}
	least, most := bounds[int64]()
	if b < 0 {
		return least
	}
	return most
}
