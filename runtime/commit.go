package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"
)

// How often a delta is computed anew when a condition failed, and how many ids
// are tried for a new session.
const (
	maxRetries = 8
	maxIDs     = 4
)

var errNoToken = errors.New("a session that was found has no token here and cannot be renewed: only its own request can sign in or renew")

// Save stores what has changed now instead of when the response begins. If
// that creates or renews the session the cookie joins the response's header at
// once, so call it from the goroutine that writes the response; after the first
// byte of the response, and on a live connection outside an event, that is
// [ErrTooLate] and nothing is stored. What a failing store may have received is
// not sent again.
func (s *Session) Save(ctx context.Context) error {
	s.lock()
	defer s.unlock()
	if err := s.shut(); err != nil {
		return s.fail(err)
	}
	bound := s.engine.bound(ctx)
	defer bound.stop()
	err := commit{s, s.takeRoom()}.run(bound)
	s.showCookie()
	return err
}

// shut returns an error if nothing can be stored any more, or ever.
func (s *Session) shut() error {
	switch s.phase {
	case phaseOutside:
		return ErrNoMiddleware
	case phaseClosed:
		return ErrTooLate
	}
	return nil
}

// showCookie puts a cookie that is due into the header of the response at once.
func (s *Session) showCookie() {
	switch {
	case s.live == nil && s.response != nil:
		responseHeader{s, s.response.Header()}.sendCookie()
	case s.phase == phaseBetween && s.cookie != cookieKept:
		s.cookie = cookieKept
		s.report(EventCookieLate, "", nil)
	}
}

// Discard drops every change that is not stored yet, also that the session is to
// be renewed, to expire at another time, or to end.
func (s *Session) Discard() {
	s.lock()
	defer s.unlock()
	s.drop()
}

// Dirty reports whether the session has changes that are not stored yet.
func (s *Session) Dirty() bool {
	s.lock()
	defer s.unlock()
	return s.dirty()
}

// DirtyFields returns the keys of the fields that have changes, sorted.
func (s *Session) DirtyFields() []string {
	s.lock()
	defer s.unlock()
	keys := make([]string, 0, len(s.draft.pending))
	for i := range s.draft.pending {
		if p := &s.draft.pending[i]; p.changes() {
			keys = append(keys, p.field.Key)
		}
	}
	sort.Strings(keys)
	return keys
}

// Renewed reports whether this request has given the stored session a new token, by
// Renew, a sign-in or a sign-out, or is about to.
func (s *Session) Renewed() bool {
	s.lock()
	defer s.unlock()
	return s.renewed || s.renewing()
}

// Destroyed reports whether this request has ended the stored session, or is about
// to.
func (s *Session) Destroyed() bool {
	s.lock()
	defer s.unlock()
	return s.destroyed || s.life.endsContested || s.life.ending != nil && !s.life.ending.notFound
}

// renewing reports whether the next commit gives a stored session a new token.
func (s *state) renewing() bool {
	return s.hasToken && (s.life.renew || s.draft.signsIn() || s.draft.signsOut())
}

// A response is the end of a request as its session sees it.
type response struct{ *Session }

// commit is the commit of a request, before the first byte of the response
// and at its end. What was done by a handler that failed, or for nobody any more,
// counts only as far as it ends something.
func (r response) commit(failed bool) error {
	if failed && !r.engine.config.CommitFailed {
		r.keepEnds()
	}
	unlearnt := r.dropUnlearnt()
	err := r.hookCommit()
	switch {
	case err != nil:
		return err
	case unlearnt != nil:
		return r.fault("save", unlearnt)
	case r.sight == outage && (r.unsaved || r.engine.config.FailClosed):
		return r.refusal
	}
	return nil
}

// keepEnds drops what is pending but for what ends: a destruction, and fields that
// sign out. It reports whether there was anything else.
func (r response) keepEnds() bool {
	r.life.endsContested = r.life.endsContested || r.leavesContested()
	others := r.life.keepEnding(r.hasToken)
	return r.draft.keepSignOuts() || others
}

// dropUnlearnt drops what is not to be stored once the request is over: what needs
// a cookie, because nobody would learn it, and after a deadline everything else,
// because whoever set it has answered already. What ends something stays. It
// returns an error if there was anything to drop.
func (r response) dropUnlearnt() error {
	over := r.over()
	if over == nil || !r.dirty() {
		return nil
	}
	dropped := false
	switch {
	case errors.Is(over, context.DeadlineExceeded), !r.hasToken, r.draft.signsIn():
		dropped = r.keepEnds()
	case r.life.renew:
		r.life.renew, dropped = false, true
	}
	if !dropped {
		return nil
	}
	return over
}

