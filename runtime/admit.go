package runtime

import "slices"

// A slot says where a record has a proof: as the current one, or as the n-th
// earlier one.
type slot int

const (
	nowhere slot = -1
	current slot = 0
)

// find returns where the record has the proof.
func (r *Record) find(p Proof) slot {
	if p == r.Proof {
		return current
	}
	i := slices.IndexFunc(r.Earlier, func(e EarlierProof) bool { return e.Proof == p })
	if i < 0 {
		return nowhere
	}
	return slot(i + 1)
}

func (r *Record) earlier(at slot) *EarlierProof { return &r.Earlier[at-1] }

// isCurrent reports whether the proof in the slot is the current one, or one that is
// as good.
func (r *Record) isCurrent(at slot) bool {
	return at == current || at > current && r.earlier(at).By == RenewJoin
}

// A purpose is what an operation is for.
type purpose int

const (
	toRead purpose = iota
	toWrite
	toEnd // the session, or the user's being signed in to it
)

// [Record.Read], [Record.Apply] and [Record.End] define what a store does in one
// atomic step. Each takes the stored record, nil if there is none, and returns the
// record to store instead: the same pointer if nothing has to be written. A returned
// record that differs is to be stored even when there is an error, which is how
// reuse ends a session.

// Read judges a Load.
func (r *Record) Read(key Key) (*Record, error) {
	next, _, err := r.admit(key, toRead)
	return next, err
}

// admit decides whether the key may operate on the record, and says where its
// proof is. The record that it returns has taken note of the presentation.
func (r *Record) admit(key Key, to purpose) (next *Record, at slot, err error) {
	switch {
	case r == nil:
		return nil, nowhere, ErrNotFound
	case !r.Ended.IsZero():
		return r, nowhere, r.admitToMark(key)
	case !key.Now.Before(r.Expires):
		return r, nowhere, ErrNotFound
	case key.Ticket:
		return r, current, r.admitTicket(key, to)
	}
	at = r.find(key.Proof)
	if err := r.admitProof(at, key, to); err != nil {
		if err == ErrReused {
			return r.Mark(key.Now), at, err
		}
		return r, at, err
	}
	return r.presented(at, key), at, nil
}

// admitToMark answers those who held a token of the ended session, and arrived
// while it lived, that it has ended.
func (r *Record) admitToMark(key Key) error {
	if r.find(key.Proof) != nowhere && key.Arrived().Before(r.Ended) && key.Now.Before(r.Expires) {
		return ErrEnded
	}
	return ErrNotFound
}

func (r *Record) admitTicket(key Key, to purpose) error {
	if to == toRead || r.Ticket == nil || r.Ticket.Proof != key.Proof || !key.Now.Before(r.Ticket.Ends) {
		return ErrNotFound
	}
	return nil
}

func (r *Record) admitProof(at slot, key Key, to purpose) error {
	switch {
	case at == nowhere:
		return r.admitForgotten(key, to)
	case r.isCurrent(at):
		return nil
	case r.earlier(at).By == RenewPlain:
		return r.earlier(at).admitAfterRenewal(key, to)
	default:
		return r.earlier(at).admitAfterSignIn(key)
	}
}

// admitForgotten judges a proof that the record does not have. One of its family was
// replaced so long ago that it is not listed any more. A request that arrived when it
// may still have been may end the session, as one with a listed token may: whoever
// shows it later does that, too, as reuse.
func (r *Record) admitForgotten(key Key, to purpose) error {
	waited := len(r.Earlier) > 0 && key.Arrived().Before(r.Earlier[0].Ended)
	switch {
	case !r.isFamily(key.family()):
		return ErrNotFound
	case waited && to == toEnd:
		return nil
	case waited:
		return ErrNotFound
	default:
		return reused(key)
	}
}

func (r *Record) isFamily(f Family) bool { return f == r.Family && f != Family{} }

// admitAfterRenewal lets a request that arrived in time end the session, however
// long it has waited: nobody stays signed in who was told otherwise.
func (e *EarlierProof) admitAfterRenewal(key Key, to purpose) error {
	over := e.Presented.Add(e.Grace)
	switch {
	case e.Presented.IsZero() || key.Now.Before(over):
		return nil
	case key.Arrived().Before(over) && to == toEnd:
		return nil
	case key.Arrived().Before(over):
		return ErrNotFound
	default:
		return reused(key)
	}
}

// reused is the answer to a token that was replaced, unless a request or a live
// connection may have held it meanwhile.
func reused(key Key) error {
	if key.Held {
		return ErrNotFound
	}
	return ErrReused
}

// admitAfterSignIn tells a token that was superseded moments before the request
// arrived from one that has been unknown for long.
func (e *EarlierProof) admitAfterSignIn(key Key) error {
	if key.Arrived().Before(e.Ended.Add(e.Grace)) {
		return ErrSuperseded
	}
	return ErrNotFound
}

// presented records that a token has reached a browser, which starts the grace
// of those that plain renewals have replaced by it: the earlier ones from there on.
func (r *Record) presented(at slot, key Key) *Record {
	waiting := func(e EarlierProof) bool { return e.By == RenewPlain && e.Presented.IsZero() }
	if key.Live || at == nowhere || !slices.ContainsFunc(r.Earlier[at:], waiting) {
		return r
	}
	next := *r
	next.Earlier = slices.Clone(r.Earlier)
	for i := range next.Earlier[at:] {
		if e := &next.Earlier[int(at)+i]; waiting(*e) {
			e.Presented = key.Now
		}
	}
	return &next
}
