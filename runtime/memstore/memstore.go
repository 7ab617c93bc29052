// Package memstore keeps sessions in the memory of one process. It is the store
// to begin with, and the one for tests; sessions end with the process.
//
// Sessions are spread over shards by their id. An operation holds the lock of
// one shard for the time of one step: a look-up, the judgement by the methods of
// [runtime.Record], and the replacement of one record. Every longer work, such
// as a sweep or a search of the index, lets go of the lock between its steps, so
// no request waits for it.
package memstore

import (
	"context"
	"fmt"
	goruntime "runtime"
	"sync"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

var errClosed = fmt.Errorf("memstore: %w", runtime.ErrClosed)

// A Store is a [runtime.Store] in memory, also a [runtime.Indexer], a
// [runtime.Limiter], a [runtime.Lister], a [runtime.Watcher] and a [runtime.Sweeper]. It
// is safe for concurrent use and runs no goroutine.
//
// Expired records are removed by and by: one Create in eight, as its random id has it,
// looks at 64 records and removes those that had expired a minute before its key's
// Now. A program that wants memory back while no new session comes calls Sweep.
type Store struct {
	shards      [shardCount]shard
	revocations revocations
	watchers    watchers
	families    sync.Map // kind to *rare
	trimming    sync.Mutex
}

// shardCount is a power of two that one byte of the id selects from. A shard of
// a million sessions has some 4,000, which bounds what moves in one step.
const shardCount = 256

// New returns an empty store.
func New() *Store {
	s := &Store{}
	for i := range s.shards {
		s.shards[i].rebuild()
	}
	return s
}

// Close drops all sessions. Operations after it answer [runtime.ErrClosed].
// Closing again does nothing.
func (s *Store) Close() error {
	for i := range s.shards {
		s.shards[i].close()
	}
	s.watchers.close()
	return nil
}

// JudgesByRecord implements [runtime.Judge].
func (s *Store) JudgesByRecord() {}

// Load implements [runtime.Store].
func (s *Store) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	var loaded *runtime.Record
	err := s.step(ctx, key.ID, func(r *runtime.Record) (*runtime.Record, error) {
		next, err := r.Read(key)
		loaded = next
		return next, err
	})
	if err != nil {
		return nil, err
	}
	return loaded, nil
}

// Create implements [runtime.Store]. The mark of an ended session holds its id
// as a live session does.
func (s *Store) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	err := s.step(ctx, key.ID, func(old *runtime.Record) (*runtime.Record, error) {
		if old != nil && key.Now.Before(old.Expires) {
			return old, runtime.ErrExists
		}
		if s.revocations.bar(key, r.Revocable()) {
			return old, runtime.ErrEnded
		}
		return r, nil
	})
	if err == nil {
		s.shard(key.ID).sweepSome(key.ID, key.Now.Add(-sweepMargin))
	}
	return err
}

// Update implements [runtime.Store].
func (s *Store) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	var result *runtime.Result
	err := s.step(ctx, key.ID, func(r *runtime.Record) (*runtime.Record, error) {
		next, applied, err := r.Apply(key, d)
		if err == nil && s.revocations.bar(key, d.IndexValues(r.Kind)) {
			return r, runtime.ErrEnded
		}
		result = applied
		return next, err
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// Delete implements [runtime.Store].
func (s *Store) Delete(ctx context.Context, key runtime.Key) error {
	return s.step(ctx, key.ID, func(r *runtime.Record) (*runtime.Record, error) {
		return r.End(key)
	})
}

// Sweep implements [runtime.Sweeper]. It may run at any time and more than once
// at a time.
func (s *Store) Sweep(ctx context.Context, now time.Time) (int, error) {
	removed := 0
	for i := range s.shards {
		if err := ctx.Err(); err != nil {
			return removed, err
		}
		n, err := s.shards[i].sweep(now, goruntime.Gosched)
		removed += n
		if err != nil {
			return removed, err
		}
	}
	s.revocations.sweep(now)
	return removed, nil
}

// step replaces the record of one session by what judge makes of it, which is
// nil where there is none. Nothing happens where judge returns what it was
// given.
func (s *Store) step(
	ctx context.Context, id runtime.ID, judge func(*runtime.Record) (*runtime.Record, error),
) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	change, told, err := s.lockedStep(id, judge)
	if told {
		s.watchers.tellAll(change)
	}
	return err
}

func (s *Store) lockedStep(
	id runtime.ID, judge func(*runtime.Record) (*runtime.Record, error),
) (change runtime.Change, told bool, err error) {
	shard := s.shard(id)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.closed {
		return change, false, errClosed
	}
	old := shard.records[id].record()
	next, err := judge(old)
	if next != old {
		s.replace(shard, id, old, next)
		change, told = runtime.ChangeOf(id, old, next)
	}
	return change, told, err
}

// replace stores next in place of old. The lock is held.
func (s *Store) replace(sh *shard, id runtime.ID, old, next *runtime.Record) {
	sh.index.move(id, old, next)
	sh.put(id, s.pack(next, sh.records[id].packed))
}

// shard returns where the id belongs. Ids are random, so any byte will do.
func (s *Store) shard(id runtime.ID) *shard { return &s.shards[id[0]] }
