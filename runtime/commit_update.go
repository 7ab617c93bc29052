package runtime

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"
)

// update sends one delta to the stored session, and computes it anew as long as
// its conditions fail.
func (c commit) update(ctx context.Context) error {
	for range maxRetries + 1 {
		applied, err := c.try(ctx)
		switch {
		case applied || err != nil:
			return err
		case !c.dirty():
			return nil
		case !c.hasToken:
			return c.create(ctx)
		}
	}
	c.drop()
	return errGivenUp
}

var errGivenUp = fmt.Errorf("%w: given up after %d retries", ErrConflict, maxRetries)

// try sends one delta to the stored session. If a condition of it fails, it is not
// applied and the session is loaded again.
func (c commit) try(ctx context.Context) (applied bool, err error) {
	now := c.engine.clock.read()
	if err := c.prepareDelta(now); err != nil {
		return false, err
	}
	result, err := c.engine.store.Update(ctx, c.key(&c.identity, now), &c.room.delta)
	switch {
	case err == nil:
		c.accept(result)
		if err := c.engine.limitSessions(ctx, c.id, c.room.delta.IndexValues(c.engine.kind)); err != nil {
			_ = c.fault("limit", err)
		}
		return true, nil
	case !errors.Is(err, ErrConflict) && !c.draft.outgrown(err):
		return false, c.refused(ctx, err)
	}
	c.fetch(ctx)
	if c.refusal != nil && !c.leaveDevice() {
		return false, c.refuse()
	}
	return false, nil
}

// outgrown reports whether a store says that a map has no room which makes room by
// itself: others have set elements meanwhile.
func (d *draft) outgrown(err error) bool {
	var limit *LimitError
	return errors.As(err, &limit) && slices.ContainsFunc(d.pending, func(p pending) bool {
		return p.field.Key == limit.Field && p.tidies() && dropsOldest(p.field)
	})
}

func (c commit) prepareDelta(now time.Time) error {
	ops, limits, err := c.draft.ops(c.room.ops[:0])
	if err != nil {
		return err
	}
	if c.engine.config.Bound != BoundNever {
		ops = c.appendBound(ops, now)
	}
	c.room.delta = Delta{
		Ops:      ops,
		Limits:   limits,
		MaxBytes: c.engine.config.MaxBytes,
		SignIn:   c.draft.signIn(c.engine.renewing),

		Idle:        c.life.idle,
		Persistence: c.life.persistence,
	}
	if !c.passive || c.life.idle != nil {
		c.engine.use(&c.room.delta, now)
	}
	if c.life.expiry != nil {
		c.room.delta.Deadline = c.deadline(c.created())
	}
	if err := c.prepareRenewal(); err != nil {
		return err
	}
	if renewal := c.room.delta.Renewal; renewal != nil && c.byTicket() {
		c.room.delta.Ticket, c.live.nextTicket = newTicket(c.engine.kind, now, c.present(), renewal.Kind.endsEarlier())
	}
	return nil
}

// signIn says whom the draft signs in: what it sets of the given fields, which are
// those that have the option renew. What is withdrawn counts: the call is the
// sign-in. Nil: nobody.
func (d *draft) signIn(fields []*Field) *SignIn {
	if !d.signsIn() {
		return nil
	}
	indexed := slices.ContainsFunc(fields, func(f *Field) bool { return f.Index })
	s := &SignIn{Joins: indexed}
	for _, f := range fields {
		field := SignInField{Key: f.Key, Was: f.Was, Identity: f.Index || !indexed}
		if p := d.find(f); p != nil && p.signIn {
			field.Value = p.scalar.value
		}
		if f.Index && field.Value == "" || f.Secret && field.Value != "" { // sealed values cannot be compared
			s.Joins = false
		}
		s.Fields = append(s.Fields, field)
	}
	return s
}

