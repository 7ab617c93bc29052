package runtime

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	// maxOwnProofs is how many of its own renewals a connection recognises when
	// the store notifies of them late.
	maxOwnProofs = 8

	// signInAgain is how long a page may stay that has come with a token which a sign-in
	// has ended. If that was its own, of which the answer is lost, it gets no other
	// cookie, but may have the event sent again (T8).
	signInAgain = 5 * time.Second

	// maxHeard is how many renewals are kept for the end of a running event.
	maxHeard = 8
)

// A socket is one live connection, and judges whether it may stay open. What a
// store notifies of is a hint, so the store is asked before anything closes:
//
//	it hears of                                  and
//	  a renewal that is its own                  stays
//	  an earlier expiry                          asks the store, unless it hears more of that at once
//	  any other change of its session            asks the store
//	  changes that may have been missed          asks the store
//	an event has
//	  destroyed the session                      closes as ended
//	  met that it has ended                      closes as ended
//	  met a sign-in elsewhere                    is sent to reconnect
//	  met that it has to prove its device        is sent to reconnect
//	  begun another session after that           is sent to reconnect
//	the store answers that the session
//	  lives, with its token or one as good       stays, and asks again when it expires or a proof is due
//	  lives, with a newer token                  is sent to reconnect; after connecting it may stay for the grace
//	  was signed in elsewhere                    is sent to reconnect
//	  lives, and its device has to be proved     is sent to reconnect
//	  has ended                                  closes as ended
//	the store does not answer                    stays, and asks again soon
//
// While an event runs, judgement waits for its end. The fields are guarded by
// sockets.mu.
type socket struct {
	all  *sockets
	conn LivelyCloser
	ctx  context.Context // ends with the connection

	cancel context.CancelFunc // of ctx
	closed sync.Once

	id    ID      // of the session; zero: none
	own   []Proof // which this connection presents or has made, the current one last
	timer *time.Timer

	proved time.Time // until when no further proof of the device is needed; zero: for ever

	running  bool    // an event
	begun    uint64  // sockets.changes when it began
	renewals []Proof // heard of meanwhile
	doubtful bool    // the store is to be asked at the end of the event
	left     bool    // the event has left the session, which closes with it
	end      LivelyEnd
	gone     bool // disconnected or being closed
}

// opened judges a connection that has just been opened. superseded says that the token
// of its handshake was ended by a sign-in.
func (x *socket) opened(superseded bool) {
	if !superseded {
		x.check(false)
		return
	}
	x.all.mu.Lock()
	defer x.all.mu.Unlock()
	x.waitFor(signInAgain)
}

// disconnect takes the connection out. Calls after the first do nothing.
func (x *socket) disconnect() {
	x.closed.Do(func() {
		x.cancel()
		x.all.mu.Lock()
		x.leave()
		x.all.mu.Unlock()
		x.all.unwatch()
	})
}

// hear takes note of a change of the session. Whether a renewal is its own, an
// event that runs may learn only after this. The lock is held.
func (x *socket) hear(c Change) {
	switch {
	case c.Kind == SessionRescheduled:
		x.waitFor(0)
	case c.Kind != SessionRenewed:
		x.doubt()
	case slices.Contains(x.own, c.Proof):
	case x.running && len(x.renewals) < maxHeard:
		x.renewals = append(x.renewals, c.Proof)
	default:
		x.doubt()
	}
}

// doubt has the store asked, soon or at the end of the running event. The lock is
// held.
func (x *socket) doubt() {
	if x.running {
		x.doubtful = true
		return
	}
	x.all.due[x] = true
	if !x.all.checking {
		x.all.checking = true
		go x.all.checkDue()
	}
}

// leave takes the socket out of its group. The lock is held.
func (x *socket) leave() {
	x.gone = true
	x.join(ID{})
	delete(x.all.due, x)
	if x.timer != nil {
		x.timer.Stop()
	}
}

// join puts the socket under the id. The lock is held.
func (x *socket) join(id ID) {
	if x.id == id {
		return
	}
	if x.id != (ID{}) {
		rest := slices.DeleteFunc(x.all.byID[x.id], func(other *socket) bool { return other == x })
		if len(rest) == 0 {
			delete(x.all.byID, x.id)
		} else {
			x.all.byID[x.id] = rest
		}
	}
	x.id = id
	if id != (ID{}) {
		x.all.byID[id] = append(x.all.byID[id], x)
	}
}

// begin holds back judgement while an event runs. It may be called again before
// the event's end. All three methods of an event do nothing for a connection that
// is none of this group.
func (x *socket) begin() {
	if x == nil {
		return
	}
	x.all.mu.Lock()
	defer x.all.mu.Unlock()
	if !x.running {
		x.running, x.begun = true, x.all.changes
	}
}

