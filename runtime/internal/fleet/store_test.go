package fleet

import (
	"context"
	"iter"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

// A view is the store as one process sees it. Before each call the task behind it
// pauses, and the ledger takes note of what the store answers.
type view struct {
	*world
	store runtime.Store

	// ahead is how far the clock of the process is ahead of the store's own.
	ahead time.Duration

	// moves says that the store judges by the clock that it is given, so that this
	// view does what a store on a server does: it moves all times (T7).
	moves bool

	// heard says that the process has had an answer of the store.
	heard bool
}

// Format is that of the store.
func (v *view) Format() runtime.Format {
	if f, ok := v.store.(runtime.Formatter); ok {
		return f.Format()
	}
	return runtime.Format(0)
}

// step is one call of the store by the running task.
func (v *view) step(call func()) error {
	a := v.running
	a.asks = true
	a.pause()
	a.asks = false
	if a.left {
		return errLeft
	}
	v.tick()
	lost := a.lost
	a.lost = nothingLost
	if lost == callLost {
		a.failed = true
		return errLost
	}
	call()
	if lost == answerLost {
		a.failed = true
		return errLost
	}
	v.heard = true
	return nil
}

// Ahead implements [runtime.Clocked].
func (v *view) Ahead() time.Duration {
	switch {
	case !v.moves:
		return v.store.(runtime.Clocked).Ahead()
	case v.heard:
		return v.shift()
	default:
		return 0
	}
}

// Measure implements [runtime.Clocked].
func (v *view) Measure(ctx context.Context, now time.Time) error {
	if !v.moves {
		return v.store.(runtime.Clocked).Measure(ctx, now)
	}
	v.heard = true
	return nil
}

// shift is what a time of the process is moved by to be the store's.
func (v *view) shift() time.Duration {
	if v.moves {
		return -v.ahead
	}
	return 0
}

func (v *view) key(key runtime.Key) runtime.Key {
	key.Now = key.Now.Add(v.shift())
	return key
}

func (v *view) Load(ctx context.Context, key runtime.Key) (r *runtime.Record, err error) {
	lost := v.step(func() {
		r, err = v.store.Load(ctx, v.key(key))
		r = serverclock.Move(r, -v.shift())
		v.loaded(v, key, r, err)
	})
	if lost != nil {
		return nil, lost
	}
	return r, err
}

func (v *view) Create(ctx context.Context, key runtime.Key, r *runtime.Record) (err error) {
	v.running.checkNobodyGone("a new session")
	lost := v.step(func() {
		err = v.store.Create(ctx, v.key(key), serverclock.Move(r, v.shift()))
		v.created(v, key, r, err)
	})
	if lost != nil {
		return lost
	}
	return err
}

func (v *view) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (result *runtime.Result, err error) {
	if d.Renewal != nil && d.Renewal.Kind != runtime.RenewSignOut && d.Redeem == nil {
		v.running.checkNobodyGone("a new token")
	}
	lost := v.step(func() {
		result, err = v.store.Update(ctx, v.key(key), v.delta(d))
		if err == nil {
			serverclock.MoveResult(result, -v.shift())
		}
		v.updated(v, key, d, result, err)
	})
	if lost != nil {
		return nil, lost
	}
	return result, err
}

func (v *view) delta(d *runtime.Delta) *runtime.Delta {
	moved := *d
	moved.Deadline = serverclock.MoveTime(d.Deadline, v.shift())
	moved.Active = serverclock.MoveTime(d.Active, v.shift())
	if d.Ticket != nil {
		ticket := *d.Ticket
		ticket.Ends = ticket.Ends.Add(v.shift())
		moved.Ticket = &ticket
	}
	return &moved
}

func (v *view) Delete(ctx context.Context, key runtime.Key) (err error) {
	lost := v.step(func() {
		lived := v.isStored(v, key.ID)
		err = v.store.Delete(ctx, v.key(key))
		v.deleted(v, key, lived && !v.isStored(v, key.ID), err)
	})
	if lost != nil {
		return lost
	}
	return err
}

// Find yields nothing: no task of this simulation searches.
func (v *view) Find(context.Context, runtime.IndexValue, time.Time) iter.Seq2[runtime.Found, error] {
	return func(func(runtime.Found, error) bool) {}
}

func (v *view) Revoke(ctx context.Context, value runtime.IndexValue, now time.Time, except ...runtime.ID) (n int, err error) {
	asked := v.moment // by a clock that was read before
	lost := v.step(func() {
		n, err = v.store.(runtime.Indexer).Revoke(ctx, value, now.Add(v.shift()), except...)
		v.revoked(v, value, asked, n, except, err)
	})
	if lost != nil {
		return 0, lost
	}
	return n, err
}

// peek returns a record as it is stored, by the clock of the world. It shows a proof
// that the session has, which counts as nothing.
func (v *view) peek(id runtime.ID, proof runtime.Proof) *runtime.Record {
	key := runtime.Key{ID: id, Proof: proof, Now: v.now().Add(v.ahead), Held: true, Live: true}
	r, err := v.store.Load(context.Background(), v.key(key))
	if err != nil {
		return nil
	}
	if v.moves {
		return r
	}
	return serverclock.Move(r, -v.ahead)
}
