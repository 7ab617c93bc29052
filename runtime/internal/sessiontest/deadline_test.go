package sessiontest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// contextKeeper keeps the context of the last update.
type contextKeeper struct {
	runtime.Store
	kept context.Context
}

func (k *contextKeeper) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	k.kept = ctx
	ctx.Done() // as drivers do
	return k.Store.Update(ctx, key, d)
}

// TestR5TheContextOfACommitIsOverWithIt: a driver may still look at it, and
// package context panics where a context is done without an error.
func TestR5TheContextOfACommitIsOverWithIt(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	k := &contextKeeper{Store: s.store.Store}
	s.store.Store = k
	b.visit(func(v *VisitorSession) { v.SetTheme("dark") })
	select {
	case <-k.kept.Done():
	case <-time.After(30 * time.Second):
		t.Fatal("the context goes on after the commit")
	}
	if err := k.kept.Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("Err = %v, want %v", err, context.Canceled)
	}
}
