package runtime

import "context"

// What a field stores or removes at once, in a step of its own. Whatever else is
// pending in the session stays pending.

// claim takes what the part reads as, if that is still stored at that moment. What
// this request has set itself is not stored, and is taken without a step.
func claim[T any](ctx context.Context, s *Session, p part, of func(*draft, *Field) (T, bool)) (v T, ok bool, err error) {
	s.lock()
	defer s.unlock()
	bound, err := s.beginStep(ctx, p, "claim")
	if err != nil {
		return v, false, err
	}
	defer bound.stop()
	for range maxRetries + 1 {
		if !p.answered(&s.draft) {
			s.load(bound)
		}
		if s.refusal != nil {
			return v, false, s.refusal
		}
		read, found := of(&s.draft, p.Field)
		if !found {
			return v, false, nil
		}
		gone, err := s.removeNow(bound, p)
		switch {
		case err != nil:
			return v, false, s.stepFault("claim", err)
		case gone:
			return read, true, nil
		}
	}
	return v, false, s.fault("claim", errGivenUp)
}

// claimElement is claim for one element of a map field.
func claimElement(ctx context.Context, s *Session, f *Field, text string) (element, bool, error) {
	return claim(ctx, s, elementOf(f, text), func(d *draft, f *Field) (element, bool) { return d.element(f, text) })
}

// beginStep checks that the session takes a step now, and bounds it.
func (s *Session) beginStep(ctx context.Context, p part, op string) (*callContext, error) {
	if err := s.shut(); err != nil {
		return nil, s.fail(err)
	}
	if err := ctx.Err(); err != nil { // the store is not asked, so that nothing is unknown
		return nil, s.fault(op, err)
	}
	if s.phase == phaseBetween {
		s.report(EventOutsideEvent, p.Key, nil)
	}
	s.consult()
	noteRead(s, p.Field)
	return s.engine.bound(ctx), nil
}

// removeNow takes the part, and reports whether what it read as is gone from the
// store by that.
func (s *Session) removeNow(ctx context.Context, p part) (gone bool, err error) {
	if p.answered(&s.draft) || !p.stored(&s.draft) {
		s.makeRoom()
		p.take(&s.draft)
		return true, nil
	}
	return s.apart(p, func(c commit) (bool, error) {
		p.take(&c.draft)
		if c.engine.store == nil {
			err := c.storeLocally()
			return err == nil, err
		}
		return c.try(ctx)
	})
}

// ensure stores the value unless something is stored already, and returns what the
// part reads as then.
func ensure[T any](ctx context.Context, s *Session, p part, value string, cause error, of func(*draft, *Field) (T, bool)) (v T, ok bool, err error) {
	s.lock()
	defer s.unlock()
	bound, err := s.beginStep(ctx, p, "ensure")
	if err != nil {
		return v, false, err
	}
	defer bound.stop()
	if cause != nil {
		return v, false, s.fault("ensure", asFieldError(p.Field, cause))
	}
	if s.load(bound); s.refusal != nil {
		return v, false, s.refusal
	}
	if err := (commit{Session: s}).endDestroyed(bound); err != nil {
		return v, false, s.stepFault("ensure", err)
	}
	_, err = s.apart(p, func(c commit) (bool, error) {
		p.set(&c.draft, value)
		err := c.storePending(bound)
		return err == nil, err
	})
	if err != nil {
		return v, false, s.stepFault("ensure", err)
	}
	v, ok = of(&s.draft, p.Field)
	return v, ok, nil
}

// apart runs a step with nothing pending but what is of its part. If the step is
// done, that is settled; otherwise all is as before.
func (s *Session) apart(p part, step func(commit) (done bool, err error)) (done bool, err error) {
	before, pendingLife := s.draft.pending, s.life
	own, rest := p.split(s.draft.pending)
	s.draft.pending, s.life = own, life{}
	done, err = step(commit{s, &commitRoom{}})
	s.draft.pending, s.life = before, pendingLife
	if done {
		s.draft.pending = rest
	}
	s.draft.withdraw()
	s.showCookie()
	return done, err
}

// stepFault reports the error of a step, but for that of a failed load, which was
// reported when it failed.
func (s *Session) stepFault(op string, err error) error {
	if err == nil || s.sight == outage {
		return err
	}
	return s.fault(op, err)
}
