package memstore

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// pageSize is how many sessions a search or a revocation takes in one step.
const pageSize = 64

// An index holds, for each indexed value, the ids of one shard's sessions that
// carry it, in order. It has no expired sessions but those not yet swept.
type index map[runtime.IndexValue][]runtime.ID

// move records that old has become next. Either may be nil.
func (x index) move(id runtime.ID, old, next *runtime.Record) {
	for v := range old.IndexValues(next) {
		x.remove(v, id)
	}
	for v := range next.IndexValues(old) {
		x.add(v, id)
	}
}

func (x index) add(v runtime.IndexValue, id runtime.ID) {
	ids := x[v]
	if i, found := slices.BinarySearchFunc(ids, id, compareIDs); !found {
		x[v] = slices.Insert(ids, i, id)
	}
}

func (x index) remove(v runtime.IndexValue, id runtime.ID) {
	ids := x[v]
	i, found := slices.BinarySearchFunc(ids, id, compareIDs)
	switch {
	case !found:
	case len(ids) == 1:
		delete(x, v)
	default:
		x[v] = slices.Delete(ids, i, i+1)
	}
}

// page returns at most pageSize ids that carry the value, beginning with from,
// and the id to begin the next page with.
func (x index) page(v runtime.IndexValue, from runtime.ID) (ids []runtime.ID, next runtime.ID, more bool) {
	ids = x[v]
	first, _ := slices.BinarySearchFunc(ids, from, compareIDs)
	ids = ids[first:]
	if len(ids) > pageSize {
		next, more = ids[pageSize], true
		ids = ids[:pageSize]
	}
	return slices.Clone(ids), next, more
}

func (x index) clone() index {
	next := make(index, len(x))
	for v, ids := range x {
		next[v] = slices.Clone(ids)
	}
	return next
}

func compareIDs(a, b runtime.ID) int { return bytes.Compare(a[:], b[:]) }

// Find implements [runtime.Indexer]. The loop's body runs without a lock and may
// use the store. A session that signs in or ends meanwhile is found or not.
func (s *Store) Find(ctx context.Context, v runtime.IndexValue, now time.Time) iter.Seq2[runtime.Found, error] {
	return func(yield func(runtime.Found, error) bool) {
		for i := range s.shards {
			if !s.shards[i].find(ctx, v, now, yield) {
				return
			}
		}
	}
}

// find yields one shard's sessions. It reports whether the search goes on.
func (sh *shard) find(
	ctx context.Context, v runtime.IndexValue, now time.Time, yield func(runtime.Found, error) bool,
) bool {
	var from runtime.ID
	for more := true; more; {
		var page []runtime.Found
		err := ctx.Err()
		if err == nil {
			page, from, more, err = sh.findPage(v, from, now)
		}
		if err != nil {
			yield(runtime.Found{}, err)
			return false
		}
		for _, found := range page {
			if !yield(found, nil) {
				return false
			}
		}
	}
	return true
}

func (sh *shard) findPage(
	v runtime.IndexValue, from runtime.ID, now time.Time,
) (page []runtime.Found, next runtime.ID, more bool, err error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed {
		return nil, next, false, errClosed
	}
	ids, next, more := sh.index.page(v, from)
	for _, id := range ids {
		if r := sh.records[id].record(new(runtime.Record)); r.Live(now) {
			page = append(page, runtime.Found{ID: id, Record: r})
		}
	}
	return page, next, more, nil
}

// Revoke implements [runtime.Indexer]. Once begun it goes on to the end, also
// when ctx is cancelled.
//
// It marks the value before it looks at the sessions. A sign-in looks at the
// marks while it holds the lock of its shard: so either it meets the mark, or
// its session is there before Revoke comes to the shard.
func (s *Store) Revoke(
	ctx context.Context, v runtime.IndexValue, now time.Time, except ...runtime.ID,
) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.revocations.add(v, now, except)
	ended := 0
	for i := range s.shards {
		var from runtime.ID
		for more := true; more; {
			var page []runtime.Change
			var err error
			page, from, more, err = s.revokePage(&s.shards[i], v, from, now, except)
			s.watchers.tellAll(page...)
			ended += len(page)
			if err != nil {
				return ended, err
			}
		}
	}
	return ended, nil
}

func (s *Store) revokePage(
	sh *shard, v runtime.IndexValue, from runtime.ID, now time.Time, except []runtime.ID,
) (ended []runtime.Change, next runtime.ID, more bool, err error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed {
		return nil, next, false, errClosed
	}
	ids, next, more := sh.index.page(v, from)
	for _, id := range ids {
		step := step{store: s, shard: sh, id: id, stored: sh.records[id]}
		r := step.record(new(runtime.Record))
		if !r.Live(now) || slices.Contains(except, id) {
			continue
		}
		step.replace(r, r.Mark(now))
		ended = append(ended, *step.change)
	}
	return ended, next, more, nil
}

// Trim implements [runtime.Limiter]. One at a time looks at the sessions and ends
// some.
func (s *Store) Trim(
	ctx context.Context, values []runtime.IndexValue, most int, keep runtime.ID, now time.Time,
) (ended int, err error) {
	s.trimming.Lock()
	defer s.trimming.Unlock()
	carries := func(r *runtime.Record) bool {
		for v := range r.IndexValues(nil) {
			if slices.Contains(values, v) {
				return true
			}
		}
		return false
	}
	var list []runtime.Found
	for _, v := range values {
		for found, err := range s.Find(ctx, v, now) {
			if err != nil {
				return 0, err
			}
			list = append(list, found)
		}
	}
	for _, found := range runtime.Surplus(list, most, keep) {
		if s.revokeOne(found.ID, now, carries) {
			ended++
		}
	}
	return ended, nil
}
