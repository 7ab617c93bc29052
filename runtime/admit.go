package runtime

import "slices"

// admit decides whether the key may operate on the record, and whether it does
// so with the current proof. A load is admitted less than a commit: a request
// that arrived before a sign-in may still store what it did, but sees nothing.
func (r *Record) admit(key Key, commit bool) (next *Record, current bool, err error) {
	if r == nil {
		return nil, false, ErrNotFound
	}
	if !r.Ended.IsZero() {
		return r, false, r.admitToMark(key)
	}
	if !key.Now.Before(r.Expires) {
		return r, false, ErrNotFound
	}
	if key.Ticket {
		return r, true, r.admitTicket(key, commit)
	}
	if key.Proof == r.Proof {
		return r.presented(0, key), true, nil
	}
	i := slices.IndexFunc(r.Earlier, func(e EarlierProof) bool { return e.Proof == key.Proof })
	if i < 0 {
		return r, false, ErrNotFound
	}
	if err := r.Earlier[i].admit(key, commit); err != nil {
		if err == ErrReused {
			return r.Mark(key.Now), false, err
		}
		return r, false, err
	}
	return r.presented(i+1, key), false, nil
}

// admitToMark tells those who held a token of the ended session, and arrived
// while it lived, that it has ended.
func (r *Record) admitToMark(key Key) error {
	held := key.Proof == r.Proof ||
		slices.ContainsFunc(r.Earlier, func(e EarlierProof) bool { return e.Proof == key.Proof })
	if held && key.Arrived().Before(r.Ended) && key.Now.Before(r.Expires) {
		return ErrEnded
	}
	return ErrNotFound
}

func (r *Record) admitTicket(key Key, commit bool) error {
	if !commit || r.Ticket == nil || r.Ticket.Proof != key.Proof || !key.Now.Before(r.Ticket.Ends) {
		return ErrNotFound
	}
	return nil
}

// admits reports whether the browser still has what the handshake saw.
func (t *Ticket) admits(r *Redemption) bool {
	switch {
	case r == nil:
		return false
	case t.Saw == Proof{}:
		return !r.Live
	default:
		return r.Presented == t.Saw || slices.Contains(r.Same, t.Saw)
	}
}

func (e EarlierProof) admit(key Key, commit bool) error {
	if e.SignIn {
		return e.admitAfterSignIn(key, commit)
	}
	if e.Presented.IsZero() {
		return nil
	}
	over := e.Presented.Add(e.Grace)
	switch {
	case key.Now.Before(over):
		return nil
	case key.Held || key.Arrived().Before(over):
		return ErrNotFound
	default:
		return ErrReused
	}
}

func (e EarlierProof) admitAfterSignIn(key Key, commit bool) error {
	if !key.Now.Before(e.Ended.Add(e.Grace)) {
		return ErrNotFound
	}
	arrived := key.Now.Add(-min(key.Age, e.Grace))
	if commit && arrived.Before(e.Ended) {
		return nil
	}
	return ErrSuperseded
}

// presented records that a token has reached a browser, which starts the grace
// of those it has replaced: the earlier proofs from the index on.
func (r *Record) presented(from int, key Key) *Record {
	waiting := func(e EarlierProof) bool { return !e.SignIn && e.Presented.IsZero() }
	if key.Live || !slices.ContainsFunc(r.Earlier[from:], waiting) {
		return r
	}
	next := *r
	next.Earlier = slices.Clone(r.Earlier)
	for i := range next.Earlier[from:] {
		if e := &next.Earlier[from+i]; waiting(*e) {
			e.Presented = key.Now
		}
	}
	return &next
}
