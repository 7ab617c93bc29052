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

// An endpoint is one of live connections.
type endpoint struct {
	connections interface{ Len() int }
	name        metric.ObserveOption
}

// Live reports how many connections the endpoint has open, such as a lively.Endpoint.
// The name tells endpoints of one program from each other.
func (t *Telemetry) Live(name string, connections interface{ Len() int }) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.endpoints = append(t.endpoints, endpoint{connections, metric.WithAttributeSet(attribute.NewSet(endpointName.String(name)))})
}

func (t *Telemetry) observeEndpoints(_ context.Context, o metric.Int64Observer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.endpoints {
		o.Observe(int64(e.connections.Len()), e.name)
	}
	return nil
}
