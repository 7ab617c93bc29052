// Package otel reports to OpenTelemetry what sessions and their store do: metrics of
// each call, event, error and live connection, and a span for each call of the store.
// It is a module of its own, so that a program without it does not depend on
// OpenTelemetry.
//
//	telemetry, err := otel.New()
//	store := telemetry.Store(under, "postgresql")
//	sessions, err := session.NewVisitorSessions(store, telemetry.Configure)
//
// Names follow the semantic conventions of OpenTelemetry where these have one, and
// begin with "duckgen." where they have none. docs/operations.md lists them.
package otel

import (
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

const scope = "github.com/duckgen/duckgen/runtime/otel"

// A Config says where a [Telemetry] reports to.
type Config struct {
	// MeterProvider takes the metrics. Default: the global one.
	MeterProvider metric.MeterProvider

	// TracerProvider takes the spans. That of package trace/noop takes none, for one
	// allocation at each call of the store. Default: the global one, which costs three
	// in a program that sets none.
	TracerProvider trace.TracerProvider

	// Handles puts the session's handle into spans, as session.id, and the text of
	// errors, which may have it. The handle opens nothing, but connects what one
	// visitor has done. Metrics never have it. Default: false.
	Handles bool
}

// A Telemetry reports to OpenTelemetry. One is enough for all stores, sessions and
// endpoints of a program. It is safe for concurrent use.
type Telemetry struct {
	tracer  trace.Tracer
	handles bool

	duration metric.Float64Histogram
	size     metric.Int64Histogram
	sessions metric.Int64Counter
	events   *counter[eventKey]
	errors   *counter[errorKey]

	liveDuration, liveWait metric.Float64Histogram
	liveEvents             *memo[liveKey, []metric.RecordOption]

	mu        sync.Mutex
	caches    []cache
	endpoints []endpoint
}

// New returns a telemetry. An error is one of the meter provider's.
func New(configure ...func(*Config)) (*Telemetry, error) {
	c := Config{MeterProvider: otel.GetMeterProvider(), TracerProvider: otel.GetTracerProvider()}
	for _, f := range configure {
		f(&c)
	}
	t := &Telemetry{
		tracer:  c.TracerProvider.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL)),
		handles: c.Handles,

		liveEvents: newMemo(liveKey.options),
	}
	m := &maker{meter: c.MeterProvider.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))}
	t.instrument(m)
	if m.err != nil {
		return nil, m.err
	}
	return t, nil
}
