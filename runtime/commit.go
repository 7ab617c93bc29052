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

// Save stores what has changed now instead of when the response begins. Where
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
	err := s.commit(ctx, s.takeCommitment())
	switch {
	case s.live == nil && s.writer != nil:
		s.sendCookie(s.writer.Header())
	case s.phase == phaseBetween && s.cookie != cookieKept:
		s.cookie = cookieKept
		s.report(EventCookieLate, "", nil)
	}
	return err
}

// commit stores what is pending. Afterwards nothing is, unless it broke a
// limit: then the program may mend it and save again.
func (s *Session) commit(ctx context.Context, c *commitment) error {
	if !s.dirty() {
		return nil
	}
	err := s.commitPending(ctx, c)
	if err != nil && !s.outage { // a failed load was told when it failed
		_ = s.fault(err)
	}
	return err
}

func (s *Session) commitPending(ctx context.Context, c *commitment) error {
	if errors.Is(s.blocked, ErrSuperseded) && s.signsIn() {
		s.startAfresh()
	}
	if s.blocked != nil {
		return s.refuse()
	}
	if s.engine.store == nil {
		return s.commitLocally(c)
	}
	if s.needsRecord() {
		s.load(ctx)
		s.endOverdue()
	}
	if err := s.endDoomed(ctx); err != nil {
		return err
	}
	switch {
	case s.blocked != nil:
		return s.refuse()
	case !s.dirty():
		return nil
	case s.known:
		return s.update(ctx, c)
	default:
		return s.create(ctx, c)
	}
}

// refuse drops what is pending: nothing more of this session is committed.
func (s *Session) refuse() error {
	s.drop()
	s.unsaved = s.outage
	return s.blocked
}

// drop forgets what is pending. A session that was to be destroyed is itself
// again.
func (s *Session) drop() {
	if s.doomed != nil {
		s.identity = *s.doomed
		s.record, s.loaded = nil, false
	}
	s.pending, s.renew, s.expiry, s.doomed = nil, false, nil, nil
}

// startAfresh leaves a record that somebody else has renewed to them. What this
// request wrote begins a new session.
func (s *Session) startAfresh() {
	s.forget()
	s.blocked = nil
	s.settle()
}

// endOverdue destroys a session whose configured age is over: SetExpiry with the
// zero time goes back to that age.
func (s *Session) endOverdue() {
	if s.expiry != nil && s.record != nil && !s.deadline(s.record.Created).After(s.engine.clock.read()) {
		s.destroy()
	}
}

// endDoomed ends the session that Destroy was called on.
func (s *Session) endDoomed(ctx context.Context) error {
	if s.doomed == nil {
		return nil
	}
	err := s.engine.store.Delete(ctx, s.keyOf(s.doomed, s.engine.clock.read()))
	switch {
	case errors.Is(err, ErrReused):
		s.report(EventReused, "", nil) // the store has ended the session
	case err != nil:
		return s.lost(err)
	}
	s.doomed = nil
	s.cookie = cookieCleared
	if s.live != nil {
		s.live.saw = Proof{} // whatever the browser still holds opens nothing
	}
	return nil
}

// lost takes note of a commit that was refused or whose outcome is unknown: it
// is not sent again, and nothing more is. After an outage the view stays as it
// was, because an outage is no logout.
func (s *Session) lost(err error) error {
	s.drop()
	s.loaded = true
	if errors.Is(err, ErrSuperseded) || errors.Is(err, ErrEnded) {
		s.record = nil
	} else {
		err = fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	}
	s.blocked = err
	return err
}

// update sends one delta to the stored session, and computes it anew as long as
// its conditions fail.
func (s *Session) update(ctx context.Context, c *commitment) error {
	for range maxRetries + 1 {
		now := s.engine.clock.read()
		if err := s.prepareDelta(c, now); err != nil {
			return err
		}
		result, err := s.engine.store.Update(ctx, s.keyOf(&s.identity, now), &c.delta)
		if err == nil {
			s.accepted(c, result)
			return nil
		}
		if !errors.Is(err, ErrConflict) {
			return s.refused(ctx, c, err)
		}
		s.loaded = false
		s.load(ctx)
		switch {
		case s.blocked != nil:
			return s.refuse()
		case !s.dirty():
			return nil
		case !s.known:
			return s.create(ctx, c)
		}
	}
	s.drop()
	return fmt.Errorf("%w: given up after %d retries", ErrConflict, maxRetries)
}

