package runtime

// The doors through which typed fields reach the draft of a session. They hold
// the lock, load if need be, and ask whether the session still takes changes.

// lock begins every use of the session. The first one looks at the cookie.
func (s *Session) lock() {
	s.mu.Lock()
	if s.state == nil {
		s.touch(s.engine.newState())
	}
}

// newState returns room for what a session knows, with some for the context of a load
// that may wait.
func (e *engine) newState() *state {
	s, first := withContext[state](e)
	s.first = first
	return s
}

// lockToWrite is lock for changing a field. If that is the first use, room for
// the change comes with the rest.
func (s *Session) lockToWrite() {
	s.mu.Lock()
	if s.state == nil {
		both := &struct {
			state
			commitRoom
		}{}
		both.state.spare = &both.commitRoom
		s.touch(&both.state)
	}
}

func (s *Session) touch(room *state) {
	s.state = room
	s.draft.format, s.draft.clock = s.engine.format, s.engine.clock
	s.draft.sealer = sealer{ring: s.engine.ring, id: &s.id}
	s.draft.known = true // that nothing is stored: the first sight is absent
	s.identify()
}

// identify looks at the cookie.
func (s *Session) identify() {
	i, what := presentedBy(s.engine.carrier, s.brought, s.engine.kind)
	switch what {
	case oneToken:
		s.become(i, unseen)
	case malformedCookie:
		s.report(EventMalformedCookie, "", nil)
	case severalCookies:
		s.report(EventDuplicateCookie, "", nil)
		s.compete(s.engine.rivals(s.brought))
	}
}

// unlock calls back only after the lock is free, so that a callback may use the
// session.
func (s *Session) unlock() {
	if len(s.draft.misfits) > 0 {
		s.reportMisfits()
	}
	notices := s.notices
	s.notices = nil
	s.mu.Unlock()
	for _, call := range notices {
		call()
	}
}

func (s *Session) reportMisfits() {
	for i := range s.draft.misfits {
		if m := &s.draft.misfits[i]; !m.reported {
			m.reported = true
			s.report(m.kind(), m.entry, m.err)
		}
	}
}

// read reads a field, loading first unless what is pending answers.
func read[T any](s *Session, f *Field, of func(*draft, *Field) (T, bool)) (v T, ok bool) {
	s.lock()
	defer s.unlock()
	noteRead(s, f)
	s.lookUnless(s.draft.answers(f))
	return of(&s.draft, f)
}

// take reads a part, and what was read goes from it.
func take[T any](s *Session, p part, of func(*draft, *Field) (T, bool)) (v T, ok bool) {
	s.lock()
	defer s.unlock()
	noteRead(s, p.Field)
	s.lookUnless(p.answered(&s.draft))
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
	noteRead(s, f)
	s.lookUnless(s.draft.answersElement(f, text))
	return s.draft.element(f, text)
}

// takeElement is readElement, and what was read goes from the map.
func (s *Session) takeElement(f *Field, text string) (element, bool) {
	return take(s, elementOf(f, text), func(d *draft, f *Field) (element, bool) { return d.element(f, text) })
}

// noteRead notifies the tracer, if there is one, that a field is read.
func noteRead(s *Session, f *Field) {
	if t := s.engine.config.Tracer; t != nil {
		ctx := s.noticed()
		s.notices = append(s.notices, func() { t.Read(ctx, f.Key) })
	}
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

// takesChanges reports whether the session takes changes.
func (s *Session) takesChanges(field string) bool {
	switch s.phase {
	case phaseOutside:
		panic(s.engine.name + ": changed where there is no session: wrap the handler with the Middleware of its sessions")
	case phaseClosed:
		s.report(EventClosedWrite, field, nil)
		return false
	case phaseBetween:
		s.report(EventOutsideEvent, field, nil)
	}
	return true
}

// makeRoom prepares the draft for a first change.
func (s *Session) makeRoom() {
	if s.draft.pending != nil {
		return
	}
	if s.spare == nil {
		s.spare = s.engine.newRoom()
	}
	s.draft.pending = s.spare.pending[:0]
}

// set changes a field of one entry.
func set(s *Session, f *Field, value string, err error) {
	s.write(f, func(d *draft) { d.set(f, value, err) })
}

// setElement changes one element of a map field.
func setElement(s *Session, f *Field, text string, c change) {
	s.write(f, func(d *draft) { d.setElement(f, text, c) })
}

// replaceElements replaces a whole map field.
func replaceElements(s *Session, f *Field, elements map[string]change) {
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
