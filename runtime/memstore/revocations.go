package memstore

import (
	"slices"
	"sync"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// revocations are the marks that Revoke leaves on values: a request that arrived
// before one may not set its value any more. Loads never look at them.
type revocations struct {
	mu    sync.RWMutex
	marks map[runtime.IndexValue][]revocation
}

type revocation struct {
	at     time.Time
	except []runtime.ID
}

// holds reports whether the mark is still in force. One that lies further ahead
// than marks live was made before the clock was set back, and would lock its
// value until the clock came there again.
func (r revocation) holds(now time.Time) bool {
	return now.Sub(r.at).Abs() < runtime.MarkLife
}

// covers reports whether the mark bars every request that other bars.
func (r revocation) covers(other revocation) bool {
	excepted := func(id runtime.ID) bool { return slices.Contains(other.except, id) }
	return !r.at.Before(other.at) && !slices.ContainsFunc(r.except, func(id runtime.ID) bool { return !excepted(id) })
}

// add marks the value, and forgets some marks whose time is over.
func (r *revocations) add(v runtime.IndexValue, now time.Time, except []runtime.ID) {
	mark := revocation{at: now, except: slices.Clone(except)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.marks == nil {
		r.marks = map[runtime.IndexValue][]revocation{}
	}
	r.forget(now, sampleSize)
	kept := slices.DeleteFunc(r.marks[v], mark.covers)
	r.marks[v] = append(kept, mark)
}

// bar reports whether the value was revoked after the request behind the key
// had arrived, and the session is not excepted.
func (r *revocations) bar(key runtime.Key, v runtime.IndexValue) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, mark := range r.marks[v] {
		if mark.holds(key.Now) && key.Arrived().Before(mark.at) && !slices.Contains(mark.except, key.ID) {
			return true
		}
	}
	return false
}

// sweep forgets every mark whose time is over.
func (r *revocations) sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(now, len(r.marks))
	if len(r.marks) == 0 {
		r.marks = nil
	}
}

// forget looks at no more than the given number of values.
func (r *revocations) forget(now time.Time, values int) {
	for v, marks := range r.marks {
		if values--; values < 0 {
			return
		}
		marks = slices.DeleteFunc(marks, func(m revocation) bool { return !m.holds(now) })
		if len(marks) == 0 {
			delete(r.marks, v)
			continue
		}
		r.marks[v] = marks
	}
}
