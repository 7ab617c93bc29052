package otel_test

import (
	"context"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime/lively"
)

// An endpoint with that many connections.
type connections int

func (c connections) Len() int { return int(c) }

func TestLiveConnectionsAreReported(t *testing.T) {
	telemetry, reported := newTelemetry(t)
	telemetry.Live("shop", connections(3))
	telemetry.Live("operators", connections(0))
	reported.want(map[string]int64{
		"duckgen.live.connections {connection} duckgen.live.endpoint=shop":      3,
		"duckgen.live.connections {connection} duckgen.live.endpoint=operators": 0,
	})
}

func TestLiveEventsAreMeasuredAndHandedOn(t *testing.T) {
	telemetry, reported := newTelemetry(t)
	var heard []string
	c := lively.Config{OnEvent: func(_ context.Context, r lively.Report) { heard = append(heard, r.Name) }}
	telemetry.ConfigureLive("shop")(&c)
	for _, r := range []lively.Report{
		{Name: "cart.add", Outcome: lively.OutcomeDone, Took: time.Second},
		{Name: "cart.add", Outcome: lively.OutcomeDone, Waited: time.Second},
		{Name: "cart.add", Outcome: lively.OutcomeFailed},
		{Outcome: lively.OutcomeUnknown},
	} {
		c.OnEvent(t.Context(), r)
	}
	duration := "duckgen.live.event.duration s duckgen.live.endpoint=shop,duckgen.live.event="
	reported.want(map[string]int64{
		duration + "cart.add,duckgen.live.outcome=done":        2,
		duration + "cart.add,duckgen.live.outcome=failed":      1,
		duration + ",duckgen.live.outcome=unknown":             1,
		"duckgen.live.event.wait s duckgen.live.endpoint=shop": 4,
	})
	if len(heard) != 4 {
		t.Errorf("who listened before hears of %q, want 4 events", heard)
	}
}
