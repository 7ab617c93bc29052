package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// maxOwnProofs is how many of its own renewals a connection recognises when
	// the store tells of them late.
	maxOwnProofs = 8

	// maxHeard is how many changes are kept for the end of a running event.
	maxHeard = 8

	// longestWait bounds how long a connection relies on the end of its session
	// that it knows: a request of another process may have brought that forward, and
	// not every store tells.
	longestWait = 15 * time.Minute

	// shortestWait keeps a connection from asking a store again and again whose
	// clock or answer differs.
	shortestWait = 50 * time.Millisecond

	// outagePause is how soon, and outageTries how often, a store that does not
	// answer is asked again before the next of all connections is checked.
	outagePause = time.Second
	outageTries = 3
)

// sockets are the live connections of one manager, by session. While there are
// any, the store is watched.
type sockets struct {
	store Store
	clock *clock
	grace time.Duration
	fault func(context.Context, error)

	watching sync.Mutex // held while watching begins and ends
	open     int
	stop     context.CancelFunc

	mu      sync.Mutex // never held while a session or the store is waited for
	byID    map[ID][]*socket
	told    uint64 // changes so far
	sweeps  bool   // all sockets are being checked
	another bool   // and have to be once more
}

// socket is one live connection. Its fields are guarded by sockets.mu.
type socket struct {
	all  *sockets
	conn LivelyCloser
	ctx  context.Context // ends with the connection

	cancel context.CancelFunc // of ctx
	closed sync.Once

	id    ID      // of the session; zero: none
	own   []Proof // which this connection presents or has made, the current one last
	timer *time.Timer

	running bool     // an event
	begun   uint64   // sockets.told when it began
	heard   []Change // meanwhile, to be judged at its end
	gone    bool     // disconnected or told to close
}

func newSockets(store Store, clock *clock, grace time.Duration, fault func(context.Context, error)) *sockets {
	return &sockets{store: store, clock: clock, grace: grace, fault: fault, byID: map[ID][]*socket{}}
}

// connect adds a connection, which belongs to no session yet.
func (all *sockets) connect(ctx context.Context, conn LivelyCloser) (*socket, error) {
	if err := all.watch(ctx); err != nil {
		return nil, err
	}
	x := &socket{all: all, conn: conn}
	x.ctx, x.cancel = context.WithCancel(ctx)
	return x, nil
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

// watch counts a connection. The first one begins to watch the store.
func (all *sockets) watch(ctx context.Context) error {
	all.watching.Lock()
	defer all.watching.Unlock()
	if all.open == 0 {
		if err := all.startWatching(ctx); err != nil {
			return err
		}
	}
	all.open++
	return nil
}

// startWatching watches beyond the life of the connection that begins it, but
// gives up beginning with that.
func (all *sockets) startWatching(ctx context.Context) error {
	watcher, ok := ability[Watcher](all.store)
	if !ok {
		all.stop = func() {}
		return nil
	}
	watched, stop := context.WithCancel(context.WithoutCancel(ctx))
	keep := context.AfterFunc(ctx, stop)
	err := watcher.Watch(watched, all.hear)
	if !keep() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		stop()
		return err
	}
	all.stop = stop
	return nil
}

func (all *sockets) unwatch() {
	all.watching.Lock()
	defer all.watching.Unlock()
	if all.open--; all.open == 0 {
		all.stop()
	}
}

// hear is told of every change.
func (all *sockets) hear(c Change) {
	all.mu.Lock()
	all.told++
	if c.Kind == ChangesMissed {
		all.checkAll()
		all.mu.Unlock()
		return
	}
	var others []*socket
	for _, x := range all.byID[c.ID] {
		switch {
		case c.Kind == SessionRescheduled:
			x.waitFor(0)
		case x.running:
			x.keep(c)
		case !x.causes(c):
			others = append(others, x)
		}
	}
	for _, x := range others {
		x.leave()
	}
	all.mu.Unlock()
	for _, x := range others {
		x.conn.CloseLively(endOf(c))
	}
}

// keep keeps a change for the end of the running event. Of too many the store is
// asked instead. The lock is held.
func (x *socket) keep(c Change) {
	if len(x.heard) == maxHeard {
		x.heard[0] = Change{Kind: ChangesMissed}
		return
	}
	x.heard = append(x.heard, c)
}

// causes reports whether the change is this connection's own renewal.
func (x *socket) causes(c Change) bool {
	return c.Kind == SessionRenewed && slices.Contains(x.own, c.Proof)
}

func endOf(c Change) LivelyEnd {
	if c.Kind == SessionRenewed {
		return LivelyReconnect
	}
	return LivelyEnded
}

// leave takes the socket out of its group. The lock is held.
func (x *socket) leave() {
	x.gone = true
	x.join(ID{})
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
		x.running, x.begun = true, x.all.told
	}
}

