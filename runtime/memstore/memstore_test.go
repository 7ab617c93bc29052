package memstore_test

import (
	"context"
	"errors"
	"flag"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
	"github.com/duckgen/duckgen/runtime/storetest"
)

var (
	_ runtime.Indexer = (*memstore.Store)(nil)
	_ runtime.Sweeper = (*memstore.Store)(nil)
)

var history = flag.Int("history", 0, "how many operations the contract records; 0: as many as the kit does")

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) runtime.Store { return open(t) }, storetest.WithHistory(*history))
}

func open(t *testing.T) *memstore.Store {
	t.Helper()
	s := memstore.New()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func create(t *testing.T, s *memstore.Store, k runtime.Key, r *runtime.Record) {
	t.Helper()
	if err := s.Create(t.Context(), k, r); err != nil {
		t.Fatalf("Create: %v", err)
	}
}

func sweep(t *testing.T, s *memstore.Store, now time.Time) int {
	t.Helper()
	n, err := s.Sweep(t.Context(), now)
	if err != nil {
		t.Fatalf("Sweep: %v", err)
	}
	return n
}

// at returns the key of a session at some time after the start.
func at(n uint64, d time.Duration) runtime.Key {
	k := key(n)
	k.Now = start.Add(d)
	return k
}

func TestNewSessionsPushOutExpiredOnes(t *testing.T) {
	s := open(t)
	const sessions = 10_000
	for n := range uint64(sessions) {
		create(t, s, key(n), record(start.Add(time.Hour)))
	}
	later := 2 * time.Hour
	for n := range uint64(2 * sessions) {
		create(t, s, at(sessions+n, later), record(start.Add(24*time.Hour)))
	}
	if left := sweep(t, s, start.Add(later)); left > sessions/100 {
		t.Errorf("after %d new sessions %d of %d expired ones are left", 2*sessions, left, sessions)
	}
}

func TestNewSessionsSpareWhatExpiredWithinTheMinute(t *testing.T) {
	s := open(t)
	const sessions = 1000
	for n := range uint64(sessions) {
		create(t, s, key(n), record(start.Add(time.Hour)))
	}
	for n := range uint64(sessions) {
		create(t, s, at(sessions+n, time.Hour+time.Minute-time.Millisecond), record(start.Add(24*time.Hour)))
	}
	if left := sweep(t, s, start.Add(time.Hour)); left != sessions {
		t.Errorf("%d of %d sessions are left a minute after they expired", left, sessions)
	}
}

func TestClosedStoreIsAnOutage(t *testing.T) {
	ctx := t.Context()
	s := open(t)
	create(t, s, key(1), record(start.Add(time.Hour), userID("7")))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	_, loadErr := s.Load(ctx, key(1))
	_, updateErr := s.Update(ctx, key(1), &runtime.Delta{})
	_, revokeErr := s.Revoke(ctx, user("7"), start)
	_, sweepErr := s.Sweep(ctx, start)
	var findErr error
	for _, findErr = range s.Find(ctx, user("7"), start) {
	}
	for name, err := range map[string]error{
		"Load": loadErr, "Create": s.Create(ctx, key(2), record(start.Add(time.Hour))), "Update": updateErr,
		"Delete": s.Delete(ctx, key(1)), "Find": findErr, "Revoke": revokeErr, "Sweep": sweepErr,
	} {
		if !errors.Is(err, runtime.ErrClosed) {
			t.Errorf("%s after Close: got error %v, want ErrClosed", name, err)
		}
	}
}

func TestCancelledSweepStops(t *testing.T) {
	s := open(t)
	create(t, s, key(1), record(start.Add(time.Hour)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := s.Sweep(ctx, start.Add(2*time.Hour)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("Sweep with a cancelled context = %d, %v", n, err)
	}
}

// TestClockSetBackLocksNobodyOut: a mark that lies far ahead was made by a clock
// that has been set right since.
func TestClockSetBackLocksNobodyOut(t *testing.T) {
	s := open(t)
	if _, err := s.Revoke(t.Context(), user("7"), start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	create(t, s, key(1), record(start.Add(time.Hour), userID("7")))
}

func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("measures the heap of 100,000 sessions")
	}
	const sessions, limit = 100_000, 300
	empty := heap()
	s := open(t)
	for n := range uint64(sessions) {
		create(t, s, key(n), small(n))
	}
	if each := (heap() - empty) / sessions; each > limit {
		t.Errorf("a small session takes %d bytes, want at most %d", each, limit)
	}
	sweep(t, s, start.Add(2*time.Hour))
	if each := (heap() - empty) / sessions; each > limit/50 {
		t.Errorf("%d bytes of each session are left when all have expired", each)
	}
}

func TestAllocations(t *testing.T) {
	s, ctx := open(t), t.Context()
	k := key(1)
	create(t, s, k, realistic())
	d := &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpSet, Entry: plain("field_07", "another value")}}}
	for name, c := range map[string]struct {
		most    float64
		operate func() error
	}{
		"Load":   {1, func() error { _, err := s.Load(ctx, k); return err }},
		"Update": {4, func() error { _, err := s.Update(ctx, k, d); return err }},
	} {
		n := testing.AllocsPerRun(100, func() {
			if err := c.operate(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
		if n > c.most {
			t.Errorf("%s takes %v allocations, want at most %v", name, n, c.most)
		}
	}
}

func userID(value string) runtime.Entry {
	return runtime.Entry{Key: "user_id", Kind: runtime.IndexedEntry, Value: value}
}

func user(value string) runtime.IndexValue {
	return runtime.IndexValue{Kind: "example.com/shop.Visitor", Field: "user_id", Value: value}
}

func TestAListEndsWithItsFirstError(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs []error
	for _, err := range s.All(ctx, "example.com/shop.Visitor", start) {
		errs = append(errs, err)
	}
	if len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
		t.Errorf("a list whose context is cancelled has the errors %v, want one", errs)
	}
}
