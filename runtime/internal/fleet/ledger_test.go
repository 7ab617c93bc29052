package fleet

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/tinylib/msgp/msgp"

	"github.com/duckgen/duckgen/runtime"
)

// malloryID is Mallory's number among the users of a history, those of visitors begin
// with 1.
const malloryID = 9

// A ledger has what the store has acknowledged, and judges each of its answers.
type ledger struct {
	w           *world
	grace       time.Duration
	slack       time.Duration // in which two clocks may not agree what came first
	entries     map[runtime.ID]*entry
	proofs      map[string]runtime.Proof // of the tokens that browsers were given
	cookies     map[string]boundCookie
	revocations map[int64][]revocation
}

// A revocation bars the sign-ins of a user that arrived before, but for some sessions.
type revocation struct {
	at     moment
	time   time.Time
	except []runtime.ID
}

// bars reports whether a revocation bars the action from signing its user in. It came
// by that much after the arrival: a server reckons the arrival from when the operation
// reaches it, which on a loaded machine is milliseconds later.
func (l *ledger) bars(a *action, id runtime.ID, by time.Duration) bool {
	return slices.ContainsFunc(l.revocations[a.user], func(r revocation) bool {
		return r.at >= a.arrived && r.time.Sub(a.arrivedAt) >= by &&
			l.w.now().Before(r.time.Add(runtime.RevocationLife)) && !slices.Contains(r.except, id)
	})
}

// An entry is what is known of one session.
type entry struct {
	bond
	n      int             // its number, in findings
	record *runtime.Record // as it was stored last
	user   int64
	marks  []string
	born   map[runtime.Proof]moment
	cut    moment // the last sign-in or sign-out: tokens from before reach nothing
	copied moment // the last time that two parties got hold of its token
	ended  moment

	// twins are tokens that sign-ins of the same user have joined: they stay good (T8).
	twins map[runtime.Proof]bool

	// late are tokens that have come to a browser after their successors: nothing tells
	// them from those of a thief (T13).
	late map[runtime.Proof]bool
}

func newLedger(w *world, grace, slack time.Duration) *ledger {
	return &ledger{
		w: w, grace: grace, slack: slack,
		entries: map[runtime.ID]*entry{}, proofs: map[string]runtime.Proof{}, cookies: map[string]boundCookie{}, revocations: map[int64][]revocation{},
	}
}

// remembers reports whether the record has the token. Of more than four sign-ins at once
// it forgets those of the first ones, however good (T8).
func (e *entry) remembers(p runtime.Proof) bool {
	_, found := e.earlier(p)
	return found || p == e.record.Proof
}

// lives reports whether the session is there.
func (l *ledger) lives(e *entry) bool {
	return e != nil && e.ended == 0 && l.w.now().Before(e.record.Expires)
}

// isDead reports whether a sign-in or sign-out has ended the token.
func (e *entry) isDead(p runtime.Proof) bool { return e.born[p] < e.cut }

func (e *entry) knows(p runtime.Proof) bool { return e.born[p] > 0 }

// earlier returns what the record remembers of a token that is not the current one.
func (e *entry) earlier(p runtime.Proof) (*runtime.EarlierProof, bool) {
	i := slices.IndexFunc(e.record.Earlier, func(old runtime.EarlierProof) bool { return old.Proof == p })
	if i < 0 {
		return nil, false
	}
	return &e.record.Earlier[i], true
}

// isOver reports whether the grace of a token that a plain renewal has replaced is over.
func (l *ledger) isOver(e *entry, p runtime.Proof) bool {
	old, found := e.earlier(p)
	return found && old.By == runtime.RenewPlain && !old.Presented.IsZero() && !l.w.now().Add(l.slack).Before(old.Presented.Add(old.Grace))
}

// issued takes note of the token in an answer.
func (l *ledger) issued(a *action) {
	var j jar
	j.take(a.lines)
	for _, c := range j {
		if _, known := l.proofs[c.value]; !known {
			l.proofs[c.value] = a.proof
		}
	}
	l.givesBound(a)
}

// received takes note that the tokens in an answer have come to a browser. One that is
// replaced is late if the browser has had a newer one of the session.
func (l *ledger) received(a *action) {
	var j jar
	j.take(a.lines)
	for _, c := range j {
		id, proof := idOf(c.value), l.proofs[c.value]
		e := l.entries[id]
		if e == nil {
			continue
		}
		if e.born[proof] < a.by.newest[id] && proof != e.record.Proof && !e.twins[proof] {
			e.late[proof] = true
		}
		a.by.newest[id] = max(a.by.newest[id], e.born[proof])
	}
}