// keepSignOuts drops what is pending but for renew fields that go back to their
// default. It reports whether there was any other change.
func (d *draft) keepSignOuts() (others bool) {
	d.pending = slices.DeleteFunc(d.pending, func(p pending) bool {
		drops := !p.signsOut()
		others = others || drops && (p.changes() || p.signIn)
		return drops
	})
	return others
}

// over returns an error if nobody waits for the response any more.
func (s *Session) over() error {
	if s.live != nil || s.ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrTooLate, s.ctx.Err())
}

// hookCommit stores what changed, or extends the life of what was only read.
func (s *Session) hookCommit() error {
	dirty := s.dirty()
	if !dirty && !s.extensible() {
		return nil
	}
	c := commit{s, s.takeRoom()}
	if s.engine.atOnce {
		return c.runOrExtend(endless{s}, dirty)
	}
	bound := s.engine.boundIn(c.room.context, s.ctx)
	bound.lasting = true
	defer bound.stop()
	return c.runOrExtend(bound, dirty)
}

func (c commit) runOrExtend(ctx context.Context, dirty bool) error {
	if dirty {
		return c.run(ctx)
	}
	c.extend(ctx)
	return nil
}

// endless is the context of a session without its end, for a store that never waits.
// It is one pointer, so that to pass it on allocates nothing.
type endless struct{ s *Session }

func (endless) Deadline() (end time.Time, ok bool) { return time.Time{}, false }
func (endless) Done() <-chan struct{}              { return nil }
func (endless) Err() error                         { return nil }
func (c endless) Value(key any) any                { return c.s.ctx.Value(key) }

// dirty reports whether the next commit has something to store.
func (s *Session) dirty() bool {
	return s.draft.changes() || s.life.changes(s.hasToken) || s.leavesContested()
}

// leavesContested reports whether a renew field is cleared of a session that may be any
// of several, although there that changes nothing.
func (s *Session) leavesContested() bool {
	leaves := func(p pending) bool { return p.field.Renew && p.scalar.op == changeRemove }
	return !s.hasToken && s.contest.tied() && slices.ContainsFunc(s.draft.pending, leaves)
}

// A commit stores what a session has pending.
type commit struct {
	*Session
	room *commitRoom
}

// takeRoom returns what one commit works with. A store may hold on to that of an
// earlier one.
func (s *Session) takeRoom() *commitRoom {
	c := s.spare
	if c == nil {
		return s.engine.newRoom()
	}
	s.spare = nil
	return c
}

// run stores what is pending. Afterwards nothing is, unless it broke a limit: then
// the program may mend it and save again.
func (c commit) run(ctx context.Context) error {
	if !c.dirty() {
		return nil
	}
	err := c.storePending(ctx)
	if err != nil && c.sight != outage { // a failed load was reported when it failed
		_ = c.fault("save", err)
	}
	return err
}

func (c commit) storePending(ctx context.Context) error {
	if c.draft.signsIn() && !c.leaveDevice() {
		c.signInAnyway()
	}
	if c.refusal != nil {
		return c.refuse()
	}
	if c.engine.store == nil {
		return c.storeLocally()
	}
	if c.life.expiry != nil && c.life.expiry.IsZero() || c.draft.needsRecord() || c.contest.unasked() {
		c.load(ctx)
		c.leaveDevice()
		c.endOverdue()
	}
	c.life.endsContested = c.life.endsContested || c.leavesContested()
	if err := c.endDestroyed(ctx); err != nil {
		return err
	}
	switch {
	case c.refusal != nil:
		return c.refuse()
	case !c.dirty():
		return nil
	}
	if c.engine.config.Bound != BoundNever {
		if err := c.engine.meetClock(ctx); err != nil {
			return c.lose(err)
		}
	}
	if c.hasToken {
		return c.update(ctx)
	}
	return c.create(ctx)
}

// signsIn reports whether a renew field was set.
func (d *draft) signsIn() bool {
	return anyPending(d.pending, func(p *pending) bool { return p.signIn })
}

