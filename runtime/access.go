package runtime

// The doors through which typed fields reach the draft of a session. They hold
// the lock, load if need be, and ask whether the session still takes changes.

// read reads a field, loading first unless what is pending answers.
func read[T any](s *Session, f *Field, of func(*draft, *Field) (T, bool)) (v T, ok bool) {
	s.lock()
	defer s.unlock()
	if !s.draft.answers(f) {
		s.look()
	}
	return of(&s.draft, f)
}

// take reads a part, and what was read goes from it.
func take[T any](s *Session, p part, of func(*draft, *Field) (T, bool)) (v T, ok bool) {
	s.lock()
	defer s.unlock()
	if !p.answered(&s.draft) {
		s.look()
	}
	if v, ok = of(&s.draft, p.Field); ok && s.takesChanges(p.Key) {
		s.makeRoom()
		p.take(&s.draft)
	}
	return v, ok
}

// readElement reads one element of a map field.
func (s *Session) readElement(f *Field, text string) (element, bool) {
	s.lock()
	defer s.unlock()
	if !s.draft.answersElement(f, text) {
		s.look()
	}
	return s.draft.element(f, text)
}

// takeElement is readElement, and what was read goes from the map.
func (s *Session) takeElement(f *Field, text string) (element, bool) {
	return take(s, f.elementOf(text), func(d *draft, f *Field) (element, bool) { return d.element(f, text) })
}

// write changes a field, unless the session no longer takes changes. If that is
// the first use, room for the change comes with the rest.
func (s *Session) write(f *Field, change func(*draft)) {
	s.lockToWrite()
	defer s.unlock()
	if s.takesChanges(f.Key) {
		s.makeRoom()
		change(&s.draft)
	}
}

// makeRoom prepares the draft for a first change.
func (s *Session) makeRoom() {
	if s.draft.pending != nil {
		return
	}
	if s.spare == nil {
		s.spare = &commitRoom{}
	}
	s.draft.pending = s.spare.pending[:0]
}

// setElement changes one element of a map field.
func (f *Field) setElement(s *Session, text string, c change) {
	s.write(f, func(d *draft) { d.setElement(f, text, c) })
}

// replaceElements replaces a whole map field.
func (f *Field) replaceElements(s *Session, elements map[string]change) {
	s.write(f, func(d *draft) { d.replaceElements(f, elements) })
}

// reportMisfit reports once that a stored value does not fit its field.
func reportMisfit(s *Session, entry string, err error) {
	s.lock()
	defer s.unlock()
	s.draft.misfit(entry, err)
}

// Clear resets the field to its default and removes it from the store.
func (f *Field) Clear(s *Session) { s.write(f, func(d *draft) { d.clear(f) }) }

// Dirty reports whether the field has a change that is not stored yet.
func (f *Field) Dirty(s *Session) bool {
	s.lock()
	defer s.unlock()
	return s.draft.dirty(f)
}
