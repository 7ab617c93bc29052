package runtime

import (
	"slices"
	"time"
)

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

func (d *Delta) purpose() purpose {
	if d.Renewal != nil && d.Renewal.Kind == RenewSignOut {
		return toEnd
	}
	return toWrite
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

// redeemable reports whether the browser has what the live connection knew, or
// another token of the same session.
func (r *Record) redeemable(by *Redemption) bool {
	saw := r.Ticket.Saw
	switch {
	case by == nil:
		return false
	case saw == Proof{}:
		return !by.Live
	default:
		return by.Presented == saw || slices.Contains(by.Same, saw) ||
			r.find(saw) != nowhere && r.find(by.Presented) != nowhere
	}
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

// renewalOf decides whether the renewal of a delta takes place, as which kind, and
// whether the delta is admitted at all; admission is what admit says of the proof.
func (r *Record) renewalOf(d *Delta, at slot, key Key, admission error) (kind RenewalKind, renews bool, err error) {
	switch {
	case d.SignIn != nil:
		kind, err = r.signIn(d.SignIn, at, key, admission)
		return kind, err == nil, err
	case admission != nil || d.Renewal == nil:
		return 0, false, admission
	default:
		kind = d.Renewal.Kind
		return kind, kind.endsEarlier() || r.renewable(at, key), nil
	}
}

// endsEarlier reports whether a renewal of the kind ends all tokens before.
func (k RenewalKind) endsEarlier() bool { return k == RenewSignIn || k == RenewSignOut }

// renewable reports whether a renewal that ends nothing takes place by the proof in the
// slot. By a ticket that alone can deliver the session it does, for nobody has its token.
func (r *Record) renewable(at slot, key Key) bool {
	if key.Ticket && r.isUndelivered() {
		return true
	}
	return (r.isCurrent(at) || r.earlier(at).neverReplaced(key.Now)) && r.hasRoom(at, key.Now)
}

// hasRoom reports whether the record can list one proof more without forgetting one
// that may be in use. It would be taken for reuse.
func (r *Record) hasRoom(at slot, now time.Time) bool {
	i := r.fallsOut(at)
	if i >= len(r.Earlier) {
		return true
	}
	e := &r.Earlier[i]
	if e.By == RenewPlain && i >= int(at) {
		return !e.Presented.IsZero() && !now.Before(e.Presented.Add(e.Grace))
	}
	return !now.Before(e.Ended.Add(e.Grace))
}

// fallsOut returns the index of the earlier proof for which there is no room when
// the one in the slot renews: the oldest, but never the one that renews.
func (r *Record) fallsOut(at slot) int {
	switch {
	case len(r.Earlier) < MaxEarlier:
		return MaxEarlier
	case at == MaxEarlier:
		return MaxEarlier - 2
	default:
		return MaxEarlier - 1
	}
}

// neverReplaced reports whether a token was renewed a grace ago and none of its
// successors has been presented: an answer was lost, or somebody keeps one in hand.
func (e *EarlierProof) neverReplaced(now time.Time) bool {
	return e.By == RenewPlain && e.Presented.IsZero() && !now.Before(e.Ended.Add(e.Grace))
}

// signIn decides what becomes of a sign-in. A token that is not the current one may
// sign in if its browser alone can have the record, or if the record is the same
// user's; one that a sign-in has ended only if that was the same user's.
func (r *Record) signIn(s *SignIn, at slot, key Key, admission error) (RenewalKind, error) {
	if admission == nil {
		if r.isCurrent(at) || r.earlier(at).Presented.IsZero() || s.vacant(r.Entries) || s.fits(r.Entries) {
			return RenewSignIn, nil
		}
		return 0, ErrSuperseded
	}
	if at <= current || r.earlier(at).By == RenewPlain {
		return 0, admission
	}
	e := r.earlier(at)
	switch {
	case s.sameUser(r.Entries) && key.Now.Before(e.Ended.Add(e.Grace)):
		return RenewJoin, nil
	case s.sameUser(r.Entries):
		return RenewSignIn, nil
	case slices.ContainsFunc(r.Earlier[:at], func(e EarlierProof) bool { return e.By == RenewSignOut && key.Arrived().Before(e.Ended) }):
		return 0, ErrSignedOut
	default:
		return 0, admission
	}
}

// vacant reports whether the entries identify nobody.
func (s *SignIn) vacant(e Entries) bool {
	return !slices.ContainsFunc(s.Fields, func(f SignInField) bool { return f.Identity && f.stored(e) != "" })
}

// fits reports whether the entries identify exactly whom the delta signs in.
func (s *SignIn) fits(e Entries) bool {
	return !slices.ContainsFunc(s.Fields, func(f SignInField) bool { return f.Identity && f.stored(e) != f.Value })
}

// sameUser reports whether the delta signs in whom the entries have, in every field
// that it sets.
func (s *SignIn) sameUser(e Entries) bool {
	return s.Joins && !slices.ContainsFunc(s.Fields, func(f SignInField) bool { return f.Value != "" && f.stored(e) != f.Value })
}

// stored returns the field's value, empty for none.
func (f *SignInField) stored(e Entries) string {
	if entry, found := e.Get(f.Key); found || f.Was == "" {
		return entry.Value
	}
	entry, _ := e.Get(f.Was)
	return entry.Value
}
