package runtime

import (
	"sort"
	"time"
)

// How a program sees and changes the life of a session as a whole.

// dirty reports whether the next commit has something to store.
func (s *Session) dirty() bool {
	return s.doomed != nil || len(s.pending) > 0 || s.known && (s.renew || s.expiry != nil)
}

// Dirty reports whether the session has changes that are not stored yet.
func (s *Session) Dirty() bool {
	s.lock()
	defer s.unlock()
	return s.dirty()
}

// DirtyFields returns the keys of the fields that have changes, sorted.
func (s *Session) DirtyFields() []string {
	s.lock()
	defer s.unlock()
	keys := make([]string, 0, len(s.pending))
	for i := range s.pending {
		if !s.pending[i].empty() {
			keys = append(keys, s.pending[i].field.Key)
		}
	}
	sort.Strings(keys)
	return keys
}

// Renew gives the session a new token at the commit. The old one still works for
// the grace after the new one was first presented. On a new session it does
// nothing.
func (s *Session) Renew() {
	s.lock()
	defer s.unlock()
	if s.mayChange("") {
		s.renew = true
	}
}

// SetExpiry moves the end of the session to t, at most [MaxAge] from now, or
// back to the configured age where t is zero. A time that has passed destroys
// the session. On a new session alone it creates nothing.
func (s *Session) SetExpiry(t time.Time) {
	s.lock()
	defer s.unlock()
	if !s.mayChange("") {
		return
	}
	now := s.engine.clock.read()
	t = t.Truncate(time.Millisecond)
	if !t.IsZero() && !t.After(now) {
		s.destroy()
		return
	}
	if latest := now.Add(MaxAge).Truncate(time.Millisecond); t.After(latest) {
		t = latest
	}
	s.expiry = &t
	s.settleExpiry()
}

// settleExpiry withdraws a deadline that the record has already.
func (s *Session) settleExpiry() {
	if s.expiry != nil && s.loaded && s.record != nil && s.deadline(s.record.Created).Equal(s.record.Deadline) {
		s.expiry = nil
	}
}

// deadline returns the pending deadline of a session created then.
func (s *Session) deadline(created time.Time) time.Time {
	if s.expiry == nil || s.expiry.IsZero() {
		return created.Add(s.engine.config.Age)
	}
	return *s.expiry
}

// Destroy ends the stored session for good and discards what was pending. The
// session is then new and empty: what is written later in the same request
// starts another one.
func (s *Session) Destroy() {
	s.lock()
	defer s.unlock()
	if s.mayChange("") {
		s.destroy()
	}
}

// destroy loads first, because only a session that exists is ended and has its
// cookie removed. A visitor who hangs up does not cancel that.
func (s *Session) destroy() {
	s.pending, s.renew, s.expiry = nil, false, nil
	ctx := &commitContext{}
	ctx.begin(s.ctx)
	defer ctx.stop()
	s.load(ctx)
	if !s.known || s.record == nil && !s.outage {
		return
	}
	doomed := s.identity
	s.doomed = &doomed
	s.forget()
}

// mayChange reports whether the session takes changes.
func (s *Session) mayChange(field string) bool {
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
