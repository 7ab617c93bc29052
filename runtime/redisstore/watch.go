package redisstore

import (
	"cmp"
	"context"
	"encoding/hex"
	"sync"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// A message of the channel is a letter, the id in hexadecimal and, of a renewal,
// the new proof.
const (
	endedLetter   = 'E'
	renewedLetter = 'R'
	idEnd         = 1 + 2*len(runtime.ID{})
)

// pause is how long a lost subscription waits before it is tried again.
const pause = 100 * time.Millisecond

// Watch implements [runtime.Watcher], by publish and subscribe.
func (s *Store) Watch(ctx context.Context, tell func(runtime.Change)) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	w := &watch{store: s, tell: tell, began: make(chan struct{}), failed: make(chan error, 1)}
	release := context.AfterFunc(s.closed, stop)
	s.watches.Go(func() {
		defer release()
		defer stop()
		w.run(watching)
	})
	select {
	case <-w.began:
		return nil
	case err := <-w.failed:
		stop()
		return s.wrap(err)
	case <-ctx.Done():
		stop()
		return s.wrap(ctx.Err())
	}
}

// A watch is one subscription, made anew where it is lost.
type watch struct {
	store *Store
	tell  func(runtime.Change)

	mu     sync.Mutex    // one call of tell at a time
	once   sync.Once     // closes began
	began  chan struct{} // the first subscription is confirmed
	failed chan error    // the error of a subscription that never was
}

func (w *watch) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := w.receive(ctx)
		select {
		case <-w.began:
		default:
			w.failed <- cmp.Or(err, errReply)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// receive returns when the subscription ends.
func (w *watch) receive(ctx context.Context) error {
	return w.store.client.Subscribe(ctx, w.store.changes(), w.confirmed, func(message string) {
		if change, ok := changeOf(message); ok {
			w.told(change)
		}
	})
}

// confirmed is called for each subscription. Any but the first may come after a
// time without.
func (w *watch) confirmed() {
	first := false
	w.once.Do(func() {
		first = true
		close(w.began)
	})
	if !first {
		w.told(runtime.Change{Kind: runtime.ChangesMissed})
	}
}

func (w *watch) told(c runtime.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell(c)
}

// changeOf reads a message. One that cannot be read may be anything.
func changeOf(message string) (c runtime.Change, ok bool) {
	if len(message) < idEnd {
		return runtime.Change{Kind: runtime.ChangesMissed}, true
	}
	if _, err := hex.Decode(c.ID[:], []byte(message[1:idEnd])); err != nil {
		return runtime.Change{Kind: runtime.ChangesMissed}, true
	}
	switch message[0] {
	case endedLetter:
		c.Kind = runtime.SessionEnded
	case renewedLetter:
		c.Kind = runtime.SessionRenewed
		copy(c.Proof[:], message[idEnd:])
	default:
		return c, false
	}
	return c, true
}