// moved takes note of the session that the connection now has, a zero id for
// none, before the page is told: its answer may come before the event ends.
func (x *socket) moved(id ID, proof Proof, expires time.Time) {
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
	x.join(id)
	if x.running && id != (ID{}) && x.begun != x.all.told {
		x.keep(Change{Kind: ChangesMissed}) // of the new id, perhaps
	}
	if !expires.IsZero() {
		x.wait(expires)
	}
}

// finish judges what was heard during the event, and what the event met: an end
// that it was told by the store rather than by the watcher.
func (x *socket) finish(met error) {
	if x == nil {
		return
	}
	x.all.mu.Lock()
	heard := x.heard
	x.running, x.heard = false, nil
	if x.gone {
		x.all.mu.Unlock()
		return
	}
	end, closes, doubt := x.judge(heard, met)
	if closes {
		x.leave()
	}
	x.all.mu.Unlock()
	switch {
	case closes:
		x.conn.CloseLively(end)
	case doubt:
		x.check(true)
	}
}

func (x *socket) judge(heard []Change, met error) (end LivelyEnd, closes, doubt bool) {
	switch {
	case errors.Is(met, ErrEnded):
		return LivelyEnded, true, false
	case errors.Is(met, ErrSuperseded):
		end, closes = LivelyReconnect, true
	}
	for _, c := range heard {
		switch {
		case c.Kind == SessionEnded:
			return LivelyEnded, true, false
		case c.Kind == ChangesMissed:
			doubt = true
		case !x.causes(c):
			end, closes = LivelyReconnect, true
		}
	}
	return end, closes, doubt
}

// checkAll checks every socket, one after the other and not twice at a time: a
// store that has just come back is not to be met by all of them at once. The lock
// is held.
func (all *sockets) checkAll() {
	if all.sweeps {
		all.another = true
		return
	}
	all.sweeps = true
	go func() {
		for more := true; more; {
			all.mu.Lock()
			var list []*socket
			for _, sharing := range all.byID {
				list = append(list, sharing...)
			}
			all.another = false
			all.mu.Unlock()
			for _, x := range list {
				for tries := 0; tries < outageTries && !x.check(true); tries++ {
					x.pause(outagePause)
				}
			}
			all.mu.Lock()
			more = all.another
			all.sweeps = more
			all.mu.Unlock()
		}
	}()
}

// check asks the store whether the session still lives, and closes the
// connection if it does not. A socket whose token is an earlier one is sent to
// reconnect if strict; without that it may stay for the grace, in which the
// browser gets the new cookie. It reports false where the store does not say.
func (x *socket) check(strict bool) (told bool) {
	id, proof, ok := x.presents()
	if !ok {
		return true
	}
	ctx, cancel := context.WithTimeout(x.ctx, commitTimeout)
	defer cancel()
	record, err := x.all.store.Load(ctx, Key{ID: id, Proof: proof, Now: x.all.clock.read(), Held: true, Live: true})
	if end, closes := x.answered(id, proof, record, err, strict); closes {
		x.conn.CloseLively(end)
	}
	if err == nil || isGone(err) || x.ctx.Err() != nil {
		return true
	}
	x.all.fault(x.ctx, fmt.Errorf("check the session of a live connection: %w", err))
	return false
}

// pause ends with the connection at the latest.
func (x *socket) pause(d time.Duration) {
	ctx, cancel := context.WithTimeout(x.ctx, d)
	defer cancel()
	<-ctx.Done()
}

// answered judges what the store answered to the id and the proof, and says when
// to ask again. An outage is no end.
func (x *socket) answered(id ID, proof Proof, r *Record, err error, strict bool) (end LivelyEnd, closes bool) {
	x.all.mu.Lock()
	defer x.all.mu.Unlock()
	renewed := err == nil && r.Proof != proof
	switch {
	case x.gone || x.id != id || x.current() != proof:
		return end, false
	case x.running:
		x.keep(Change{Kind: ChangesMissed})
		return end, false
	case errors.Is(err, ErrSuperseded), renewed && strict:
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
		x.waitFor(commitTimeout)
	}
	return end, false
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
		x.keep(Change{Kind: ChangesMissed})
		return ID{}, Proof{}, false
	default:
		return x.id, x.current(), true
	}
}

// wait checks the socket when its session ends unless it is used. The lock is
// held.
func (x *socket) wait(expires time.Time) {
	x.waitFor(expires.Sub(x.all.clock.read()))
}

func (x *socket) waitFor(d time.Duration) {
	d = min(max(d, shortestWait), longestWait)
	if x.timer == nil {
		x.timer = time.AfterFunc(d, func() { x.check(true) })
		return
	}
	x.timer.Reset(d)
}

// expectEnd takes note that a request of this process has changed when the session
// ends. It spares what the store has told of that a look at the store.
func (all *sockets) expectEnd(id ID, expires time.Time) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, x := range all.byID[id] {
		x.wait(expires)
	}
}