// use makes the delta a use of the session. To record activity without an idle limit
// is to have one that is longer than any life.
func (e *engine) use(d *Delta, now time.Time) {
	limit := e.config.Idle
	if limit == 0 && e.config.TouchEvery > 0 {
		limit = MaxAge
	}
	d.Used = now.Truncate(time.Millisecond)
	if limit > 0 {
		d.Active = now.Add(limit).Truncate(time.Millisecond)
	}
}

// prepareRenewal adds a new token if one is due: the browser has to be able
// to learn it. A ticket replaces the token that it finds, and its connection goes on
// with that, so it finds one that no browser has.
func (c commit) prepareRenewal() error {
	kind := RenewPlain
	switch {
	case c.room.delta.SignIn != nil:
		kind = RenewSignIn
	case c.draft.signsOut():
		kind = RenewSignOut
	case !c.life.renew && !(c.byTicket() && c.movesCookie(c.persistence())):
		return nil
	}
	switch {
	case c.found:
		c.drop()
		return errNoToken
	case c.tooLate():
		c.drop()
		return ErrTooLate
	}
	if over := c.over(); over != nil && !c.draft.signsOut() {
		c.drop()
		return over
	}
	c.room.successor = c.successor(kind, c.engine.config.Grace, c.next)
	c.room.delta.Renewal = &c.room.successor.renewal
	return nil
}

// signsOut reports whether a renew field goes back to its default.
func (d *draft) signsOut() bool {
	return anyPending(d.pending, (*pending).signsOut)
}

func (p *pending) signsOut() bool {
	c := p.scalar.effective()
	return p.field.Renew && (c.op == changeRemove || c.taken != nil)
}

// byTicket reports whether the browser can and has to fetch its cookie with a
// ticket.
func (c commit) byTicket() bool {
	return c.live != nil && c.phase != phaseBetween && !c.engine.byScript()
}

// tooLate reports whether no cookie can reach the browser any more.
func (c commit) tooLate() bool {
	return c.phase == phaseBetween || c.begun && c.live == nil
}

// persistence returns that of the stored session, as far as it is known.
func (c commit) persistence() Persistence {
	if c.sight != seen {
		return PersistenceConfigured
	}
	return c.draft.stored.Persistence
}

// created returns when the session was created, zero if that is not known.
func (c commit) created() time.Time {
	if c.draft.stored == nil {
		return time.Time{}
	}
	return c.draft.stored.Created
}

// movesCookie reports whether something is pending that gives the cookie another
// end: its persistence, or the deadline if the cookie lives until then.
func (c commit) movesCookie(stored Persistence) bool {
	return c.engine.carrier.ambient() &&
		(c.life.persistence != PersistenceConfigured || c.life.expiry != nil && c.engine.config.Cookie.outlives(stored))
}

// outlives reports whether the cookie of a session outlives the browser.
func (c *Cookie) outlives(p Persistence) bool {
	if p == PersistenceConfigured {
		return !c.BrowserClose
	}
	return p == PersistencePermanent
}

// end returns when the cookie of a session with that deadline ends, nil if it ends
// with the browser's own session.
func (c *Cookie) end(p Persistence, deadline *time.Time) *time.Time {
	if !c.outlives(p) {
		return nil
	}
	return deadline
}

// accept takes note of a delta that the store has applied.
func (c commit) accept(result *Result) {
	d := &c.room.delta
	for _, entry := range result.Replaced {
		c.report(EventCounterReplaced, entry, nil)
	}
	c.confirmed = true
	if result.Won {
		c.secret, c.proof = c.room.successor.secret.hide(), d.Renewal.Proof
		c.issued, c.renewed = true, true
		c.tell(d.Renewal.Kind.event(), &c.identity)
	}
	if result.Won || result.Current && !c.byTicket() && c.movesCookie(result.Persistence) {
		c.deliver(d.Ticket)
	}
	c.cookieEnds = c.engine.config.Cookie.end(result.Persistence, &result.Deadline)
	if c.life.expiry != nil || c.life.idle != nil {
		c.engine.sockets.expectEnd(c.id, result.Expires)
	}
	c.drop()
	c.follow(d, result)
}

