package otel

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// A memo computes a value for each key once. Its keys are made of names that are
// written in programs, so there are few.
type memo[K comparable, V any] struct {
	compute func(K) V
	known   atomic.Pointer[map[K]V] // never changed, but replaced
	growing sync.Mutex
}

func newMemo[K comparable, V any](compute func(K) V) *memo[K, V] {
	m := &memo[K, V]{compute: compute}
	m.known.Store(&map[K]V{})
	return m
}

func (m *memo[K, V]) get(key K) V {
	if v, ok := (*m.known.Load())[key]; ok {
		return v
	}
	m.growing.Lock()
	defer m.growing.Unlock()
	known := maps.Clone(*m.known.Load())
	v, ok := known[key]
	if !ok {
		v = m.compute(key)
		known[key] = v
		m.known.Store(&known)
	}
	return v
}

// A counter counts by what attributes are made of.
type counter[K comparable] struct {
	instrument metric.Int64Counter
	options    *memo[K, []metric.AddOption]
}

func newCounter[K comparable](instrument metric.Int64Counter, attributes func(K) []attribute.KeyValue) *counter[K] {
	return &counter[K]{instrument, newMemo(func(key K) []metric.AddOption {
		return []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attributes(key)...))}
	})}
}

func (c *counter[K]) add(ctx context.Context, key K) { c.instrument.Add(ctx, 1, c.options.get(key)...) }
