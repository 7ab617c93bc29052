package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How often a delta is computed anew when a condition failed, and how many ids
// are tried for a new session.
const (
	maxRetries = 8
	maxIDs     = 4
)

var errNoToken = errors.New("a session found by index has no token here and cannot be renewed: only its own request can sign in or renew")

// Save stores what has changed now instead of when the response begins. If
// that creates or renews the session the cookie joins the response's header at
// once, so call it from the goroutine that writes the response; after the first
// byte of the response, and on a live connection outside an event, that is
// [ErrTooLate] and nothing is stored. What a failing store may have received is
// not sent again.
func (s *Session) Save(ctx context.Context) error {
	s.lock()
	defer s.unlock()
	if s.phase == phaseOutside {
		return s.fail(ErrNoMiddleware)
	}
	if s.phase == phaseClosed {
		return s.fail(ErrTooLate)
	}
	bound := s.engine.bound(ctx)
	defer bound.stop()
	err := s.commit(bound, s.takeRoom())
	switch {
	case s.live == nil && s.response != nil:
		s.sendCookie(s.response.Header())
	case s.phase == phaseBetween && s.cookie != cookieKept:
		s.cookie = cookieKept
		s.report(EventCookieLate, "", nil)
	}
	return err
}

// hookCommit stores what changed, or extends the life of what was only read.
func (s *Session) hookCommit() error {
	dirty := s.dirty()
	if !dirty && !s.extensible() {
		return nil
	}
	c := s.takeRoom()
	c.context.lasting = true
	c.context.begin(s.ctx, s.engine.config.Timeout)
	defer c.context.stop()
	if dirty {
		return s.commit(&c.context, c)
	}
	s.extend(&c.context, c)
	return nil
}

// commit stores what is pending. Afterwards nothing is, unless it broke a
// limit: then the program may mend it and save again.
func (s *Session) commit(ctx context.Context, c *commitRoom) error {
	if !s.dirty() {
		return nil
	}
	err := s.commitPending(ctx, c)
	if err != nil && s.sight != outage { // a failed load was reported when it failed
		_ = s.fault("save", err)
	}
	return err
}

func (s *Session) commitPending(ctx context.Context, c *commitRoom) error {
	if s.draft.signsIn() {
		s.signInAnyway()
	}
	if s.refusal != nil {
		return s.refuse()
	}
	if s.engine.store == nil {
		return s.commitLocally(c)
	}
	if s.expiry != nil && s.expiry.IsZero() || s.draft.needsRecord() || len(s.rivals) > 0 {
		s.load(ctx)
		s.endOverdue()
	}
	if err := s.endDestroyed(ctx); err != nil {
		return err
	}
	switch {
	case s.refusal != nil:
		return s.refuse()
	case !s.dirty():
		return nil
	case s.hasToken:
		return s.update(ctx, c)
	default:
		return s.create(ctx, c)
	}
}

// refuse drops what is pending: nothing more of this session is committed.
func (s *Session) refuse() error {
	s.drop()
	s.unsaved = s.sight == outage
	return s.refusal
}

// drop forgets what is pending. A session that was to be destroyed is itself
// again.
func (s *Session) drop() {
	if s.ending != nil {
		s.become(*s.ending, unseen)
	}
	s.draft.pending, s.renew, s.expiry, s.ending = nil, false, nil, nil
}

// signInAnyway has the store judge a sign-in by the token that the browser brought,
// although a load has said that it opens nothing any more: it may be the second one
// of the same user (T8). What depends on the record, which nobody may load, cannot
// be sent with it, and begins a session of its own.
func (s *Session) signInAnyway() {
	switch {
	case s.ending != nil:
	case errors.Is(s.refusal, ErrSuperseded):
		s.refusal = nil
		s.move(unseen, nil, nil)
	case s.former != nil && !s.hasToken:
		s.become(*s.former, unseen)
	default:
		return
	}
	if s.draft.needsRecord() {
		s.beginAfresh()
	}
}

// beginAfresh leaves a record that somebody else has signed in to. What this
// request wrote begins a new session.
func (s *Session) beginAfresh() {
	s.refusal, s.former = nil, nil
	s.become(identity{}, absent)
}

// endOverdue destroys a session whose configured age is over: SetExpiry with the
// zero time goes back to that age.
func (s *Session) endOverdue() {
	if s.expiry != nil && s.sight == seen && !s.deadline(s.created()).After(s.engine.clock.read()) {
		s.destroy()
	}
}

// endDestroyed ends the session that Destroy was called on.
func (s *Session) endDestroyed(ctx context.Context) error {
	if s.ending == nil {
		return nil
	}
	err := s.engine.store.Delete(ctx, s.key(s.ending, s.engine.clock.read()))
	switch {
	case errors.Is(err, ErrEnded):
		s.ending = nil // by somebody else: the cookie may be a newer one by now (R3)
		return nil
	case errors.Is(err, ErrReused):
		s.report(EventReused, "", nil) // the store has ended the session
	case err != nil:
		return s.lose(err)
	}
	s.ending = nil
	s.cookie = cookieCleared
	if s.live != nil {
		s.live.saw = Proof{} // whatever the browser still holds opens nothing
		s.live.destroyed = true
	}
	return nil
}

