package mysqlstore

import (
	"math/rand/v2"
	"sync"

	"github.com/duckgen/duckgen/runtime"
)

// A head is all of a stored record but its entries. The row has the version until any
// of that changes.
type head struct {
	version int64
	record  *runtime.Record // without entries
}

func headOf(version int64, r *runtime.Record) head {
	record := *r
	record.Entries = runtime.Entries{}
	return head{version, &record}
}

// newVersion returns one that no row with the same id has had. All have 19 digits.
func newVersion() int64 { return 1<<62 + rand.Int64N(1<<61) }

// manyHeads is how many are remembered at least, and half of how many at most.
const manyHeads = 4096

// heads are those that were seen last. They may be old: who relies on one has the
// server compare the version. The zero value is empty, and safe for concurrent use.
type heads struct {
	mu         sync.Mutex
	new, aging map[runtime.ID]head
}

func (h *heads) get(id runtime.ID) (head, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if found, ok := h.new[id]; ok {
		return found, true
	}
	found, ok := h.aging[id]
	if ok {
		h.keep(id, found)
	}
	return found, ok
}

func (h *heads) put(id runtime.ID, seen head) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keep(id, seen)
}

func (h *heads) keep(id runtime.ID, seen head) {
	if len(h.new) >= manyHeads || h.new == nil {
		h.new, h.aging = map[runtime.ID]head{}, h.new
	}
	h.new[id] = seen
}

func (h *heads) drop(id runtime.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.new, id)
	delete(h.aging, id)
}