func (k RenewalKind) event() EventKind {
	switch k {
	case RenewSignIn:
		return EventSignedIn
	case RenewSignOut:
		return EventSignedOut
	default:
		return EventRenewed
	}
}

// tell reports what has become of a session, which costs nothing if nobody wants to
// know.
func (s *Session) tell(kind EventKind, of *identity) {
	if s.engine.hearsOfLife(s.ctx) {
		s.reportEvent(Event{Kind: kind, Handle: of.handle()})
	}
}

// hearsOfLife reports whether anybody wants to know what becomes of sessions.
func (e *engine) hearsOfLife(ctx context.Context) bool {
	return !e.logsEvents || slog.Default().Enabled(ctx, lifeLevel)
}

// deliver notes that the browser has to learn the session's token, over a live
// connection by the ticket, nil if none is needed.
func (c commit) deliver(ticket *Ticket) {
	c.cookie, c.invitation = cookieSet, c.room.invitation
	if ticket != nil {
		c.live.ticket, c.live.saw = c.live.nextTicket, c.present()
	}
}

// drop forgets what is pending. A session that was to be destroyed is itself
// again.
func (s *Session) drop() {
	if s.life.ending != nil {
		s.become(s.life.ending.identity, unseen)
	}
	s.draft.pending, s.life, s.next = nil, life{}, nil
}

// follow makes the view what the record now is, as far as this session knows it.
func (c commit) follow(d *Delta, result *Result) {
	if c.sight != seen {
		return
	}
	unconditional := *d
	unconditional.Limits, unconditional.MaxBytes = nil, 0
	next := *c.draft.stored
	if entries, _, err := next.Entries.apply(&unconditional); err == nil {
		next.Entries = entries
	}
	next.Created, next.Renewed, next.SignedIn = result.Created, result.Renewed, result.SignedIn
	next.Used, next.Deadline, next.Expires = result.Used, result.Deadline, result.Expires
	if d.Idle != nil {
		next.Idle = *d.Idle
	}
	next.Persistence = result.Persistence
	c.move(seen, &next, nil)
}

// refused deals with a delta that the store did not apply.
func (c commit) refused(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrReused), errors.Is(err, ErrDamaged):
		c.vanish(err)
		if c.refusal != nil {
			return c.refuse()
		}
		return c.create(ctx)
	case errors.Is(err, ErrSuperseded) && !errors.Is(err, ErrSignedOut) && c.room.delta.SignIn != nil:
		c.report(EventSignInApart, "", nil)
		c.beginAfresh()
		return c.create(ctx)
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrOverflow):
		return err
	default:
		return c.lose(err)
	}
}

// limitSessions ends the sessions beyond the limit of each value that a commit of the
// session has set. The commit has succeeded: if this fails, the next sign-in makes up
// for it.
func (e *engine) limitSessions(ctx context.Context, id ID, set iter.Seq[IndexValue]) error {
	if len(e.limited) == 0 {
		return nil
	}
	var errs []error
	for v := range set {
		for _, f := range e.limited {
			if f.Key == v.Field {
				errs = append(errs, e.limitTo(ctx, f, v.Value, id))
			}
		}
	}
	return errors.Join(errs...)
}

func (e *engine) limitTo(ctx context.Context, f *Field, value string, keep ID) error {
	limiter, ok := Ability[Limiter](e.store)
	if !ok { // NewManager would have refused it
		return nil
	}
	ended, err := limiter.Trim(ctx, e.indexValues(f, value), f.Limit, keep, e.clock.read())
	e.tellRevoked(ctx, f.Key, ended)
	return err
}

func (e *engine) tellRevoked(ctx context.Context, field string, n int) {
	if n > 0 && e.hearsOfLife(ctx) {
		e.config.OnEvent(ctx, Event{Kind: EventRevoked, Session: e.name, Field: field, Count: n})
	}
}
