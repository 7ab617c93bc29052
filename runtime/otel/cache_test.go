package otel_test

import (
	"testing"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// A cacher counts what it is told to have answered.
type cacher struct {
	*memstore.Store
	hits, misses uint64
}

func (c *cacher) CacheCounts() (hits, misses uint64) { return c.hits, c.misses }

// A wrapping store leads to the one that caches.
type wrapping struct{ runtime.Store }

func (w wrapping) Unwrap() runtime.Store { return w.Store }

func TestTheCacheOfAStoreIsReported(t *testing.T) {
	telemetry, reported := newTelemetry(t)
	under := &cacher{Store: newStore(t)}
	telemetry.Store(wrapping{under}, "redis")
	telemetry.Store(newStore(t), "memory")
	reported.want(nil) // the store was opened without one
	under.hits, under.misses = 5, 2
	reported.want(map[string]int64{
		"duckgen.store.cache.lookups {lookup} db.system.name=redis,duckgen.cache.result=hit":  5,
		"duckgen.store.cache.lookups {lookup} db.system.name=redis,duckgen.cache.result=miss": 2,
	})
}