// lose takes note of a commit that was refused or whose outcome is unknown: it
// is not sent again, and nothing more is. After an outage the view stays as it
// was, because an outage is no logout.
func (s *Session) lose(err error) error {
	s.drop()
	if errors.Is(err, ErrSuperseded) || errors.Is(err, ErrEnded) {
		s.move(ended, nil, err)
		return err
	}
	if !errors.Is(err, ErrRefused) {
		err = fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	}
	s.move(lost, nil, err)
	return err
}

// update sends one delta to the stored session, and computes it anew as long as
// its conditions fail.
func (s *Session) update(ctx context.Context, c *commitRoom) error {
	for range maxRetries + 1 {
		now := s.engine.clock.read()
		if err := s.prepareDelta(c, now); err != nil {
			return err
		}
		result, err := s.engine.store.Update(ctx, s.key(&s.identity, now), &c.delta)
		if err == nil {
			s.accept(c, result)
			return nil
		}
		if !errors.Is(err, ErrConflict) {
			return s.refused(ctx, c, err)
		}
		s.fetch(ctx)
		switch {
		case s.refusal != nil:
			return s.refuse()
		case !s.dirty():
			return nil
		case !s.hasToken:
			return s.create(ctx, c)
		}
	}
	s.drop()
	return fmt.Errorf("%w: given up after %d retries", ErrConflict, maxRetries)
}

// commitRoom is all that most requests need to change their session and to
// commit that, in one allocation.
type commitRoom struct {
	context callContext
	pending [1]pending
	delta   Delta
	ops     [2]Op
	secret  secret // the new one, if the delta renews
	ticket  secret // of the delta's ticket
}

// makeRoom prepares the draft for a first change.
func (s *Session) makeRoom() {
	if s.draft.pending != nil {
		return
	}
	if s.room == nil {
		s.room = &commitRoom{}
	}
	s.draft.pending = s.room.pending[:0]
}

// takeRoom returns what one commit works with. A store may hold on to the
// context of an earlier one.
func (s *Session) takeRoom() *commitRoom {
	c := s.room
	if c == nil {
		return &commitRoom{}
	}
	s.room = nil
	return c
}

func (s *Session) prepareDelta(c *commitRoom, now time.Time) error {
	ops, err := s.draft.ops(c.ops[:0])
	if err != nil {
		return err
	}
	c.delta = Delta{
		Ops:      ops,
		Limits:   s.draft.limits(),
		MaxBytes: s.engine.config.MaxBytes,
		Active:   s.active(now),
		SignIn:   s.draft.signIn(s.engine.renewing),
	}
	if s.expiry != nil {
		c.delta.Deadline = s.deadline(s.created())
	}
	if err := s.prepareRenewal(c); err != nil {
		return err
	}
	if s.byTicket() && (c.delta.Renewal != nil || s.movesCookie()) {
		ends := c.delta.Renewal != nil && c.delta.Renewal.Kind != RenewPlain
		c.delta.Ticket, c.ticket = s.live.newTicket(s.engine.kind, now, ends || s.live.undelivered)
	}
	return nil
}

// movesCookie reports whether a pending deadline is one that the browser has to
// learn.
func (s *Session) movesCookie() bool { return s.expiry != nil && !s.engine.config.Cookie.BrowserClose }

// prepareRenewal adds a new token if one is due: the browser has to be able
// to learn it.
func (s *Session) prepareRenewal(c *commitRoom) error {
	kind := RenewPlain
	switch {
	case c.delta.SignIn != nil:
		kind = RenewSignIn
	case s.draft.signsOut():
		kind = RenewSignOut
	case !s.renew:
		return nil
	}
	switch {
	case s.found:
		s.drop()
		return errNoToken
	case s.tooLate():
		s.drop()
		return ErrTooLate
	}
	if over := s.over(); over != nil && !s.draft.signsOut() {
		s.drop()
		return over
	}
	c.secret = newSecret()
	if kind == RenewPlain {
		c.secret = s.secret.show().renewed()
	}
	c.delta.Renewal = &Renewal{
		Kind:   kind,
		Proof:  c.secret.proof(s.engine.kind),
		Family: c.secret.family(s.engine.kind),
		Grace:  s.engine.config.Grace,
	}
	return nil
}

// tooLate reports whether no cookie can reach the browser any more.
func (s *Session) tooLate() bool {
	return s.phase == phaseBetween || s.begun && s.live == nil
}

// over returns an error if nobody waits for the response any more.
func (s *Session) over() error {
	if s.live != nil || s.ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrTooLate, s.ctx.Err())
}

