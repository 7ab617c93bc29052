package otel_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
	"github.com/duckgen/duckgen/runtime/otel"
)

// A sink keeps what a telemetry reports.
type sink struct {
	t     testing.TB
	read  *metric.ManualReader
	spans *tracetest.SpanRecorder
}

// newTelemetry returns one that reports spans, too, unless a function decides otherwise.
func newTelemetry(t testing.TB, configure ...func(*otel.Config)) (*otel.Telemetry, *sink) {
	t.Helper()
	s := &sink{t, metric.NewManualReader(), tracetest.NewSpanRecorder()}
	reporting := func(c *otel.Config) {
		c.MeterProvider = metric.NewMeterProvider(metric.WithReader(s.read))
		c.TracerProvider = trace.NewTracerProvider(trace.WithSpanProcessor(s.spans))
	}
	telemetry, err := otel.New(append([]func(*otel.Config){reporting}, configure...)...)
	if err != nil {
		t.Fatal(err)
	}
	return telemetry, s
}

func withoutSpans(c *otel.Config) { c.TracerProvider = noop.NewTracerProvider() }

// metrics returns what was measured, by instrument and attributes: sums as they are, of
// a histogram the count.
func (s *sink) metrics() map[string]int64 {
	s.t.Helper()
	var all metricdata.ResourceMetrics
	if err := s.read.Collect(context.Background(), &all); err != nil {
		s.t.Fatal(err)
	}
	got := map[string]int64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					got[label(m, p.Attributes)] = p.Value
				}
			case metricdata.Histogram[int64]:
				for _, p := range data.DataPoints {
					got[label(m, p.Attributes)+" bytes"] = p.Sum
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					got[label(m, p.Attributes)] = int64(p.Count)
				}
			}
		}
	}
	return got
}

func label(m metricdata.Metrics, set attribute.Set) string {
	return m.Name + " " + m.Unit + " " + set.Encoded(attribute.DefaultEncoder())
}

// want compares what was measured since the beginning.
func (s *sink) want(want map[string]int64) {
	s.t.Helper()
	got := s.metrics()
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			s.t.Errorf("nobody wants %s: %d", name, got[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			s.t.Errorf("%s is %d, want %d", name, got[name], want[name])
		}
	}
}

// ended describes the spans that have ended, in their order, without their times.
func (s *sink) ended() (spans []string) {
	for _, span := range s.spans.Ended() {
		set := attribute.NewSet(span.Attributes()...)
		status := strings.TrimSpace(span.Status().Code.String() + " " + span.Status().Description)
		spans = append(spans, fmt.Sprintf("%s, %s, %s, %s", span.Name(), span.SpanKind(), status, set.Encoded(attribute.DefaultEncoder())))
	}
	return spans
}

// A failing store returns errors instead of what it is asked for.
type failing struct {
	*memstore.Store
	load, update error // nil: it does what it should
}

func (s failing) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	if s.load != nil {
		return nil, s.load
	}
	return s.Store.Load(ctx, key)
}

func (s failing) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	if s.update != nil {
		return nil, s.update
	}
	return s.Store.Update(ctx, key, d)
}

func newStore(t testing.TB) *memstore.Store {
	t.Helper()
	s := memstore.New()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// newHandler serves with the sessions of the store.
func newHandler(t testing.TB, store runtime.Store, handle http.HandlerFunc, configure ...func(*runtime.Config)) http.Handler {
	t.Helper()
	sessions, err := session.NewVisitorSessions(store, configure...)
	if err != nil {
		t.Fatal(err)
	}
	return sessions.Middleware(handle)
}

// serve makes a request with the cookie, nil for none, and returns the answer.
func serve(h http.Handler, cookie *http.Cookie) *http.Response {
	r := httptest.NewRequest("GET", "https://shop.example/", nil)
	if cookie != nil {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func setName(_ http.ResponseWriter, r *http.Request) { session.VisitorFrom(r.Context()).SetName("Ada") }

func readName(_ http.ResponseWriter, r *http.Request) { _ = session.VisitorFrom(r.Context()).Name() }

const cookieName = "__Host-Http-session_id"

var errNoRoute = errors.New("no route")
