package runtime

import (
	"context"
	"sync"
	"time"
)

const (
	// longestWait bounds how long a connection relies on the end of its session
	// that it knows: a request of another process may have brought that forward, and
	// not every store notifies of it.
	longestWait = 15 * time.Minute

	// shortestWait keeps a connection from asking a store again and again whose
	// clock or answer differs.
	shortestWait = 50 * time.Millisecond

	// outagePause is how soon, and outageTries how often, a store that does not
	// answer is asked again before the next connection is checked.
	outagePause = time.Second
	outageTries = 3
)

// sockets are the live connections of one manager, by session. While there are
// any, the store is watched.
type sockets struct {
	store Store
	clock *clock
	grace time.Duration
	limit time.Duration                                         // of a call of the store
	prove func(*Record, time.Time) (until time.Time, err error) // see engine.proveAgain
	fault func(context.Context, ID, error)

	watching sync.Mutex // held while watching begins and ends
	open     int
	stop     context.CancelFunc

	mu       sync.Mutex // never held while a session or the store is waited for
	byID     map[ID][]*socket
	changes  uint64           // heard so far
	due      map[*socket]bool // to be checked
	checking bool             // a goroutine checks what is due
}

func newSockets(
	store Store, clock *clock, grace, limit time.Duration,
	prove func(*Record, time.Time) (time.Time, error), fault func(context.Context, ID, error),
) *sockets {
	return &sockets{
		store: store,
		clock: clock,
		grace: grace,
		limit: limit,
		prove: prove,
		fault: fault,
		byID:  map[ID][]*socket{},
		due:   map[*socket]bool{},
	}
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
	watcher, ok := Ability[Watcher](all.store)
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

// hear is called for every change. It must not wait for the store.
func (all *sockets) hear(c Change) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.changes++
	if c.Kind != ChangesMissed {
		for _, x := range all.byID[c.ID] {
			x.hear(c)
		}
		return
	}
	for _, sharing := range all.byID {
		for _, x := range sharing {
			x.doubt()
		}
	}
}

// checkDue checks what is due, one socket after the other: a store that has just
// come back is not to be met by all of them at once.
func (all *sockets) checkDue() {
	for x := all.nextDue(); x != nil; x = all.nextDue() {
		for tries := 0; tries < outageTries && !x.check(true); tries++ {
			x.pause(outagePause)
		}
	}
}

// nextDue returns a socket that is to be checked, or ends the checking.
func (all *sockets) nextDue() *socket {
	all.mu.Lock()
	defer all.mu.Unlock()
	for x := range all.due {
		delete(all.due, x)
		return x
	}
	all.checking = false
	return nil
}

// expectEnd takes note that a request of this process has changed when the session
// ends.
func (all *sockets) expectEnd(id ID, expires time.Time) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, x := range all.byID[id] {
		x.wait(expires)
	}
}
