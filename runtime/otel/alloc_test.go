package otel_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/duckgen/duckgen/runtime/otel"
)

// An emptyWriter is a response that allocates nothing.
type emptyWriter struct{ header http.Header }

func (w emptyWriter) Header() http.Header         { return w.header }
func (w emptyWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w emptyWriter) WriteHeader(int)             {}

// allocations returns how many a request makes that comes with the cookie of a stored
// session.
func allocations(t *testing.T, telemetry *otel.Telemetry, handle http.HandlerFunc) float64 {
	t.Helper()
	store := newStore(t)
	cookie := serve(newHandler(t, store, setName), nil).Cookies()[0]
	h := newHandler(t, store, handle)
	if telemetry != nil {
		h = newHandler(t, telemetry.Store(store, "memory"), handle, telemetry.Configure)
	}
	r := httptest.NewRequest("GET", "https://shop.example/", nil)
	r.AddCookie(cookie)
	w := emptyWriter{http.Header{}}
	return testing.AllocsPerRun(1000, func() {
		clear(w.header)
		h.ServeHTTP(w, r)
	})
}

func TestARequestCostsAtMostTwoAllocationsMore(t *testing.T) {
	telemetry, _ := newTelemetry(t, withoutSpans)
	global, err := otel.New() // which nobody has set: OpenTelemetry itself makes three for a span
	if err != nil {
		t.Fatal(err)
	}
	untouched := func(http.ResponseWriter, *http.Request) {}
	for _, c := range []struct {
		name      string
		telemetry *otel.Telemetry
		handle    http.HandlerFunc
		most      float64
	}{
		{"a request that leaves its session alone", telemetry, untouched, 0},
		{"a request that leaves its session alone, without a provider", global, untouched, 0},
		{"a read", telemetry, readName, 2},
		{"a read without a provider", global, readName, 3},
	} {
		before, after := allocations(t, nil, c.handle), allocations(t, c.telemetry, c.handle)
		t.Logf("%s: %v allocations, and %v with telemetry", c.name, before, after)
		if after-before > c.most {
			t.Errorf("%s makes %v allocations more, want at most %v", c.name, after-before, c.most)
		}
	}
}