// accept takes note of a delta that the store has applied.
func (s *Session) accept(c *commitRoom, result *Result) {
	d := &c.delta
	for _, entry := range result.Replaced {
		s.report(EventCounterReplaced, entry, nil)
	}
	s.confirmed = true
	if result.Won {
		s.adopt(token{s.id, c.secret}, d.Renewal.Proof, d.Renewal.Family)
		s.issued = true
	}
	if result.Won || result.Current && s.movesCookie() {
		s.deliver(d.Ticket, c.ticket)
	}
	s.cookieEnds = result.Deadline
	if s.expiry != nil {
		s.engine.sockets.expectEnd(s.id, result.Expires)
	}
	s.drop()
	s.follow(d, result)
}

// follow makes the view what the record now is, as far as this session knows it.
func (s *Session) follow(d *Delta, result *Result) {
	if s.sight != seen {
		return
	}
	unconditional := *d
	unconditional.Limits, unconditional.MaxBytes = nil, 0
	next := *s.draft.stored
	if entries, _, err := next.Entries.apply(&unconditional); err == nil {
		next.Entries = entries
	}
	next.Created, next.Renewed, next.SignedIn = result.Created, result.Renewed, result.SignedIn
	next.Deadline, next.Expires = result.Deadline, result.Expires
	s.move(seen, &next, nil)
}

// refused deals with a delta that the store did not apply.
func (s *Session) refused(ctx context.Context, c *commitRoom, err error) error {
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrReused), errors.Is(err, ErrDamaged):
		s.vanish(err)
		if s.refusal != nil {
			return s.refuse()
		}
		return s.create(ctx, c)
	case errors.Is(err, ErrSuperseded) && !errors.Is(err, ErrSignedOut) && c.delta.SignIn != nil:
		s.report(EventSignInApart, "", nil)
		s.beginAfresh()
		return s.create(ctx, c)
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrOverflow):
		return err
	default:
		return s.lose(err)
	}
}

// create stores a new session with what this request wrote, if that is
// anything.
func (s *Session) create(ctx context.Context, c *commitRoom) error {
	for range maxIDs {
		now := s.engine.clock.read()
		fresh := s.issue()
		r, err := s.newRecord(&fresh, c, now)
		if err != nil {
			return err
		}
		if r == nil {
			s.drop()
			return nil
		}
		if s.tooLate() {
			s.drop()
			return ErrTooLate
		}
		if over := s.over(); over != nil {
			s.drop()
			return over
		}
		err = s.engine.store.Create(ctx, s.key(&fresh, now), r)
		switch {
		case errors.Is(err, ErrExists):
			s.id = ID{}
			continue
		case errors.Is(err, ErrTooLarge):
			return err
		case err != nil:
			return s.lose(err)
		}
		s.identity, s.confirmed = fresh, true
		s.cookieEnds = r.Deadline
		s.deliver(r.Ticket, c.ticket)
		s.drop()
		s.move(seen, r, nil)
		return nil
	}
	return fmt.Errorf("%w: %d ids tried, is the random source broken?", ErrExists, maxIDs)
}

// newRecord returns the record of a new session, nil if nothing would be in
// it.
func (s *Session) newRecord(fresh *identity, c *commitRoom, now time.Time) (*Record, error) {
	entries, err := s.draft.on(Entries{}, c.ops[:0], &c.delta, s.engine.config.MaxBytes)
	if err != nil || entries.Len() == 0 {
		return nil, err
	}
	created := now.Truncate(time.Millisecond)
	deadline := s.deadline(created)
	r := &Record{
		Kind:     s.engine.kind,
		Proof:    fresh.proof,
		Family:   fresh.family,
		Created:  created,
		Renewed:  created,
		Deadline: deadline,
		Expires:  s.engine.expires(now, deadline),
		Entries:  entries,
	}
	if s.draft.signsIn() {
		r.SignedIn = created
	}
	if s.byTicket() {
		r.Ticket, c.ticket = s.live.newTicket(s.engine.kind, now, true)
		r.Expires = earliest(r.Expires, r.Ticket.Ends)
	}
	return r, nil
}

// commitLocally serves a session without a store, as tests of handlers have it.
func (s *Session) commitLocally(c *commitRoom) error {
	s.ending = nil
	now := s.engine.clock.read()
	next := Record{Created: now.Truncate(time.Millisecond), Renewed: now.Truncate(time.Millisecond)}
	if s.draft.stored != nil {
		next = *s.draft.stored
	}
	entries, err := s.draft.on(next.Entries, c.ops[:0], &c.delta, s.engine.config.MaxBytes)
	if err != nil {
		return err
	}
	next.Deadline = s.deadline(next.Created)
	next.Expires = s.engine.expires(now, next.Deadline)
	next.Entries = entries
	s.drop()
	s.move(seen, &next, nil)
	return nil
}