// moved takes note of the session that the connection now has, a zero id for
// none, before the page is told: its answer may come before the event ends. If it
// is not the one of before, either the event has destroyed that, or somebody else
// has signed in with it.
func (x *socket) moved(id ID, proof Proof, expires time.Time, destroyed bool) {
	if x == nil {
		return
	}
	x.all.mu.Lock()
	defer x.all.mu.Unlock()
	if x.gone {
		return
	}
	if id != (ID{}) && (len(x.own) == 0 || x.current() != proof) {
		x.own = append(x.own[max(0, len(x.own)-maxOwnProofs+1):], proof)
	}
	if id == x.id {
		return
	}
	if x.id != (ID{}) {
		x.left, x.end = true, LivelyReconnect
		if destroyed {
			x.end = LivelyEnded
		}
	}
	x.join(id)
	if x.running && id != (ID{}) && x.begun != x.all.changes {
		x.doubtful = true // what changed may have been the new id's
	}
	if !expires.IsZero() {
		x.wait(expires)
	}
}

// finish judges what was heard during the event, and what the event met: an end
// that the store answered with.
func (x *socket) finish(met error) {
	if x == nil {
		return
	}
	end, closes, ask := x.judge(met)
	switch {
	case closes:
		x.conn.CloseLively(end)
	case ask:
		x.check(true)
	}
}

func (x *socket) judge(met error) (end LivelyEnd, closes, ask bool) {
	x.all.mu.Lock()
	defer x.all.mu.Unlock()
	ask = x.doubtful || slices.ContainsFunc(x.renewals, func(p Proof) bool { return !slices.Contains(x.own, p) })
	x.running, x.doubtful, x.renewals = false, false, nil
	switch {
	case x.gone:
		return end, false, false
	case errors.Is(met, ErrEnded):
		end, closes = LivelyEnded, true
	case errors.Is(met, ErrSuperseded), errors.Is(met, ErrUnbound):
		end, closes = LivelyReconnect, true
	default:
		end, closes = x.end, x.left
	}
	if closes {
		x.leave()
	}
	return end, closes, ask
}

// check asks the store whether the session still lives, and closes the
// connection if it does not. A socket whose token is an earlier one is sent to
// reconnect if strict; without that it may stay for the grace, in which the
// browser gets the new cookie. It reports whether the store has answered.
func (x *socket) check(strict bool) (answered bool) {
	id, proof, ok := x.presents()
	if !ok {
		return true
	}
	ctx, cancel := context.WithTimeout(x.ctx, x.all.limit)
	defer cancel()
	record, err := x.all.store.Load(ctx, Key{ID: id, Proof: proof, Now: x.all.clock.read(), Held: true, Live: true})
	if end, closes := x.answered(id, proof, record, err, strict); closes {
		x.conn.CloseLively(end)
	}
	if err == nil || isGone(err) || x.ctx.Err() != nil {
		return true
	}
	x.all.fault(x.ctx, id, err)
	return false
}

// pause ends with the connection at the latest.
func (x *socket) pause(d time.Duration) {
	ctx, cancel := context.WithTimeout(x.ctx, d)
	defer cancel()
	<-ctx.Done()
}

// answered judges what the store answered to the id and the proof, and says when
// to ask again.
func (x *socket) answered(id ID, proof Proof, r *Record, err error, strict bool) (end LivelyEnd, closes bool) {
	x.all.mu.Lock()
	defer x.all.mu.Unlock()
	renewed := err == nil && !r.isCurrent(r.find(proof))
	switch {
	case x.gone || x.id != id || x.current() != proof:
		return end, false
	case x.running:
		x.doubtful = true
		return end, false
	case errors.Is(err, ErrSuperseded), renewed && strict, err == nil && !x.provesDevice(r):
		x.leave()
		return LivelyReconnect, true
	case renewed:
		x.waitFor(x.all.grace)
	case err == nil:
		x.wait(r.Expires)
	case isGone(err):
		x.leave()
		return LivelyEnded, true
	default:
		x.waitFor(x.all.limit)
	}
	return end, false
}

// provesDevice reports whether the connection may go on as far as the session's
// device is concerned.
func (x *socket) provesDevice(r *Record) bool {
	now := x.all.clock.read()
	if x.proved.IsZero() || now.Before(x.proved) {
		return true
	}
	until, err := x.all.prove(r, now)
	x.proved = until
	return err == nil
}

// current returns the proof that the connection presents. It has one if it has a
// session.
func (x *socket) current() Proof { return x.own[len(x.own)-1] }

// presents returns what the socket presents to the store, if it has a session
// and no event runs. At the end of an event that runs it is checked.
func (x *socket) presents() (id ID, proof Proof, ok bool) {
	x.all.mu.Lock()
	defer x.all.mu.Unlock()
	switch {
	case x.gone || x.id == (ID{}):
		return ID{}, Proof{}, false
	case x.running:
		x.doubtful = true
		return ID{}, Proof{}, false
	default:
		return x.id, x.current(), true
	}
}

// wait checks the socket when its session ends unless it is used, or its device is
// to be proved. The lock is held.
func (x *socket) wait(until time.Time) {
	if !x.proved.IsZero() {
		until = earliest(until, x.proved)
	}
	x.waitFor(until.Sub(x.all.clock.read()))
}

func (x *socket) waitFor(d time.Duration) {
	d = min(max(d, shortestWait), longestWait)
	if x.timer == nil {
		x.timer = time.AfterFunc(d, func() { x.check(true) })
		return
	}
	x.timer.Reset(d)
}