// copiedAll takes note that the tokens of a Cookie header are in two hands.
func (l *ledger) copiedAll(header string) {
	for _, token := range tokens(header) {
		if e := l.entries[idOf(token)]; e != nil && !e.isDead(l.proofs[token]) {
			e.copied = l.w.moment
		}
	}
}

// opens takes note that the store has let an action use a session.
func (l *ledger) opens(a *action, key runtime.Key, e *entry) {
	if e.ended != 0 {
		l.w.found("R7: %s uses session %d, which has ended", a, e.n)
	}
	a.home, a.shown, a.family, a.step = key.ID, key.Proof, key.Family, l.w.moment
	if a.by == nil || l.w.isShared(key.ID, a.by) {
		e.copied = l.w.moment
	}
	if !slices.Contains(a.opened, key.ID) {
		a.opened = append(a.opened, key.ID)
	}
}

func (l *ledger) loaded(v *view, key runtime.Key, r *runtime.Record, err error) {
	a, e := l.w.running, l.entries[key.ID]
	if err != nil {
		l.refused(a, key, e, err, nil)
		return
	}
	if e == nil {
		l.w.found("S1: %s loads a session that nobody has created", a)
		return
	}
	l.opens(a, key, e)
	if e.isDead(key.Proof) {
		l.w.found("T3: %s loads with a token that a sign-in or a sign-out has ended", a)
	}
	a.shownBound = a.shownBound || a.conn == nil && a.exchange == nil && e.demanded.IsZero() && e.device != nil &&
		boundIn(a.header) == e.current && l.brings(a.header, e, a.arrivedAt)
	l.compare(a, e, r)
	l.note(v, e, key.ID, key.Proof)
}

// compare demands that everything is there that was acknowledged, once.
func (l *ledger) compare(a *action, e *entry, r *runtime.Record) {
	for _, mark := range e.marks {
		if entry, found := r.Entries.Get("cart:" + mark); !found || entry.Count != 1 {
			l.w.found("R7: %s finds %d of the mark %s, which was stored once", a, entry.Count, mark)
		}
	}
}

// note keeps what is stored now.
func (l *ledger) note(v *view, e *entry, id runtime.ID, proof runtime.Proof) {
	r := v.peek(id, proof)
	if r == nil {
		l.w.found("S1: session %d is gone as soon as %s has used it", e.n, l.w.running)
		return
	}
	e.record, e.user = r, userOf(v.Format(), r)
}

func userOf(f runtime.Format, r *runtime.Record) int64 {
	entry, _ := r.Entries.Get("user_id")
	return userIn(f, entry.Value)
}

// userText returns what sessions store of a user.
func userText(f runtime.Format, user int64) string {
	if f == runtime.JSON {
		return strconv.FormatInt(user, 10)
	}
	return string(msgp.AppendInt64(nil, user))
}

func userIn(f runtime.Format, value string) (user int64) {
	if f == runtime.JSON {
		user, _ = strconv.ParseInt(value, 10, 64)
		return user
	}
	user, _, _ = msgp.ReadInt64Bytes([]byte(value))
	return user
}

func (l *ledger) created(v *view, key runtime.Key, r *runtime.Record, err error) {
	a := l.w.running
	if err != nil {
		l.refused(a, key, nil, err, nil)
		return
	}
	if l.entries[key.ID] != nil {
		l.w.found("R7: %s creates session %d again", a, l.entries[key.ID].n)
	}
	a.behind = l.leavesBehind(a)
	e := &entry{n: len(l.entries), record: r, twins: map[runtime.Proof]bool{}, late: map[runtime.Proof]bool{}, born: map[runtime.Proof]moment{r.Proof: l.w.moment}}
	l.entries[key.ID] = e
	l.opens(a, key, e)
	l.note(v, e, key.ID, r.Proof)
	a.proof = r.Proof
	if _, found := r.Entries.Get("@device"); found {
		e.invited, e.invitedAt = a, l.w.now()
	}
	if e.user != 0 {
		e.cut = l.w.moment
		l.signed(a, key.ID, e)
	}
	l.stores(a, e)
}

