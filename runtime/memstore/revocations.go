package memstore

import (
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// revocations are the marks that Revoke leaves on values: a request that arrived
// before one may not set its value any more. Loads never look at them.
type revocations struct {
	mu    sync.RWMutex
	marks map[runtime.IndexValue][]runtime.Revocation
}

// add marks the value, and forgets some marks whose time is over.
func (r *revocations) add(v runtime.IndexValue, now time.Time, except []runtime.ID) {
	mark := runtime.Revocation{At: now, Except: slices.Clone(except)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.marks == nil {
		r.marks = map[runtime.IndexValue][]runtime.Revocation{}
	}
	r.forget(now, sampleSize)
	kept := slices.DeleteFunc(r.marks[v], mark.Covers)
	r.marks[v] = append(kept, mark)
}

// bar reports whether a revocation bars the operation from one of the values.
func (r *revocations) bar(key runtime.Key, values iter.Seq[runtime.IndexValue]) bool {
	for v := range values {
		if r.barOne(key, v) {
			return true
		}
	}
	return false
}

func (r *revocations) barOne(key runtime.Key, v runtime.IndexValue) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.ContainsFunc(r.marks[v], func(m runtime.Revocation) bool { return m.Bars(key) })
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
		marks = slices.DeleteFunc(marks, func(m runtime.Revocation) bool { return !m.InForce(now) })
		if len(marks) == 0 {
			delete(r.marks, v)
			continue
		}
		r.marks[v] = marks
	}
}
