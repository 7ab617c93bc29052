package runtime

import "errors"

// What the loaded record holds of a field, under its key or an earlier one.

var (
	errKind  = errors.New("a counter where a value belongs, or the reverse")
	errShape = errors.New("elements of a map where one value belongs, or the reverse")
)

// holds reports whether anything is stored under one of the keys.
func (s *Session) holds(key, was string) bool {
	_, found := s.current(key, was)
	return found
}

// current returns the entry under the key, else the one under the earlier key.
func (s *Session) current(key, was string) (Entry, bool) {
	e, found := s.entry(key)
	if !found && was != "" {
		e, found = s.entry(was)
	}
	return e, found
}

func (s *Session) entry(key string) (Entry, bool) {
	if s.record == nil {
		return Entry{}, false
	}
	return s.record.Entries.Get(key)
}

// stored returns the encoded value under the key, else under the earlier one.
func (s *Session) stored(f *Field, key, was string) (value string, found bool) {
	e, found := s.current(key, was)
	if !found {
		return "", false
	}
	value, err := s.open(f, e)
	if err != nil {
		s.misfit(e.Key, err)
		return "", false
	}
	return value, true
}

// open returns the value of an entry, unsealed where the field is secret.
func (s *Session) open(f *Field, e Entry) (string, error) {
	if e.Kind == CounterEntry {
		return "", errKind
	}
	if !f.Secret || s.engine.store == nil {
		return e.Value, nil
	}
	return s.engine.ring.open(place{s.engine.kind, s.id, e.Key}, s.format(), e.Value)
}

// misshapen reports whether something is stored under the field's key in another
// shape: elements of what is one entry now, or the reverse.
func (s *Session) misshapen(f *Field) bool {
	if f.mapped {
		_, found := s.entry(f.Key)
		return found
	}
	return s.record != nil && s.record.Entries.hasElements(f.elements)
}

// reportShape tells that what is stored of the field has another shape.
func (s *Session) reportShape(f *Field) {
	if s.misshapen(f) {
		s.misfit(f.Key, errShape)
	}
}

// foldStored merges a pending value into the stored one. A stored value that
// does not fit counts as absent.
func (s *Session) foldStored(f *Field, stored, pending string) (string, error) {
	folded, err := f.fold(s.format(), stored, pending)
	if misfit, ok := err.(misfitError); ok {
		s.misfit(f.Key, misfit.error)
		return f.fold(s.format(), "", pending)
	}
	return folded, err
}

// storedCount returns the counters under both keys together.
func (s *Session) storedCount(key, was string) (n int64, found bool) {
	n, found = s.counterAt(key)
	if was == "" {
		return n, found
	}
	earlier, also := s.counterAt(was)
	return addSaturated(n, earlier), found || also
}

func (s *Session) counterAt(key string) (n int64, found bool) {
	e, found := s.entry(key)
	if found && e.Kind != CounterEntry {
		s.misfit(e.Key, errKind)
		return 0, false
	}
	return e.Count, found
}

// storedElement returns one element of a map field.
func (s *Session) storedElement(f *Field, text string) (element, bool) {
	key, was := f.elementKeys(text)
	e := element{text: text}
	var found bool
	if f.counter {
		e.count, found = s.storedCount(key, was)
	} else {
		e.value, found = s.stored(f, key, was)
	}
	return e, found
}

// storedElements returns every element of a map field, each once.
func (s *Session) storedElements(f *Field) []element {
	if s.record == nil {
		return nil
	}
	stored := s.record.Entries.elements(f.elements)
	list := make([]element, 0, stored.len())
	for e := range stored.all() {
		text := e.Key[len(f.elements):]
		if f.Was == "" || !f.counter {
			list = s.appendElement(list, f, text, e)
		} else if sum, ok := s.storedElement(f, text); ok {
			list = append(list, sum)
		}
	}
	if f.Was == "" {
		return list
	}
	for e := range s.record.Entries.elements(f.wasElements).all() {
		if text := e.Key[len(f.wasElements):]; !s.holds(f.elements+text, "") {
			list = s.appendElement(list, f, text, e)
		}
	}
	return list
}

// countElements counts the stored elements of a map field, also those that do
// not fit it.
func (s *Session) countElements(f *Field) int {
	if s.record == nil {
		return 0
	}
	n := s.record.Entries.elements(f.elements).len()
	if f.Was == "" {
		return n
	}
	for e := range s.record.Entries.elements(f.wasElements).all() {
		if text := e.Key[len(f.wasElements):]; !s.holds(f.elements+text, "") {
			n++
		}
	}
	return n
}

// appendElement appends what one entry holds, if that fits the field.
func (s *Session) appendElement(list []element, f *Field, text string, e Entry) []element {
	el := element{text: text, count: e.Count}
	var err error
	if !f.counter {
		el.value, err = s.open(f, e)
	} else if e.Kind != CounterEntry {
		err = errKind
	}
	if err != nil {
		s.misfit(e.Key, err)
		return list
	}
	return append(list, el)
}
