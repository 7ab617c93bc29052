package memstore

import (
	"context"

	"github.com/duckgen/duckgen/runtime"
)

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
