package otel

import (
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/semconv/v1.43.0/dbconv"
)

// The attributes that the conventions have no name for.
const (
	outcomeName     = attribute.Key("duckgen.store.outcome")
	resultName      = attribute.Key("duckgen.cache.result")
	typeName        = attribute.Key("duckgen.session.type")
	kindName        = attribute.Key("duckgen.event.kind")
	operationName   = attribute.Key("duckgen.session.operation")
	endpointName    = attribute.Key("duckgen.live.endpoint")
	liveEventName   = attribute.Key("duckgen.live.event")
	liveOutcomeName = attribute.Key("duckgen.live.outcome")
)

// The boundaries of histograms. For calls of a database, and for answers of a server,
// the conventions advise them.
var (
	ofCalls   = metric.WithExplicitBucketBoundaries(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
	ofAnswers = metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
	ofBytes   = metric.WithExplicitBucketBoundaries(64, 256, 1<<10, 4<<10, 16<<10, 64<<10, 256<<10, 1<<20)
)

// instrument makes what is measured with.
func (t *Telemetry) instrument(m *maker) {
	t.duration = m.calls()
	t.size = m.bytes("duckgen.store.entries.size",
		"The bytes of the entries that a call of the store has sent or that came back.")
	t.sessions = m.counter("duckgen.store.sessions", "{session}",
		"Sessions that were found or ended by calls of the store that are about several.")
	t.events = newCounter(m.counter("duckgen.session.events", "{event}",
		"What has happened to sessions, and what is worth looking at."), eventKey.attributes)
	t.errors = newCounter(m.counter("duckgen.session.errors", "{error}",
		"Loads, commits and other operations on sessions that failed."), errorKey.attributes)
	t.liveDuration = m.answers("duckgen.live.event.duration",
		"How long events and navigations of live connections took.")
	t.liveWait = m.answers("duckgen.live.event.wait",
		"How long events and navigations of live connections waited for those before them.")
	m.observedSum("duckgen.store.cache.lookups", "{lookup}",
		"Loads that the store might have answered out of the program's memory.", t.observeCaches)
	m.observedLevel("duckgen.live.connections", "{connection}",
		"Live connections that are open.", t.observeEndpoints)
}

// A maker makes instruments, and keeps what goes wrong.
type maker struct {
	meter metric.Meter
	err   error
}

func (m *maker) note(err error) { m.err = errors.Join(m.err, err) }

func (m *maker) calls() metric.Float64Histogram {
	h, err := dbconv.NewClientOperationDuration(m.meter, ofCalls)
	m.note(err)
	return h.Inst()
}

func (m *maker) answers(name, description string) metric.Float64Histogram {
	h, err := m.meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description), ofAnswers)
	m.note(err)
	return h
}

func (m *maker) bytes(name, description string) metric.Int64Histogram {
	h, err := m.meter.Int64Histogram(name, metric.WithUnit("By"), metric.WithDescription(description), ofBytes)
	m.note(err)
	return h
}

func (m *maker) counter(name, unit, description string) metric.Int64Counter {
	c, err := m.meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
	m.note(err)
	return c
}

// observedSum and observedLevel ask only when somebody collects.
func (m *maker) observedSum(name, unit, description string, ask metric.Int64Callback) {
	_, err := m.meter.Int64ObservableCounter(name,
		metric.WithUnit(unit), metric.WithDescription(description), metric.WithInt64Callback(ask))
	m.note(err)
}

func (m *maker) observedLevel(name, unit, description string, ask metric.Int64Callback) {
	_, err := m.meter.Int64ObservableUpDownCounter(name,
		metric.WithUnit(unit), metric.WithDescription(description), metric.WithInt64Callback(ask))
	m.note(err)
}