// commitment is all that most requests need to change their session and to
// commit that, in one allocation.
type commitment struct {
	context commitContext
	pending [1]pending
	delta   Delta
	ops     [2]Op
	secret  secret // the new one, where the delta renews
	ticket  secret // of the delta's ticket
}

// takeCommitment returns what one commit works with. A store may hold on to the
// context of an earlier one.
func (s *Session) takeCommitment() *commitment {
	c := s.commitment
	if c == nil {
		return &commitment{}
	}
	s.commitment = nil
	return c
}

func (s *Session) prepareDelta(c *commitment, now time.Time) error {
	ops, err := s.ops(c.ops[:0])
	if err != nil {
		return err
	}
	c.delta = Delta{
		Ops:         ops,
		Limits:      s.limits(),
		MaxBytes:    s.engine.config.MaxBytes,
		Active:      s.engine.idleEnd(now),
		CurrentOnly: s.signsIn(),
	}
	if s.expiry != nil {
		c.delta.Deadline = s.deadline(s.created())
	}
	if err := s.prepareRenewal(c); err != nil {
		return err
	}
	if s.byTicket() && (c.delta.Renewal != nil || s.movesCookie()) {
		signIn := c.delta.Renewal != nil && c.delta.Renewal.SignIn
		c.delta.Ticket, c.ticket = s.newTicket(now, signIn || s.live.undelivered)
	}
	return nil
}

// movesCookie reports whether a pending deadline is one that the browser has to
// learn.
func (s *Session) movesCookie() bool { return s.expiry != nil && !s.engine.config.Cookie.BrowserClose }

// prepareRenewal adds a new token where one is due: the browser has to be able
// to learn it.
func (s *Session) prepareRenewal(c *commitment) error {
	ends := s.signsIn() || s.signsOut()
	switch {
	case !ends && !s.renew:
		return nil
	case s.found:
		s.drop()
		return errNoToken
	case s.tooLate():
		s.drop()
		return ErrTooLate
	}
	c.secret = newSecret()
	c.delta.Renewal = &Renewal{
		Proof:  c.secret.proof(s.engine.kind),
		SignIn: ends,
		Grace:  s.engine.config.Grace,
	}
	return nil
}

// tooLate reports whether no cookie can reach the browser any more.
func (s *Session) tooLate() bool {
	return s.phase == phaseBetween || s.begun && s.live == nil
}

func (s *Session) created() time.Time {
	if s.record == nil {
		return time.Time{}
	}
	return s.record.Created
}

// accepted folds an accepted delta into the session.
func (s *Session) accepted(c *commitment, result *Result) {
	d := &c.delta
	for _, entry := range result.Replaced {
		s.report(EventCounterReplaced, entry, nil)
	}
	if s.loaded {
		s.fold(d, result)
	}
	s.alive = true
	if result.Won {
		s.hold(token{s.id, c.secret}, d.Renewal.Proof)
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
}

// fold makes the view what the record now is, as far as this session knows it.
func (s *Session) fold(d *Delta, result *Result) {
	unconditional := *d
	unconditional.Limits, unconditional.MaxBytes = nil, 0
	next := *s.record
	if entries, _, err := s.record.Entries.apply(&unconditional); err == nil {
		next.Entries = entries
	}
	next.Created, next.Renewed = result.Created, result.Renewed
	next.Deadline, next.Expires = result.Deadline, result.Expires
	s.record = &next
}

// refused deals with a delta that the store did not apply.
func (s *Session) refused(ctx context.Context, c *commitment, err error) error {
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrReused):
		s.vanished(err)
		if s.blocked != nil {
			return s.refuse()
		}
		return s.create(ctx, c)
	case errors.Is(err, ErrSuperseded) && c.delta.CurrentOnly:
		s.startAfresh()
		return s.create(ctx, c)
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrOverflow):
		return err
	default:
		return s.lost(err)
	}
}

