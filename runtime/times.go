package runtime

import "time"

// CreatedAt returns when the session was stored first, the zero time for a new
// one.
func (s *Session) CreatedAt() time.Time {
	return timeOf(s, func(r *Record) time.Time { return r.Created })
}

// RenewedAt returns when the token was last renewed, by whatever; the time of
// creation if it never was, the zero time for a new session.
func (s *Session) RenewedAt() time.Time {
	return timeOf(s, func(r *Record) time.Time { return r.Renewed })
}

// SignedInAt returns when somebody last signed in to the session, the zero time if
// nobody has, or has signed out since.
func (s *Session) SignedInAt() time.Time {
	return timeOf(s, func(r *Record) time.Time { return r.SignedIn })
}

// LastUsedAt returns the last recorded activity, the time of creation if there was
// none since, the zero time for a new session. Activity is recorded at most every
// [Config].TouchEvery, by commits and renewals also in between.
func (s *Session) LastUsedAt() time.Time { return timeOf(s, (*Record).LastUsed) }

// ExpiresAt returns when the session ends if it is not used any more, the zero
// time for a new one. A pending SetExpiry or SetIdle counts.
func (s *Session) ExpiresAt() time.Time {
	return timeOf(s, func(r *Record) time.Time {
		if s.life.expiry == nil && s.life.idle == nil {
			return r.Expires
		}
		deadline := r.Deadline
		if s.life.expiry != nil {
			deadline = s.deadline(r.Created)
		}
		return s.engine.expires(s.engine.clock.read(), deadline, s.life.ownIdle(r.Idle))
	})
}

// timeOf returns a time of the record, zero for a new session.
func timeOf(s *Session, of func(*Record) time.Time) time.Time {
	s.lock()
	defer s.unlock()
	s.look()
	if s.draft.stored == nil {
		return time.Time{}
	}
	return of(s.draft.stored)
}

// SetExpiry moves the end of the session to t, at most [MaxAge] from now, or
// back to the configured age if t is zero. A time that has passed destroys the
// session. On a new session alone it creates nothing.
func (s *Session) SetExpiry(t time.Time) {
	s.lock()
	defer s.unlock()
	if !s.takesChanges("") {
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
	s.life.expiry = &t
	s.withdrawLife()
}

// SetIdle gives the session an idle limit of its own, in place of [Config].Idle, or
// takes it away if d is zero. It counts from this use of the session, in whole
// milliseconds. A limit above [MaxAge] is that, one below 0 counts as zero. On a new
// session alone it creates nothing.
func (s *Session) SetIdle(d time.Duration) {
	s.lock()
	defer s.unlock()
	if s.takesChanges("") {
		const whole = time.Millisecond
		d = (min(max(d, 0), MaxAge) + whole - 1).Truncate(whole)
		s.life.idle = &d
		s.withdrawLife()
	}
}

// SetPersistent says whether the session's cookie outlives the browser, whatever
// Cookie.BrowserClose is. The commit sends the cookie. On a new session alone it
// creates nothing.
func (s *Session) SetPersistent(on bool) {
	s.lock()
	defer s.unlock()
	if s.takesChanges("") {
		s.life.persistence = PersistenceBrowser
		if on {
			s.life.persistence = PersistencePermanent
		}
		s.withdrawLife()
	}
}

// withdrawLife withdraws what is no change of the record, if that is known.
func (s *Session) withdrawLife() {
	if s.sight == seen {
		s.life.see(s.draft.stored, s.engine.config.Age)
	}
}

// Bound reports whether the session is bound to the device of its browser: whether
// that has registered a key, and nothing else opens the session. A browser that
// cannot never does.
func (s *Session) Bound() bool {
	s.lock()
	defer s.unlock()
	s.look()
	if s.draft.stored == nil {
		return false
	}
	b := readBinding(s.engine.format, s.draft.stored.Entries)
	return b.registered() && !b.demanded.IsZero()
}
