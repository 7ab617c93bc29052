package runtime

import "time"

// The three methods below define what a store does in one atomic step. Each
// takes the stored record, nil where there is none, and returns the record to
// store instead: the same pointer where nothing has to be written. A returned
// record that differs is to be stored even when there is an error, which is how
// reuse ends a session.

// Read judges a Load.
func (r *Record) Read(key Key) (*Record, error) {
	next, _, err := r.admit(key, false)
	return next, err
}

// Apply judges an Update and applies the delta.
func (r *Record) Apply(key Key, d *Delta) (*Record, *Result, error) {
	admitted, current, err := r.admit(key, true)
	if err != nil {
		return admitted, nil, err
	}
	if d.CurrentOnly && !current {
		return r, nil, ErrSuperseded
	}
	if key.Ticket && !r.Ticket.admits(d.Redeem) {
		return r, nil, ErrConflict
	}
	entries, replaced, err := r.Entries.apply(d)
	if err != nil {
		return r, nil, err
	}
	// One allocation for both, as every commit needs them.
	out := &struct {
		record Record
		result Result
	}{record: *admitted}
	next := &out.record
	next.Entries = entries
	won := d.Renewal != nil && current
	if won {
		next.renew(d.Renewal, key.Now)
	}
	if d.Ticket != nil && current {
		next.Ticket = d.Ticket
	}
	if key.Ticket {
		next.Ticket = nil
	}
	next.reschedule(d, key.Ticket)
	out.result = Result{
		Won:      won,
		Current:  current,
		Created:  next.Created,
		Renewed:  next.Renewed,
		Deadline: next.Deadline,
		Expires:  next.Expires,
		Replaced: replaced,
	}
	return next, &out.result, nil
}

// End judges a Delete and returns the mark that stays.
func (r *Record) End(key Key) (*Record, error) {
	admitted, _, err := r.admit(key, true)
	switch err {
	case nil:
		if key.Ticket && !r.Ticket.Sole {
			return r, nil
		}
		return r.Mark(key.Now), nil
	case ErrNotFound, ErrEnded:
		return r, nil
	default:
		return admitted, err
	}
}

// renew replaces the proof. A sign-in also ends the earlier tokens that were
// still accepted; those whose life was over stay evidence of reuse. An
// outstanding ticket belongs to the proof before and ends with it: whoever kept
// one could follow the sign-in.
func (r *Record) renew(renewal *Renewal, now time.Time) {
	earlier := make([]EarlierProof, 0, MaxEarlier)
	earlier = append(earlier, EarlierProof{
		Proof:  r.Proof,
		Ended:  now,
		SignIn: renewal.SignIn,
		Grace:  renewal.Grace,
	})
	for _, e := range r.Earlier[:min(len(r.Earlier), MaxEarlier-1)] {
		alive := !e.SignIn && (e.Presented.IsZero() || now.Before(e.Presented.Add(e.Grace)))
		if renewal.SignIn && alive {
			e.Ended, e.SignIn, e.Grace = now, true, renewal.Grace
		}
		earlier = append(earlier, e)
	}
	r.Earlier = earlier
	r.Proof = renewal.Proof
	r.Renewed = now.Truncate(time.Millisecond)
	r.Ticket = nil
}

// reschedule moves the end of the session. Activity moves it only forward; a
// session that only a ticket can deliver ends with the ticket.
func (r *Record) reschedule(d *Delta, redeemed bool) {
	if !d.Deadline.IsZero() {
		r.Deadline = d.Deadline
	}
	end := r.Deadline
	if !d.Active.IsZero() {
		end = earliest(end, latest(d.Active, r.Expires))
	}
	switch {
	case r.Ticket != nil && r.Ticket.Sole:
		r.Expires = earliest(end, r.Ticket.Ends)
	case redeemed || !d.Deadline.IsZero() || !d.Active.IsZero():
		r.Expires = end
	}
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
