package memstore

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// ByID implements [runtime.Lister].
func (s *Store) ByID(ctx context.Context, kind string, id runtime.ID, now time.Time) (*runtime.Record, error) {
	step, err := s.begin(ctx, id)
	if err != nil {
		return nil, err
	}
	defer step.end()
	if r := step.record(new(runtime.Record)); r.Live(now) && r.Kind == kind {
		return r, nil
	}
	return nil, runtime.ErrNotFound
}

// All implements [runtime.Lister]. The loop's body runs without a lock and may use
// the store. The ids of one shard are in memory besides.
func (s *Store) All(ctx context.Context, kind string, now time.Time) iter.Seq2[runtime.Found, error] {
	return func(yield func(runtime.Found, error) bool) {
		for i := range s.shards {
			ids, err := s.shards[i].ids(kind)
			if err = cmp.Or(ctx.Err(), err); err != nil {
				yield(runtime.Found{}, err)
				return
			}
			for _, id := range ids {
				r, err := s.ByID(ctx, kind, id, now)
				if errors.Is(err, runtime.ErrNotFound) {
					continue
				}
				if !yield(runtime.Found{ID: id, Record: r}, err) || err != nil {
					return
				}
			}
		}
	}
}

// RevokeAll implements [runtime.Lister]. Once begun it goes on to the end, also when
// ctx is cancelled. It marks the kind before it looks at the sessions, see Revoke.
func (s *Store) RevokeAll(ctx context.Context, kind string, now time.Time) (ended int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.revocations.add(runtime.IndexValue{Kind: kind}, now, nil)
	for i := range s.shards {
		ids, err := s.shards[i].ids(kind)
		if err != nil {
			return ended, err
		}
		for _, id := range ids {
			if s.revokeOne(id, now, isAny) {
				ended++
			}
		}
	}
	return ended, nil
}

func isAny(*runtime.Record) bool { return true }

// revokeOne ends the session if it is live and fits. In a closed store none is.
func (s *Store) revokeOne(id runtime.ID, now time.Time, fits func(*runtime.Record) bool) (ended bool) {
	step, err := s.begin(context.Background(), id)
	if err != nil {
		return false
	}
	defer step.end()
	r := step.record(new(runtime.Record))
	if !r.Live(now) || !fits(r) {
		return false
	}
	step.replace(r, r.Mark(now))
	return true
}

// ids returns those of the shard's sessions of the kind, also of ended ones.
func (sh *shard) ids(kind string) (ids []runtime.ID, err error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed {
		return nil, errClosed
	}
	for id, s := range sh.records {
		if s.rare.kind == kind {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
