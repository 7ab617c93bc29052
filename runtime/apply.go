package runtime

import (
	"slices"
	"time"
)

// Apply judges an Update and applies the delta. It is small enough to be compiled
// into its callers, so that what a store lets go of takes no memory of the heap.
func (r *Record) Apply(key Key, d *Delta) (*Record, *Result, error) {
	return r.apply(key, d, new(Record), new(Result))
}

// apply is Apply with room for what it returns.
func (r *Record) apply(key Key, d *Delta, next *Record, result *Result) (*Record, *Result, error) {
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
	*next = *admitted
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
	*result = Result{
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
	}
	return next, result, nil
}

func (d *Delta) purpose() purpose {
	if d.Renewal != nil && d.Renewal.Kind == RenewSignOut {
		return toEnd
	}
	return toWrite
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
