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
	step, err := s.begin(ctx, key.ID)
	if err != nil {
		return nil, err
	}
	defer step.end()
	old := step.record(new(runtime.Record))
	next, err := old.Read(key)
	step.replace(old, next)
	if err != nil {
		return nil, err
	}
	return next, nil
}

// Create implements [runtime.Store]. The mark of an ended session holds its id
// as a live session does.
func (s *Store) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	err := s.create(ctx, key, r)
	if err == nil {
		s.shard(key.ID).sweepSome(key.ID, key.Now.Add(-sweepMargin))
	}
	return err
}

func (s *Store) create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	step, err := s.begin(ctx, key.ID)
	if err != nil {
		return err
	}
	defer step.end()
	old := step.record(new(runtime.Record))
	switch {
	case old != nil && key.Now.Before(old.Expires):
		return runtime.ErrExists
	case s.revocations.bar(key, r.Revocable()):
		return runtime.ErrEnded
	}
	step.replace(old, r)
	return nil
}

// Update implements [runtime.Store].
func (s *Store) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	step, err := s.begin(ctx, key.ID)
	if err != nil {
		return nil, err
	}
	defer step.end()
	old := step.record(new(runtime.Record))
	next, result, err := old.Apply(key, d)
	if err == nil && s.revocations.bar(key, d.IndexValues(old.Kind)) {
		return nil, runtime.ErrEnded
	}
	step.replace(old, next)
	if err != nil {
		return nil, err
	}
	return result, nil
}

// Delete implements [runtime.Store].
func (s *Store) Delete(ctx context.Context, key runtime.Key) error {
	step, err := s.begin(ctx, key.ID)
	if err != nil {
		return err
	}
	defer step.end()
	old := step.record(new(runtime.Record))
	next, err := old.End(key)
	step.replace(old, next)
	return err
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

// A step is what one operation does to one session. It has the lock of the session's
// shard from begin to end.
type step struct {
	store  *Store
	shard  *shard
	id     runtime.ID
	stored slot
	change *runtime.Change // to be told; nil: nobody needs to hear of it
}

func (s *Store) begin(ctx context.Context, id runtime.ID) (step, error) {
	if err := ctx.Err(); err != nil {
		return step{}, err
	}
	sh := s.shard(id)
	sh.mu.Lock()
	if sh.closed {
		sh.mu.Unlock()
		return step{}, errClosed
	}
	return step{store: s, shard: sh, id: id, stored: sh.records[id]}, nil
}

// record returns what is stored, see [slot.record].
func (t *step) record(room *runtime.Record) *runtime.Record { return t.stored.record(room) }

// replace stores what the judgement has made of the record old, if that is another
// one.
func (t *step) replace(old, next *runtime.Record) {
	if next == old {
		return
	}
	t.shard.index.move(t.id, old, next)
	t.shard.put(t.id, t.store.pack(next, t.stored.packed))
	if change, told := runtime.ChangeOf(t.id, old, next); told {
		t.change = new(change)
	}
}

// end lets go of the lock, and then tells.
func (t *step) end() {
	t.shard.mu.Unlock()
	if t.change != nil {
		t.store.watchers.tellAll(*t.change)
	}
}

// shard returns where the id belongs. Ids are random, so any byte will do.
func (s *Store) shard(id runtime.ID) *shard { return &s.shards[id[0]] }