// create stores a new session with what this request wrote, if that is
// anything.
func (s *Session) create(ctx context.Context, c *commitment) error {
	for range maxIDs {
		if s.id == (ID{}) {
			s.id = s.freshID()
		}
		now := s.engine.clock.read()
		t := token{id: s.id, secret: newSecret()}
		r, err := s.newRecord(t, c, now)
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
		key := Key{ID: t.id, Proof: r.Proof, Now: now, Age: s.age(now), Held: true, Live: true}
		err = s.engine.store.Create(ctx, key, r)
		switch {
		case errors.Is(err, ErrExists):
			s.id = ID{}
			continue
		case errors.Is(err, ErrTooLarge):
			return err
		case err != nil:
			return s.lost(err)
		}
		s.hold(t, r.Proof)
		s.record, s.loaded, s.alive, s.issued = r, true, true, true
		s.cookieEnds = r.Deadline
		s.deliver(r.Ticket, c.ticket)
		s.drop()
		return nil
	}
	return fmt.Errorf("%w: %d ids tried, is the random source broken?", ErrExists, maxIDs)
}

// freshID returns the id of a session that is begun in place of the one that the
// cookie named, once the one that was reserved for it.
func (s *Session) freshID() ID {
	if s.reserved == nil {
		return newID()
	}
	id := *s.reserved
	s.reserved = nil
	return id
}

// newRecord returns the record of a new session, nil where nothing would be in
// it.
func (s *Session) newRecord(t token, c *commitment, now time.Time) (*Record, error) {
	entries, err := s.entriesOn(Entries{}, c)
	if err != nil || entries.Len() == 0 {
		return nil, err
	}
	created := now.Truncate(time.Millisecond)
	deadline := s.deadline(created)
	r := &Record{
		Kind:     s.engine.kind,
		Proof:    t.secret.proof(s.engine.kind),
		Created:  created,
		Renewed:  created,
		Deadline: deadline,
		Expires:  s.engine.expires(now, deadline),
		Entries:  entries,
	}
	if s.byTicket() {
		r.Ticket, c.ticket = s.newTicket(now, true)
		r.Expires = earliest(r.Expires, r.Ticket.Ends)
	}
	return r, nil
}

// entriesOn returns what the pending changes make of the entries.
func (s *Session) entriesOn(before Entries, c *commitment) (Entries, error) {
	ops, err := s.ops(c.ops[:0])
	if err != nil {
		return before, err
	}
	c.delta = Delta{Ops: ops, Limits: s.limits(), MaxBytes: s.engine.config.MaxBytes}
	entries, _, err := before.apply(&c.delta)
	return entries, err
}

// commitLocally serves a session without a store, as tests of handlers have it.
func (s *Session) commitLocally(c *commitment) error {
	if s.doomed != nil {
		s.doomed, s.record = nil, nil
	}
	var before Record
	if s.record != nil {
		before = *s.record
	}
	entries, err := s.entriesOn(before.Entries, c)
	if err != nil {
		return err
	}
	if s.record == nil {
		now := s.engine.clock.read().Truncate(time.Millisecond)
		before.Created, before.Renewed = now, now
	}
	before.Deadline = s.deadline(before.Created)
	before.Expires = s.engine.expires(s.engine.clock.read(), before.Deadline)
	before.Entries = entries
	s.record, s.loaded = &before, true
	s.drop()
	return nil
}

// extensible reports whether activity can move the end of the session. One that
// waits for its ticket ends with that.
func (s *Session) extensible() bool {
	return s.engine.config.Idle > 0 && s.engine.store != nil && s.known && s.record != nil &&
		s.blocked == nil && (s.record.Ticket == nil || !s.record.Ticket.Sole)
}

// extend moves the idle limit of a session that was only read, at most once in
// a tenth of it. The activity is the arrival of the request, however long its
// response streams.
func (s *Session) extend(ctx context.Context, c *commitment) {
	key := s.key()
	end := s.engine.expires(key.Arrived(), s.record.Deadline)
	if end.Sub(s.record.Expires) < s.engine.config.Idle/10 {
		return
	}
	c.delta = Delta{Active: s.engine.idleEnd(key.Arrived())}
	result, err := s.engine.store.Update(ctx, key, &c.delta)
	switch {
	case err == nil:
		s.fold(&c.delta, result)
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrSuperseded), errors.Is(err, ErrReused), errors.Is(err, ErrEnded):
		// It ended while the request was reading: nothing is left to extend.
	default:
		_ = s.fault(fmt.Errorf("extend session: %w", err))
	}
}
