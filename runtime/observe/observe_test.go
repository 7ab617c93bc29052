package observe_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
	"github.com/duckgen/duckgen/runtime/observe"
	"github.com/duckgen/duckgen/runtime/storetest"
)

type begun struct{}

// A recorder notes calls, and that each End has the context of its Begin.
type recorder struct {
	t     *testing.T
	mu    sync.Mutex
	calls []observe.Call
}

func (r *recorder) Begin(ctx context.Context, op observe.Op) context.Context {
	return context.WithValue(ctx, begun{}, op)
}

func (r *recorder) End(ctx context.Context, c observe.Call) {
	if ctx.Value(begun{}) != c.Op {
		r.t.Errorf("the end of %s has the context of %v", c.Op, ctx.Value(begun{}))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, c)
}

// take returns the calls since the last time, without their times.
func (r *recorder) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := ""
	for _, c := range r.calls {
		text += fmt.Sprintf("%s %s %t bytes %d sessions %d; ", c.Op, c.Outcome(), c.ID != runtime.ID{}, c.Bytes, c.Sessions)
	}
	r.calls = nil
	return text
}

func TestAnObservedStoreKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) runtime.Store {
		s := memstore.New()
		t.Cleanup(func() { _ = s.Close() })
		return observe.Store(s, &recorder{t: t})
	})
}

const kind = "observe_test.Visitor"

// reachable is a store that has a server to ask.
type reachable struct{ *memstore.Store }

func (reachable) Ping(context.Context) error { return nil }

func TestEveryCallIsObserved(t *testing.T) {
	under := memstore.New()
	defer under.Close()
	r := &recorder{t: t}
	s := observe.Store(reachable{under}, r)
	now := time.Now()
	key := runtime.Key{ID: runtime.ID{1}, Proof: runtime.Proof{1}, Now: now}
	entry := runtime.Entry{Key: "user", Kind: runtime.IndexedEntry, Value: "\xa17"}
	record := &runtime.Record{Kind: kind, Proof: key.Proof, Created: now, Deadline: now.Add(time.Hour), Expires: now.Add(time.Hour),
		Entries: runtime.NewEntries(entry)}
	stranger := key
	stranger.Proof = runtime.Proof{2}
	value := runtime.IndexValue{Kind: kind, Field: entry.Key, Value: entry.Value}
	index, _ := runtime.Ability[runtime.Indexer](s)
	limit, _ := runtime.Ability[runtime.Limiter](s)
	list, _ := runtime.Ability[runtime.Lister](s)
	ping, _ := runtime.Ability[runtime.Pinger](s)
	sweep, _ := runtime.Ability[runtime.Sweeper](s)
	for _, c := range []struct {
		want string
		call func(ctx context.Context) error
	}{
		{"create ok true bytes 6 sessions 0; ", func(ctx context.Context) error { return s.Create(ctx, key, record) }},
		{"create exists true bytes 6 sessions 0; ", func(ctx context.Context) error { return s.Create(ctx, key, record) }},
		{"load ok true bytes 6 sessions 0; ", func(ctx context.Context) error { _, err := s.Load(ctx, key); return err }},
		{"load not_found true bytes 0 sessions 0; ", func(ctx context.Context) error { _, err := s.Load(ctx, stranger); return err }},
		{"update ok true bytes 9 sessions 0; ", func(ctx context.Context) error {
			_, err := s.Update(ctx, key, &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpSet, Entry: runtime.Entry{Key: "theme", Value: "\xa3dim"}}}})
			return err
		}},
		{"find ok false bytes 15 sessions 1; ", func(ctx context.Context) error {
			for _, err := range index.Find(ctx, value, now) {
				return err
			}
			return nil
		}},
		{"all ok false bytes 15 sessions 1; ", func(ctx context.Context) error {
			for _, err := range list.All(ctx, kind, now) {
				return err
			}
			return nil
		}},
		{"by_id ok true bytes 15 sessions 0; ", func(ctx context.Context) error { _, err := list.ByID(ctx, kind, key.ID, now); return err }},
		{"trim ok true bytes 0 sessions 0; ", func(ctx context.Context) error {
			_, err := limit.Trim(ctx, []runtime.IndexValue{value}, 1, key.ID, now)
			return err
		}},
		{"ping ok false bytes 0 sessions 0; ", func(ctx context.Context) error { return ping.Ping(ctx) }},
		{"revoke ok false bytes 0 sessions 1; ", func(ctx context.Context) error { _, err := index.Revoke(ctx, value, now); return err }},
		{"delete ok true bytes 0 sessions 0; ", func(ctx context.Context) error { return s.Delete(ctx, key) }},
		{"revoke_all ok false bytes 0 sessions 0; ", func(ctx context.Context) error { _, err := list.RevokeAll(ctx, kind, now); return err }},
		{"sweep ok false bytes 0 sessions 1; ", func(ctx context.Context) error { _, err := sweep.Sweep(ctx, now.Add(48*time.Hour)); return err }},
	} {
		err := c.call(t.Context())
		if got := r.take(); got != c.want {
			t.Errorf("observed is %q, want %q (%v)", got, c.want, err)
		}
	}
}

// plain is a store that offers nothing more.
type plain struct{ runtime.Store }

func TestAnObservedStoreSeemsToOfferNothingMore(t *testing.T) {
	under := memstore.New()
	defer under.Close()
	s := observe.Store(plain{under}, &recorder{t: t})
	if _, ok := runtime.Ability[runtime.Indexer](s); ok {
		t.Error("the store seems to have an index")
	}
	if _, ok := runtime.Ability[runtime.Lister](s); ok {
		t.Error("the store seems to list its sessions")
	}
	s = observe.Store(under, &recorder{t: t})
	if _, ok := runtime.Ability[runtime.Watcher](s); !ok {
		t.Error("the store no longer tells what happens to sessions")
	}
}

func TestWhatFailsIsToldFromWhatIsAnswered(t *testing.T) {
	for err, failed := range map[error]bool{
		nil:                      false,
		runtime.ErrNotFound:      false,
		runtime.ErrSignedOut:     false,
		runtime.ErrConflict:      false,
		runtime.ErrDamaged:       true,
		context.DeadlineExceeded: true,
		errors.New("no route"):   true,
		&runtime.LimitError{Err: runtime.ErrTooLarge}: false,
	} {
		c := observe.Call{Err: err}
		if c.Failed() != failed {
			t.Errorf("%v (%s): failed is %v", err, c.Outcome(), c.Failed())
		}
	}
}
