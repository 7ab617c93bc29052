package runtime

import "time"

// The three methods below define what a store does in one atomic step. Each
// takes the stored record, nil where there is none, and returns the record to
// store instead: the same pointer where nothing has to be written. A returned
// record that differs is to be stored even when there is an error, which is how
// reuse ends a session.

// Read judges a Load.
func (r *Record) Read(key Key) (*Record, error) {
	next, _, err := r.admit(key, toRead)
	return next, err
}

// Apply judges an Update and applies the delta.
func (r *Record) Apply(key Key, d *Delta) (*Record, *Result, error) {
	admitted, at, err := r.admit(key, d.purpose())
	kind, renews, err := r.renewalOf(d, at, key, err)
	if err != nil {
		return admitted, nil, err
	}
	if key.Ticket && (!renews || !r.redeemable(d.Redeem)) {
		return r, nil, ErrConflict
	}
	entries, replaced, err := r.Entries.apply(d)
	if err != nil {
		return r, nil, err
	}
	next := *admitted
	next.Entries = entries
	isCurrent := renews || r.isCurrent(at)
	if renews {
		next.renew(kind, d.Renewal, at, key.Now)
	}
	if d.Ticket != nil && renews {
		next.Ticket = r.nextTicket(d.Ticket)
	}
	if key.Ticket {
		next.Ticket = nil
	}
	next.reschedule(d, r.isUndelivered())
	return &next, &Result{
		Won:      renews,
		Current:  isCurrent,
		Created:  next.Created,
		Renewed:  next.Renewed,
		SignedIn: next.SignedIn,
		Used:     next.Used,
		Deadline: next.Deadline,
		Expires:  next.Expires,
		Replaced: replaced,

		Persistence: next.Persistence,
	}, nil
}

// End judges a Delete and returns the mark that stays.
func (r *Record) End(key Key) (*Record, error) {
	admitted, _, err := r.admit(key, toEnd)
	switch err {
	case nil:
		if key.Ticket && !r.isUndelivered() {
			return r, nil
		}
		return r.Mark(key.Now), nil
	case ErrNotFound:
		return r, nil
	default:
		return admitted, err
	}
}

// renew replaces the proof. An outstanding ticket belongs to the proof before and
// ends with it: whoever kept one could follow the sign-in.
func (r *Record) renew(kind RenewalKind, renewal *Renewal, at slot, now time.Time) {
	earlier := make([]EarlierProof, 0, MaxEarlier)
	earlier = append(earlier, EarlierProof{Proof: r.Proof, Ended: now, By: kind, Grace: renewal.Grace})
	for i, e := range r.Earlier {
		if i == r.fallsOut(at) {
			continue
		}
		if e.By == RenewJoin && kind != RenewJoin || e.By == RenewPlain && kind.endsEarlier() {
			e = EarlierProof{Proof: e.Proof, Ended: now, By: kind, Grace: renewal.Grace}
		}
		earlier = append(earlier, e)
	}
	r.Earlier = earlier
	r.Proof, r.Family = renewal.Proof, renewal.Family
	r.Renewed = now.Truncate(time.Millisecond)
	r.Ticket = nil
	switch kind {
	case RenewSignIn:
		r.SignedIn = r.Renewed
	case RenewSignOut:
		r.SignedIn = time.Time{}
	}
}

// isUndelivered reports whether only a ticket can bring the session to its browser.
func (r *Record) isUndelivered() bool { return r.Ticket != nil && r.Ticket.Sole }

// nextTicket returns the ticket of a delta as it is stored. As long as the browser has
// not got the session's token, it has what it had when the first ticket was made.
func (r *Record) nextTicket(t *Ticket) *Ticket {
	if !r.isUndelivered() {
		return t
	}
	next := *t
	next.Saw, next.Sole = r.Ticket.Saw, true
	return &next
}

// reschedule moves the end of the session. Activity moves it only forward, and a new
// idle limit either way; a session that only a ticket can deliver ends with the
// ticket, until that is redeemed or a renewal has brought the session otherwise.
func (r *Record) reschedule(d *Delta, wasUndelivered bool) {
	if !d.Deadline.IsZero() {
		r.Deadline = d.Deadline
	}
	if d.Idle != nil {
		r.Idle = *d.Idle
	}
	if d.Persistence != PersistenceConfigured {
		r.Persistence = d.Persistence
	}
	end, active := r.Deadline, r.use(d)
	if !active.IsZero() {
		if d.Idle == nil {
			active = latest(active, r.Expires)
		}
		end = earliest(end, active)
	}
	switch {
	case r.isUndelivered():
		r.Expires = earliest(end, r.Ticket.Ends)
	case wasUndelivered || !d.Deadline.IsZero() || !active.IsZero() || d.Idle != nil:
		r.Expires = end
	}
}

// LastUsed returns the last recorded activity. A creation and a renewal are
// activity, too.
func (r *Record) LastUsed() time.Time { return latest(r.Used, r.Renewed) }

// use records activity, and returns the end of the idle limit as it moves it, zero
// for no activity or no limit.
func (r *Record) use(d *Delta) time.Time {
	active := d.Active
	if r.Idle > 0 && !d.Used.IsZero() {
		active = d.Used.Add(r.Idle)
	}
	if !active.IsZero() {
		r.Used = latest(r.Used, d.Used)
	}
	return active
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
