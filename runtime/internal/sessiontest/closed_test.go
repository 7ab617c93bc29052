package sessiontest

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// TestAStoreThatIsClosedOrNotWaitedForSaysSo asks for everything that a store can do,
// also for what it could answer without asking anybody.
func TestAStoreThatIsClosedOrNotWaitedForSaysSo(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b backend) {
		store := b.open(t)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		saysSo(t, gone, store, context.Canceled)
		if err := store.(interface{ Close() error }).Close(); err != nil {
			t.Fatal(err)
		}
		saysSo(t, t.Context(), store, runtime.ErrClosed)
	})
}

func saysSo(t *testing.T, ctx context.Context, store runtime.Store, want error) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	user := runtime.Entry{Key: "user_id", Kind: runtime.IndexedEntry, Value: "7"}
	key := runtime.Key{ID: runtime.ID{1}, Now: now}
	r := &runtime.Record{Kind: "k", Deadline: now.Add(time.Hour), Expires: now.Add(time.Hour), Entries: runtime.NewEntries(user)}
	v := runtime.IndexValue{Kind: "k", Field: user.Key, Value: user.Value}
	wants := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	ends := func(what string, n int, err error) {
		t.Helper()
		if wants(what, err); n != 0 {
			t.Errorf("%s has ended %d sessions", what, n)
		}
	}
	yields := func(what string, found iter.Seq2[runtime.Found, error]) {
		t.Helper()
		n := 0
		for _, err := range found {
			wants(what, err)
			n++
		}
		if n != 1 {
			t.Errorf("%s yields %d times, want an error alone", what, n)
		}
	}
	_, err := store.Load(ctx, key)
	wants("Load", err)
	wants("Create", store.Create(ctx, key, r))
	_, err = store.Update(ctx, key, &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpSet, Entry: user}}})
	wants("Update", err)
	wants("Delete", store.Delete(ctx, key))
	if s, ok := runtime.Ability[runtime.Indexer](store); ok {
		yields("Find", s.Find(ctx, v, now))
		n, err := s.Revoke(ctx, v, now)
		ends("Revoke", n, err)
	}
	if s, ok := runtime.Ability[runtime.Limiter](store); ok {
		n, err := s.Trim(ctx, []runtime.IndexValue{v}, 1, key.ID, now)
		ends("Trim", n, err)
	}
	if s, ok := runtime.Ability[runtime.Lister](store); ok {
		yields("All", s.All(ctx, "k", now))
		_, err := s.ByID(ctx, "k", key.ID, now)
		wants("ByID", err)
		n, err := s.RevokeAll(ctx, "k", now)
		ends("RevokeAll", n, err)
	}
	if s, ok := runtime.Ability[runtime.Sweeper](store); ok {
		n, err := s.Sweep(ctx, now)
		ends("Sweep", n, err)
	}
	if s, ok := runtime.Ability[runtime.Pinger](store); ok {
		wants("Ping", s.Ping(ctx))
	}
	if s, ok := runtime.Ability[runtime.Watcher](store); ok {
		wants("Watch", s.Watch(ctx, func(c runtime.Change) { t.Errorf("told %+v", c) }))
	}
}
