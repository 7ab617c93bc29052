package memstore_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

func TestAWatcherHearsWhatChanges(t *testing.T) {
	s := memstore.New()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var heard []runtime.Change
	tell := func(c runtime.Change) { heard = append(heard, c) }
	if err := s.Watch(ctx, tell); err != nil {
		t.Fatal(err)
	}
	want := func(what string, changes ...runtime.Change) {
		t.Helper()
		if !slices.Equal(heard, changes) {
			t.Errorf("%s: heard %v, want %v", what, heard, changes)
		}
		heard = nil
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	update := func(k runtime.Key, d *runtime.Delta) {
		t.Helper()
		_, err := s.Update(ctx, k, d)
		must(err)
	}
	user := runtime.Entry{Key: "user_id", Kind: runtime.IndexedEntry, Value: "7"}
	for n := range uint64(3) {
		must(s.Create(ctx, key(n), record(start.Add(time.Hour), user)))
	}
	update(key(0), &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpSet, Entry: plain("theme", "dark")}}})
	want("what ends and renews nothing")

	next := runtime.Proof{2}
	update(key(0), &runtime.Delta{Renewal: &runtime.Renewal{Proof: next}})
	want("a renewal", runtime.Change{Kind: runtime.SessionRenewed, ID: id(0), Proof: next})

	renewed := key(0)
	renewed.Proof = next
	_, err := s.Load(ctx, renewed)
	must(err)
	later := key(0)
	later.Now = start.Add(time.Minute)
	if _, err := s.Load(ctx, later); err == nil {
		t.Fatal("a reused token opened the session")
	}
	want("reuse", runtime.Change{Kind: runtime.SessionEnded, ID: id(0)})

	soon := start.Add(time.Minute)
	update(key(1), &runtime.Delta{Deadline: soon})
	want("an end brought forward", runtime.Change{Kind: runtime.SessionRescheduled, ID: id(1)})
	update(key(1), &runtime.Delta{Deadline: start.Add(time.Hour)})
	want("an end put off")

	must(s.Delete(ctx, key(1)))
	must(s.Delete(ctx, key(1)))
	want("two deletions of one session", runtime.Change{Kind: runtime.SessionEnded, ID: id(1)})

	if n, err := s.Revoke(ctx, runtime.IndexValue{Kind: "example.com/shop.Visitor", Field: "user_id", Value: "7"}, start); n != 1 || err != nil {
		t.Fatalf("Revoke = %d, %v", n, err)
	}
	want("a revocation", runtime.Change{Kind: runtime.SessionEnded, ID: id(2)})

	stop()
	must(s.Create(t.Context(), key(4), record(start.Add(time.Hour))))
	must(s.Delete(t.Context(), key(4)))
	want("after the watcher has gone")
	if err := s.Watch(ctx, tell); err == nil {
		t.Error("a watcher that has gone already is welcome")
	}
}

func TestAClosedStoreHasNoChanges(t *testing.T) {
	s := memstore.New()
	tell := func(c runtime.Change) { t.Errorf("told %+v", c) }
	if err := s.Watch(t.Context(), tell); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), key(1)); err == nil {
		t.Error("a closed store deletes")
	}
}

func TestARevocationOfAllThatIsTooLateEndsNothing(t *testing.T) {
	s := memstore.New()
	if err := s.Create(t.Context(), key(1), record(start.Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	if n, err := s.RevokeAll(gone, "example.com/shop.Visitor", start); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("RevokeAll = %d, %v, want 0 and %v", n, err, context.Canceled)
	}
	if _, err := s.Load(t.Context(), key(1)); err != nil {
		t.Errorf("the session is gone: %v", err)
	}
}