// stores takes note of a mark that the store has now.
func (l *ledger) stores(a *action, e *entry) {
	if entry, found := e.record.Entries.Get("cart:" + a.mark); found && !slices.Contains(e.marks, a.mark) {
		a.stored = true
		e.marks = append(e.marks, a.mark)
		if entry.Count != 1 {
			l.w.found("V5: %s has put its mark %d times", a, entry.Count)
		}
	}
}

// signed takes note of a sign-in.
func (l *ledger) signed(a *action, id runtime.ID, e *entry) {
	a.signedIn = true
	if e.user != a.user {
		l.w.found("T2: %s signs in %d, and the session is of %d", a, a.user, e.user)
	}
	if l.bars(a, id, l.slack) {
		l.w.found("S2: %s arrived before the revocation of its user, and signs in", a)
	}
}

func (l *ledger) updated(v *view, key runtime.Key, d *runtime.Delta, result *runtime.Result, err error) {
	a, e := l.w.running, l.entries[key.ID]
	if err != nil {
		l.refused(a, key, e, err, d)
		return
	}
	l.opens(a, key, e)
	switch {
	case key.Ticket || !e.isDead(key.Proof):
	case d.SignIn == nil:
		l.w.found("T3: %s writes with a token that a sign-in or a sign-out has ended", a)
	case e.user != a.user:
		l.w.found("T8: %s signs in %d where %d is signed in, with a token that a sign-in has ended", a, a.user, e.user)
	}
	l.bonds(a, e, d)
	l.checkRotation(key, d, result, a, e)
	proof := key.Proof
	l.joins(key, d, result, e)
	if result.Won {
		proof = d.Renewal.Proof
		e.born[proof] = l.w.moment
		a.proof, a.renewed = proof, true
	}
	user := e.user
	l.note(v, e, key.ID, proof)
	if e.user != user {
		l.w.disturbed(key.ID, a.by)
	}
	if result.Won && e.record.Earlier[0].By != runtime.RenewPlain {
		l.replaced(a, key.ID, e)
	}
	if d.SignIn != nil {
		l.signed(a, key.ID, e)
	}
	l.stores(a, e)
}

// joins takes note of a sign-in that has joined another one, and of any other renewal.
func (l *ledger) joins(key runtime.Key, d *runtime.Delta, result *runtime.Result, e *entry) {
	old, found := e.earlier(key.Proof)
	switch {
	case !result.Won:
	case found && d.SignIn != nil && e.isDead(key.Proof) && l.w.now().Before(old.Ended.Add(old.Grace-l.slack)):
		e.twins[e.record.Proof] = true
	default:
		clear(e.twins)
	}
}

// replaced takes note of a sign-in or a sign-out: it ends every token before, unless
// it has joined another one.
func (l *ledger) replaced(a *action, id runtime.ID, e *entry) {
	if e.record.Earlier[0].By != runtime.RenewJoin {
		e.cut = l.w.moment
		if a.by != nil { // the token that its browser has is dead, until it gets the answer
			a.by.user, a.by.mover = unknown, a
		}
	}
	l.w.disturbed(id, a.by)
}

// checkRotation is T4: a renewal takes place if nobody uses one that came between.
func (l *ledger) checkRotation(key runtime.Key, d *runtime.Delta, result *runtime.Result, a *action, e *entry) {
	if d.Renewal == nil || d.Renewal.Kind != runtime.RenewPlain || result.Won || key.Live {
		return
	}
	old, found := e.earlier(key.Proof)
	current := !found || old.By == runtime.RenewPlain && old.Presented.IsZero() && l.w.now().After(old.Ended.Add(old.Grace+l.slack))
	if current && !l.isFull(e, key.Proof) {
		l.w.found("T4: %s renews nothing, although no newer token is in use", a)
	}
}

// isFull reports whether a renewal by the token would have the record forget one that
// may be in use (T12).
func (l *ledger) isFull(e *entry, by runtime.Proof) bool {
	if len(e.record.Earlier) < runtime.MaxEarlier {
		return false
	}
	oldest := e.record.Earlier[runtime.MaxEarlier-1]
	if oldest.Proof == by {
		oldest = e.record.Earlier[runtime.MaxEarlier-2]
		oldest.Presented = oldest.Ended // nobody waits for a token that is newer than the one that is presented
	}
	if oldest.By != runtime.RenewPlain {
		oldest.Presented = oldest.Ended
	}
	return oldest.Presented.IsZero() || !l.w.now().After(oldest.Presented.Add(oldest.Grace+l.slack))
}

