package runtime

import (
	"context"
	"errors"
	"fmt"
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
		c.room.delta.Ticket, c.room.ticket = newTicket(c.engine.kind, now, c.present(), renewal.Kind.endsEarlier())
	}
	return nil
}

// movesCookie reports whether something is pending that gives the cookie another
// end: its persistence, or the deadline if the cookie lives until then.
func (c commit) movesCookie(stored Persistence) bool {
	return c.engine.carrier.ambient() &&
		(c.life.persistence != PersistenceConfigured || c.life.expiry != nil && c.engine.config.Cookie.outlives(stored))
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
	c.room.secret, c.room.delta.Renewal = c.renewal(kind, c.engine.config.Grace, c.next)
	return nil
}

// accept takes note of a delta that the store has applied.
func (c commit) accept(result *Result) {
	d := &c.room.delta
	for _, entry := range result.Replaced {
		c.report(EventCounterReplaced, entry, nil)
	}
	c.confirmed = true
	if result.Won {
		c.secret, c.proof, c.family = c.room.secret.hide(), d.Renewal.Proof, d.Renewal.Family
		c.issued, c.renewed = true, true
		c.tell(d.Renewal.Kind.event(), &c.identity)
	}
	if result.Won || result.Current && !c.byTicket() && c.movesCookie(result.Persistence) {
		c.deliver(d.Ticket, c.room.ticket)
	}
	c.cookieEnds = c.engine.config.Cookie.end(result.Persistence, result.Deadline)
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