// needsRecord reports whether the operations depend on what is stored.
func (d *draft) needsRecord() bool {
	return anyPending(d.pending, func(p *pending) bool { return p.any(change.needsRecord) || p.tidies() })
}

func (c change) needsRecord() bool { return c.op == changeFold || c.taken != nil }

// tidies reports whether what is pending of a map also removes stored elements that
// have ended or for which there is no room.
func (p *pending) tidies() bool {
	return p.field.mapped && p.field.TTL > 0 && !p.cleared && p.changes()
}

// refuse drops what is pending: nothing more of this session is committed.
func (c commit) refuse() error {
	c.drop()
	c.unsaved = c.sight == outage
	return c.refusal
}

// signInAnyway has the store judge a sign-in by the token that the browser brought,
// although a load has said that it opens nothing any more: it may be the second one
// of the same user (T8). What depends on the record, which nobody may load, cannot
// be sent with it, and begins a session of its own.
func (c commit) signInAnyway() {
	switch {
	case c.life.ending != nil:
	case errors.Is(c.refusal, ErrSuperseded):
		c.refusal = nil
		c.move(unseen, nil, nil)
	case c.former != nil && !c.hasToken:
		c.become(*c.former, unseen)
	default:
		return
	}
	if c.draft.needsRecord() {
		c.beginAfresh()
	}
}

// beginAfresh leaves a record that somebody else has signed in to. What this
// request wrote begins a new session.
func (c commit) beginAfresh() {
	c.refusal, c.former = nil, nil
	c.become(identity{}, absent)
}

// endOverdue destroys a session whose configured age is over: SetExpiry with the
// zero time goes back to that age.
func (c commit) endOverdue() {
	if c.life.expiry != nil && c.sight == seen && !c.deadline(c.created()).After(c.engine.clock.read()) {
		c.destroy()
	}
}

// endDestroyed ends the session that Destroy was called on.
func (c commit) endDestroyed(ctx context.Context) error {
	if err := c.endContested(ctx); err != nil || c.life.ending == nil {
		return err
	}
	err := c.engine.store.Delete(ctx, c.key(&c.life.ending.identity, c.engine.clock.read()))
	switch {
	case errors.Is(err, ErrEnded), err == nil && c.life.ending.notFound:
		c.life.ending = nil // the cookie may be a newer one by now (R3)
		return nil
	case errors.Is(err, ErrReused):
		c.reportEvent(Event{Kind: EventReused, Handle: c.life.ending.handle()}) // the store has ended the session
	case err != nil:
		return c.lose(err)
	default:
		c.tell(EventDestroyed, &c.life.ending.identity)
	}
	c.life.ending = nil
	c.clearCookie()
	return nil
}

// endContested ends the sessions of all cookies, as far as each one opens its session
// to this browser.
func (c commit) endContested(ctx context.Context) error {
	if !c.life.endsContested {
		return nil
	}
	ends := false
	for _, o := range c.contest.live {
		i := o.token.identity(c.engine.kind)
		i.confirmed = true
		key := c.key(&i, c.engine.clock.read())
		var err error
		if c.engine.config.Bound != BoundNever {
			_, _, err = c.engine.admit(ctx, key, o.record, c.brought, c.request)
		}
		if err == nil {
			err = c.engine.store.Delete(ctx, key)
		}
		switch {
		case err == nil:
			ends = true
			c.tell(EventDestroyed, &i)
		case !isGone(err) && !errors.Is(err, ErrUnbound):
			return c.lose(err)
		}
	}
	c.life.endsContested, c.contest.live = false, nil
	if ends {
		c.clearCookie()
	}
	return nil
}

// clearCookie takes note that this commit has ended what the browser's cookie opened.
func (c commit) clearCookie() {
	c.destroyed = true
	c.cookie, c.unbinds = cookieCleared, true
	if c.live != nil {
		c.live.saw = Proof{} // whatever the browser still holds opens nothing
		c.live.destroyed = true
	}
}

// lose takes note of a commit that was refused or whose outcome is unknown: it
// is not sent again, and nothing more is. After an outage the view stays as it
// was, because an outage is no logout.
func (c commit) lose(err error) error {
	c.drop()
	if errors.Is(err, ErrSuperseded) || errors.Is(err, ErrEnded) {
		c.move(ended, nil, err)
		return err
	}
	if !errors.Is(err, ErrRefused) {
		err = fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	}
	c.move(lost, nil, err)
	return err
}
