package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// create stores a new session with what this request wrote, if that is
// anything.
func (c commit) create(ctx context.Context) error {
	for range maxIDs {
		now := c.engine.clock.read()
		fresh := c.issue()
		r, err := c.newRecord(&fresh, now)
		if err != nil {
			return err
		}
		if r == nil {
			c.drop()
			return nil
		}
		if c.tooLate() {
			c.drop()
			return ErrTooLate
		}
		if over := c.over(); over != nil {
			c.drop()
			return over
		}
		key := Key{ID: fresh.id, Proof: fresh.present(), Now: now, Age: c.age(now), Held: true, Live: true}
		err = c.engine.store.Create(ctx, key, r)
		switch {
		case errors.Is(err, ErrExists):
			c.id = ID{}
			continue
		case errors.Is(err, ErrTooLarge):
			return err
		case err != nil:
			return c.lose(err)
		}
		c.identity, c.confirmed = fresh, true
		c.cookieEnds = c.engine.config.Cookie.end(r.Persistence, &r.Deadline)
		c.deliver(r.Ticket)
		c.drop()
		c.move(seen, r, nil)
		c.tell(EventCreated, &c.identity)
		if !r.SignedIn.IsZero() {
			c.tell(EventSignedIn, &c.identity)
		}
		if err := c.engine.limitSessions(ctx, c.id, r.IndexValues(nil)); err != nil {
			_ = c.fault("limit", err)
		}
		return nil
	}
	return fmt.Errorf("%w: %d ids tried, is the random source broken?", ErrExists, maxIDs)
}

// issue makes the token of a session to be created: under the id that was reserved
// for it, if one was.
func (c commit) issue() identity {
	t := newToken()
	switch {
	case c.reserved != nil:
		t.id, c.reserved = *c.reserved, nil
	case c.id != ID{}:
		t.id = c.id
	}
	if c.next != nil {
		t.secret = c.next.show().renewed()
	}
	c.id = t.id
	fresh := t.identity(c.engine.kind)
	fresh.issued = true
	return fresh
}

// newRecord returns the record of a new session, nil if nothing would be in
// it.
func (c commit) newRecord(fresh *identity, now time.Time) (*Record, error) {
	entries, err := c.draft.on(Entries{}, c.room.ops[:0], &c.room.delta, c.engine.config.MaxBytes)
	if err != nil || entries.Len() == 0 && !c.life.begin {
		return nil, err
	}
	if c.invites(true) {
		entries, _, _ = entries.apply(&Delta{Ops: []Op{c.invite(now)}})
	}
	created := now.Truncate(time.Millisecond)
	deadline := c.deadline(created)
	r := &Record{
		Kind:     c.engine.kind,
		Proof:    fresh.present(),
		Family:   fresh.presentFamily(),
		Created:  created,
		Renewed:  created,
		Deadline: deadline,
		Expires:  c.engine.expires(now, deadline, c.life.ownIdle(0)),
		Entries:  entries,

		Idle:        c.life.ownIdle(0),
		Persistence: c.life.persistence,
	}
	if c.draft.signsIn() {
		r.SignedIn = created
	}
	if c.byTicket() {
		r.Ticket, c.live.nextTicket = newTicket(c.engine.kind, now, c.live.saw, true)
		r.Expires = earliest(r.Expires, r.Ticket.Ends)
	}
	return r, nil
}

// storeLocally serves a session without a store, as tests of handlers have it.
func (c commit) storeLocally() error {
	c.destroyed = c.destroyed || c.life.ending != nil
	c.renewed = c.renewed || c.renewing()
	c.life.ending = nil
	now := c.engine.clock.read()
	next := Record{Created: now.Truncate(time.Millisecond), Renewed: now.Truncate(time.Millisecond)}
	if c.draft.stored != nil {
		next = *c.draft.stored
	}
	entries, err := c.draft.on(next.Entries, c.room.ops[:0], &c.room.delta, c.engine.config.MaxBytes)
	if err != nil {
		return err
	}
	switch {
	case c.draft.signsIn():
		next.SignedIn = now.Truncate(time.Millisecond)
	case c.draft.signsOut():
		next.SignedIn = time.Time{}
	}
	next.Deadline = c.deadline(next.Created)
	next.Idle = c.life.ownIdle(next.Idle)
	next.Expires = c.engine.expires(now, next.Deadline, next.Idle)
	next.Entries = entries
	next.Persistence = cmp.Or(c.life.persistence, next.Persistence)
	c.drop()
	c.move(seen, &next, nil)
	return nil
}
