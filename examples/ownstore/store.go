// Package ownstore is what a store of your own begins with: the four methods, and a
// sweep. It keeps the contract as it stands. Put your database's transaction in the place
// of step, which is all that knows where records are.
package ownstore

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// A Store keeps sessions in a map. Make one with [New].
type Store struct {
	mu      sync.Mutex
	records map[runtime.ID]*runtime.Record
}

// New returns an empty store.
func New() *Store { return &Store{records: map[runtime.ID]*runtime.Record{}} }

// step replaces one record by what judge makes of it, in one atomic step. Nil stands for
// no record. What judge returns is stored also if there is an error: a reused token ends
// its session in this way.
func (s *Store) step(ctx context.Context, id runtime.ID, judge func(*runtime.Record) (*runtime.Record, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := copied(s.records[id])
	after, err := judge(before)
	if after != before {
		s.records[id] = copied(after)
	}
	return err
}

// copied keeps what is stored apart from what callers have, as the bytes of a database do.
// Entries never change.
func copied(r *runtime.Record) *runtime.Record {
	if r == nil {
		return nil
	}
	c := *r
	c.Earlier = slices.Clone(r.Earlier)
	if r.Ticket != nil {
		ticket := *r.Ticket
		c.Ticket = &ticket
	}
	return &c
}

// Load implements [runtime.Store].
func (s *Store) Load(ctx context.Context, key runtime.Key) (loaded *runtime.Record, err error) {
	err = s.step(ctx, key.ID, func(r *runtime.Record) (*runtime.Record, error) {
		next, err := r.Read(key)
		loaded = next
		return next, err
	})
	if err != nil {
		return nil, err
	}
	return loaded, nil
}

// Create implements [runtime.Store]. The record of a session that has expired is in
// nobody's way.
func (s *Store) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	return s.step(ctx, key.ID, func(old *runtime.Record) (*runtime.Record, error) {
		if old != nil && key.Now.Before(old.Expires) {
			return old, runtime.ErrExists
		}
		return r, nil
	})
}

// Update implements [runtime.Store].
func (s *Store) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (result *runtime.Result, err error) {
	err = s.step(ctx, key.ID, func(r *runtime.Record) (next *runtime.Record, err error) {
		next, result, err = r.Apply(key, d)
		return next, err
	})
	return result, err
}

// Delete implements [runtime.Store]. A mark that the session has ended stays.
func (s *Store) Delete(ctx context.Context, key runtime.Key) error {
	return s.step(ctx, key.ID, func(r *runtime.Record) (*runtime.Record, error) { return r.End(key) })
}

// Sweep implements [runtime.Sweeper]. A larger store works in steps, so that nobody waits
// for all of it.
func (s *Store) Sweep(ctx context.Context, now time.Time) (removed int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, r := range s.records {
		if err := ctx.Err(); err != nil {
			return removed, err
		}
		if !now.Before(r.Expires) {
			delete(s.records, id)
			removed++
		}
	}
	return removed, nil
}