// isStored reports whether the session is there.
func (l *ledger) isStored(v *view, id runtime.ID) bool {
	e := l.entries[id]
	return e != nil && v.peek(id, e.record.Proof) != nil
}

func (l *ledger) deleted(_ *view, key runtime.Key, ends bool, err error) {
	a, e := l.w.running, l.entries[key.ID]
	switch {
	case err != nil:
		l.refused(a, key, e, err, nil)
	case ends:
		l.opens(a, key, e)
		if !key.Ticket && e.isDead(key.Proof) {
			l.w.found("T3: %s destroys with a token that a sign-in or a sign-out has ended", a)
		}
		l.checkKey(a, e, "destroys")
		a.ended = true
		l.end(key.ID, e, a.by)
	}
}

// end takes note of the end of a session, which the browser has asked for, if any.
func (l *ledger) end(id runtime.ID, e *entry, by *browser) {
	e.ended = l.w.moment
	l.w.disturbed(id, by)
}

func (l *ledger) revoked(v *view, value runtime.IndexValue, asked moment, n int, except []runtime.ID, err error) {
	a, user := l.w.running, userIn(v.Format(), value.Value)
	if value.Value != userText(v.Format(), user) {
		return // as an earlier type of the field would have stored it: no session has that
	}
	if err != nil {
		l.refused(a, runtime.Key{}, nil, err, nil)
		return
	}
	want := 0
	for id, e := range l.entries {
		if e.user != user || !l.lives(e) {
			continue
		}
		if slices.Contains(except, id) {
			if !slices.Contains(a.opened, id) {
				l.w.found("S2: %s spares a session that it has not proved to hold", a)
			}
			continue
		}
		want++
		l.end(id, e, a.by)
		if v.peek(id, e.record.Proof) != nil {
			l.w.found("S2: %s leaves a session of the user", a)
		}
	}
	if n < want {
		l.w.found("S2: %s ends %d sessions of %d", a, n, want)
	}
	l.revocations[user] = append(l.revocations[user], revocation{asked, l.w.now(), except})
	a.w.browsersForget(user)
}

// refused judges what the store does not let an action do.
func (l *ledger) refused(a *action, key runtime.Key, e *entry, err error, d *runtime.Delta) {
	a.refusal = err
	switch {
	case errors.Is(err, runtime.ErrReused):
		l.judgeAlarm(a, key, e)
	case errors.Is(err, runtime.ErrSuperseded):
		l.judgeSuperseded(a, key, e, d)
	case errors.Is(err, runtime.ErrEnded):
		if (e == nil || e.ended < a.arrived) && !l.bars(a, key.ID, 0) {
			l.w.found("S2: %s is told that its session has ended, and nothing has since it arrived", a)
		}
	case errors.Is(err, runtime.ErrNotFound):
		l.judgeNotFound(a, key, e, d)
	case errors.Is(err, runtime.ErrConflict), errors.Is(err, runtime.ErrExists):
	case a.gone && errors.Is(err, context.Canceled):
		a.failed = true
	default:
		a.failed = true
		l.w.found("S3: %s meets %v", a, err)
	}
}

// judgeAlarm is T5 and T10: there is an alarm only if a token of the one who is signed
// in is in two hands.
func (l *ledger) judgeAlarm(a *action, key runtime.Key, e *entry) {
	switch {
	case e == nil:
		l.w.found("S1: %s raises an alarm in a session that nobody has created", a)
	case (e.copied == 0 || e.copied < e.cut) && !e.late[key.Proof]:
		l.w.found("T5: %s raises an alarm without a thief", a)
	default:
		l.end(key.ID, e, nil)
	}
}

func (l *ledger) judgeSuperseded(a *action, key runtime.Key, e *entry, d *runtime.Delta) {
	signsIn := d != nil && d.SignIn != nil
	switch {
	case e == nil:
		l.w.found("S1: %s is superseded in a session that nobody has created", a)
	case e.isDead(key.Proof):
	case signsIn && key.Proof != e.record.Proof && e.user != 0 && e.user != a.user:
		a.apart = true
	default:
		l.w.found("T3: %s is superseded, and no sign-in has ended its token", a)
	}
}

