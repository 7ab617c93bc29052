package apptest

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/duckgen/duckgen/runtime"
)

// A shelf is a store whose calls are counted, and fail while it is down.
type shelf struct {
	runtime.Store
	down  atomic.Bool
	count atomic.Int64
}

var errDown = errors.New("nobody answers")

func (s *shelf) call() error {
	s.count.Add(1)
	if s.down.Load() {
		return errDown
	}
	return nil
}

func (s *shelf) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	if err := s.call(); err != nil {
		return nil, err
	}
	return s.Store.Load(ctx, key)
}

func (s *shelf) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	if err := s.call(); err != nil {
		return err
	}
	return s.Store.Create(ctx, key, r)
}

func (s *shelf) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	if err := s.call(); err != nil {
		return nil, err
	}
	return s.Store.Update(ctx, key, d)
}

func (s *shelf) Delete(ctx context.Context, key runtime.Key) error {
	if err := s.call(); err != nil {
		return err
	}
	return s.Store.Delete(ctx, key)
}

// Unwrap leads to what the store can do besides.
func (s *shelf) Unwrap() runtime.Store { return s.Store }
