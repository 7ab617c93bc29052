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
	"errors"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/dbconv"
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
	}
	err := t.instrument(c.MeterProvider.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL)))
	if err != nil {
		return nil, err
	}
	return t, nil
}

// instrument makes what is measured with.
func (t *Telemetry) instrument(m metric.Meter) error {
	duration, err1 := dbconv.NewClientOperationDuration(m,
		// The boundaries that the conventions advise.
		metric.WithExplicitBucketBoundaries(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10))
	size, err2 := m.Int64Histogram("duckgen.store.entries.size",
		metric.WithDescription("The bytes of the entries that a call of the store has sent or that came back."),
		metric.WithUnit("By"),
		metric.WithExplicitBucketBoundaries(64, 256, 1<<10, 4<<10, 16<<10, 64<<10, 256<<10, 1<<20))
	sessions, err3 := m.Int64Counter("duckgen.store.sessions",
		metric.WithDescription("Sessions that were found or ended by calls of the store that are about several."),
		metric.WithUnit("{session}"))
	events, err4 := m.Int64Counter("duckgen.session.events",
		metric.WithDescription("What has happened to sessions, and what is worth looking at."),
		metric.WithUnit("{event}"))
	failures, err5 := m.Int64Counter("duckgen.session.errors",
		metric.WithDescription("Loads, commits and other operations on sessions that failed."),
		metric.WithUnit("{error}"))
	_, err6 := m.Int64ObservableCounter("duckgen.store.cache.lookups",
		metric.WithDescription("Loads that the store might have answered out of the program's memory."),
		metric.WithUnit("{lookup}"), metric.WithInt64Callback(t.observeCaches))
	_, err7 := m.Int64ObservableUpDownCounter("duckgen.live.connections",
		metric.WithDescription("Live connections that are open."),
		metric.WithUnit("{connection}"), metric.WithInt64Callback(t.observeEndpoints))

	t.duration, t.size, t.sessions = duration.Inst(), size, sessions
	t.events = newCounter(events, eventKey.attributes)
	t.errors = newCounter(failures, errorKey.attributes)
	return errors.Join(err1, err2, err3, err4, err5, err6, err7)
}

// The attributes that the conventions have no name for.
const (
	outcomeName   = attribute.Key("duckgen.store.outcome")
	typeName      = attribute.Key("duckgen.session.type")
	kindName      = attribute.Key("duckgen.event.kind")
	operationName = attribute.Key("duckgen.session.operation")
	resultName    = attribute.Key("duckgen.cache.result")
	endpointName  = attribute.Key("duckgen.live.endpoint")
)
