package journal

import (
	"context"

	"github.com/duckgen/duckgen/runtime"
)

// Store returns the store with each call noted for the request behind it. Calls
// of its index are not noted.
func Store(s runtime.Store) runtime.Store { return store{s} }

type store struct{ runtime.Store }

// Unwrap keeps what the store can do beyond [runtime.Store], such as its index.
func (s store) Unwrap() runtime.Store { return s.Store }

func (s store) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	noteCall(ctx, "load")
	return s.Store.Load(ctx, key)
}

func (s store) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	noteCall(ctx, "create")
	return s.Store.Create(ctx, key, r)
}

func (s store) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	noteCall(ctx, "update")
	return s.Store.Update(ctx, key, d)
}

func (s store) Delete(ctx context.Context, key runtime.Key) error {
	noteCall(ctx, "delete")
	return s.Store.Delete(ctx, key)
}

func noteCall(ctx context.Context, name string) {
	if n := noteOf(ctx); n != nil {
		n.call(name)
	}
}