// judgeNotFound demands that a token which was valid is found as long as its session
// lives, or that its end is an alarm (T5, T12).
func (l *ledger) judgeNotFound(a *action, key runtime.Key, e *entry, d *runtime.Delta) {
	if key.Ticket || key.Live || key.Held || !l.lives(e) || !e.knows(key.Proof) || e.isDead(key.Proof) {
		return
	}
	old, found := e.earlier(key.Proof)
	if found && old.By == runtime.RenewPlain && a.arrivedAt.Before(old.Presented.Add(old.Grace+l.slack)) {
		if signsOut(d) && a.arrivedAt.Before(old.Presented.Add(old.Grace-l.slack)) {
			l.w.found("T4: %s arrived with a token that worked, and its sign-out is refused", a)
		}
		return // it arrived in time, and has waited
	}
	if !found && len(e.record.Earlier) > 0 && a.arrivedAt.Before(e.record.Earlier[0].Ended.Add(l.slack)) {
		if signsOut(d) && key.Family == e.record.Family && a.arrivedAt.Before(e.record.Earlier[0].Ended.Add(-l.slack)) {
			l.w.found("T4: %s arrived before the record forgot its token, and its sign-out is refused", a)
		}
		return // it arrived before the record forgot its token, perhaps, and has waited
	}
	if !found && key.Family != e.record.Family {
		return // sign-ins of the same user have joined it, more than a record remembers (T8)
	}
	l.w.found("T12: %s has a token that was valid, and it is merely unknown", a)
}

func signsOut(d *runtime.Delta) bool {
	return d != nil && d.Renewal != nil && d.Renewal.Kind == runtime.RenewSignOut
}

// A presented token is one that an action has brought.
type presented struct {
	id    runtime.ID
	entry *entry
	proof runtime.Proof
}

// brought returns the token that the action brings, if it is of one session: of several
// the newest that is live.
func (l *ledger) brought(a *action) (sole presented, ok bool) {
	list := tokens(a.header)
	for _, token := range list {
		p := presented{idOf(token), l.entries[idOf(token)], l.proofs[token]}
		if p.entry == nil || !p.entry.knows(p.proof) || len(list) > 1 && !l.lives(p.entry) {
			continue
		}
		switch {
		case !ok || sole.id == p.id && p.entry.born[p.proof] > p.entry.born[sole.proof]:
			sole, ok = p, true
		case sole.id != p.id:
			return presented{}, false
		}
	}
	return sole, ok
}

// waitedTooLong reports whether the record has forgotten the token by which the action
// has used its session, since a sign-in has ended that: it can end nothing any more.
func (l *ledger) waitedTooLong(a *action) bool {
	e := l.entries[a.home]
	return e != nil && !e.remembers(a.shown) && a.family != e.record.Family
}

// leavesBehind judges a new session that begins although the action has brought the
// token of one. It returns what is wrong with that.
func (l *ledger) leavesBehind(a *action) string {
	p, ok := l.brought(a)
	if !ok || a.by == nil || !l.lives(p.entry) {
		return ""
	}
	signsIn := a.op != nil && a.op.signsIn
	old, remembered := p.entry.earlier(p.proof)
	dead := p.entry.isDead(p.proof)
	switch {
	case a.unbound, !l.proves(a, p.entry):
		return "" // it is not known to be on the device
	case errors.Is(a.refusal, runtime.ErrNotFound):
		return "" // it was told so, and that was judged, before what has happened since
	case signsIn && p.entry.user != 0 && p.entry.user != a.user:
		return "" // somebody else is signed in there
	case !dead && l.isOver(p.entry, p.proof):
		return "" // it has waited for too long
	case dead && !remembered:
		return ""
	case dead && old.By == runtime.RenewSignOut:
		if signsIn && !a.apart && len(tokens(a.header)) == 1 && a.arrivedAt.Before(old.Ended.Add(-l.slack)) {
			l.w.found("T3: %s has arrived before a sign-out of its session, and signs in", a)
		}
		return ""
	case dead && !signsIn && !a.arrivedAt.Before(old.Ended.Add(old.Grace-l.slack)):
		return "" // an unknown cookie by now
	case dead && signsIn && p.entry.user == 0:
		return ""
	}
	return "although it brings the token of a session that it could have"
}
