package memstore

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// A shard of a store with a million sessions is swept in steps, and whoever waits
// for the shard waits for one of them.
func TestASweepHoldsTheLockForOneStep(t *testing.T) {
	const sessions = 1_000_000 / shardCount
	now := time.UnixMilli(1_700_000_000_000)
	s := New()
	sh := &s.shards[0]
	for n := range uint64(sessions) {
		var id runtime.ID
		binary.LittleEndian.PutUint64(id[8:], n)
		sh.put(id, s.pack(&runtime.Record{Expires: now}, nil))
	}
	pauses, left := 0, sessions
	removed, err := sh.sweep(now, func() {
		if !sh.mu.TryLock() {
			t.Fatal("the shard is locked between two steps")
		}
		defer sh.mu.Unlock()
		if step := left - len(sh.records); step > sweepStep {
			t.Errorf("a step has looked at %d records, want at most %d", step, sweepStep)
		}
		pauses, left = pauses+1, len(sh.records)
	})
	if err != nil || removed != sessions {
		t.Errorf("sweep = %d, %v, want %d", removed, err, sessions)
	}
	if pauses != sessions/sweepStep {
		t.Errorf("others may work %d times, want %d", pauses, sessions/sweepStep)
	}
}

// A request that creates a session pays for no more than others may wait for.
func TestCreatingRemovesNoMoreThanASample(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	s := New()
	sh := &s.shards[0]
	for n := range byte(200) {
		sh.put(runtime.ID{1: n}, s.pack(&runtime.Record{Expires: now}, nil))
	}
	for created := range byte(2 * sampleEvery) {
		before, want := len(sh.records), 0
		if created%sampleEvery == 0 {
			want = sweepStep
		}
		sh.sweepSome(runtime.ID{1: created}, now)
		if removed := before - len(sh.records); removed != want {
			t.Errorf("Create %d has removed %d of the expired records, want %d", created, removed, want)
		}
	}
}

// Memory comes back when more than three quarters of the records have gone, unless
// there never were many.
func TestMapsShrinkWhenTheyAreLessThanAQuarterFull(t *testing.T) {
	for _, c := range []struct {
		most, left int
		shrinks    bool
	}{
		{shrinkFrom, shrinkFrom / 4, false},
		{shrinkFrom, shrinkFrom/4 - 1, true},
		{shrinkFrom - 1, 0, false},
		{10 * shrinkFrom, 10*shrinkFrom/4 - 1, true},
	} {
		s := New()
		sh := &s.shards[0]
		for n := range c.most {
			sh.put(runtime.ID{1: byte(n >> 8), 2: byte(n)}, s.pack(&runtime.Record{}, nil))
		}
		for id := range sh.records {
			if len(sh.records) > c.left {
				delete(sh.records, id)
			}
		}
		sh.shrink()
		if shrunk := sh.peak == c.left; shrunk != c.shrinks || len(sh.records) != c.left {
			t.Errorf("%d of %d records: shrunk %v, and %d are left", c.left, c.most, shrunk, len(sh.records))
		}
	}
}

// A program that never calls Sweep gets the memory back as well.
func TestCreatingShrinksTheMaps(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	s := New()
	sh := &s.shards[0]
	for n := range byte(200) {
		sh.put(runtime.ID{1: n}, s.pack(&runtime.Record{Expires: now}, nil))
	}
	for len(sh.records) > 0 {
		sh.sweepSome(runtime.ID{}, now)
	}
	if sh.peak >= shrinkFrom {
		t.Errorf("the maps of an empty shard are made for %d records", sh.peak)
	}
}
