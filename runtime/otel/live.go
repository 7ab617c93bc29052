package otel

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/duckgen/duckgen/runtime/lively"
)

// ConfigureLive measures the events of an endpoint, and hands their reports to the
// OnEvent that is there. What sets this has to come before it. The name tells endpoints
// of one program from each other.
func (t *Telemetry) ConfigureLive(endpoint string) func(*lively.Config) {
	return func(c *lively.Config) {
		onEvent := c.OnEvent
		waited := []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(endpointName.String(endpoint)))}
		c.OnEvent = func(ctx context.Context, r lively.Report) {
			t.liveWait.Record(ctx, r.Waited.Seconds(), waited...)
			t.liveDuration.Record(ctx, r.Took.Seconds(), t.liveEvents.get(liveKey{endpoint, r.Name, r.Outcome})...)
			onEvent(ctx, r)
		}
	}
}

type liveKey struct {
	endpoint, event string
	outcome         lively.Outcome
}

func (k liveKey) options() []metric.RecordOption {
	return []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(
		endpointName.String(k.endpoint), liveEventName.String(k.event), liveOutcomeName.String(k.outcome.String())))}
}

// An endpoint is one of live connections.
type endpoint struct {
	connections interface{ Len() int }
	name        metric.ObserveOption
}

// Live reports how many connections an endpoint has open, such as a [lively.Endpoint].
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
