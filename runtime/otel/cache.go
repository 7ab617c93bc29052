package otel

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/duckgen/duckgen/runtime/observe"
)

// A cache is that of one store.
type cache struct {
	counts       observe.Cacher
	hits, misses metric.ObserveOption
}

func (t *Telemetry) addCache(system string, counts observe.Cacher) {
	result := func(name string) metric.ObserveOption {
		return metric.WithAttributeSet(attribute.NewSet(semconv.DBSystemNameKey.String(system), resultName.String(name)))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.caches = append(t.caches, cache{counts, result("hit"), result("miss")})
}

// observeCaches leaves out those that were never asked: a store may have been opened
// without one.
func (t *Telemetry) observeCaches(_ context.Context, o metric.Int64Observer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.caches {
		if hits, misses := c.counts.CacheCounts(); hits+misses > 0 {
			o.Observe(int64(hits), c.hits)
			o.Observe(int64(misses), c.misses)
		}
	}
	return nil
}
