package otel_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/otel"
)

func TestTheCallsOfRequestsAreMeasured(t *testing.T) {
	telemetry, reported := newTelemetry(t)
	store := telemetry.Store(newStore(t), "memory")
	cookie := serve(newHandler(t, store, setName), nil).Cookies()[0]
	read := newHandler(t, store, readName)
	serve(read, cookie)
	serve(read, cookie)
	reported.want(map[string]int64{
		"db.client.operation.duration s db.operation.name=create,db.system.name=memory,duckgen.store.outcome=ok": 1,
		"db.client.operation.duration s db.operation.name=load,db.system.name=memory,duckgen.store.outcome=ok":   2,
		"duckgen.store.entries.size By db.operation.name=create,db.system.name=memory bytes":                     8,
		"duckgen.store.entries.size By db.operation.name=load,db.system.name=memory bytes":                       16,
	})
	want := []string{
		"create sessions, client, Unset, db.operation.name=create,db.system.name=memory,duckgen.store.outcome=ok",
		"load sessions, client, Unset, db.operation.name=load,db.system.name=memory,duckgen.store.outcome=ok",
		"load sessions, client, Unset, db.operation.name=load,db.system.name=memory,duckgen.store.outcome=ok",
	}
	if got := reported.ended(); !slices.Equal(got, want) {
		t.Errorf("the spans are %q, want %q", got, want)
	}
}

func TestCallsAtOnceAreAllMeasured(t *testing.T) {
	telemetry, reported := newTelemetry(t)
	store := telemetry.Store(newStore(t), "memory")
	var callers sync.WaitGroup
	const each = 100
	for range 8 {
		callers.Go(func() {
			for range each {
				if _, err := store.Load(t.Context(), runtime.Key{}); !errors.Is(err, runtime.ErrNotFound) {
					t.Error(err)
				}
				if err := store.Delete(t.Context(), runtime.Key{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	reported.want(map[string]int64{
		"db.client.operation.duration s db.operation.name=load,db.system.name=memory,duckgen.store.outcome=not_found": 8 * each,
		"db.client.operation.duration s db.operation.name=delete,db.system.name=memory,duckgen.store.outcome=ok":      8 * each,
	})
	if n := len(reported.spans.Ended()); n != 2*8*each {
		t.Errorf("%d spans have ended, want %d", n, 2*8*each)
	}
}

// What a store says of a session is an answer. What it could not do is an error, which
// is not shown unless handles are: it may have one.
func TestAFailureIsToldFromAnAnswer(t *testing.T) {
	for _, c := range []struct {
		err     error
		outcome string // with error.type, of a failure
		status  string
	}{
		{runtime.ErrNotFound, "duckgen.store.outcome=not_found", "Unset"},
		{fmt.Errorf("it was %w", runtime.ErrConflict), "duckgen.store.outcome=conflict", "Unset"},
		{runtime.ErrDamaged, "duckgen.store.outcome=damaged,error.type=damaged", "Error"},
		{context.DeadlineExceeded, "duckgen.store.outcome=timeout,error.type=timeout", "Error"},
		{errNoRoute, "duckgen.store.outcome=error,error.type=error", "Error"},
	} {
		telemetry, reported := newTelemetry(t)
		store := telemetry.Store(failing{newStore(t), c.err, nil}, "redis")
		if _, err := store.Load(t.Context(), runtime.Key{}); !errors.Is(err, c.err) {
			t.Errorf("the error is %v, want %v", err, c.err)
		}
		attributes := "db.operation.name=load,db.system.name=redis," + c.outcome
		reported.want(map[string]int64{"db.client.operation.duration s " + attributes: 1})
		want := "load sessions, client, " + c.status + ", " + attributes
		if got := reported.ended(); !slices.Equal(got, []string{want}) {
			t.Errorf("the spans are %q, want %q", got, want)
		}
	}
}

func TestHandlesAreInSpansIfAskedFor(t *testing.T) {
	telemetry, reported := newTelemetry(t, func(c *otel.Config) { c.Handles = true })
	store := telemetry.Store(failing{newStore(t), errNoRoute, nil}, "redis")
	key := runtime.Key{ID: runtime.ID{0xab}}
	if _, err := store.Load(t.Context(), key); err == nil {
		t.Error("the store does not fail")
	}
	attributes := "db.operation.name=load,db.system.name=redis,duckgen.store.outcome=error,error.type=error"
	reported.want(map[string]int64{"db.client.operation.duration s " + attributes: 1})
	want := "load sessions, client, Error no route, " + attributes + ",session.id=" + key.ID.String()
	if got := reported.ended(); !slices.Equal(got, []string{want}) {
		t.Errorf("the spans are %q, want %q", got, want)
	}
}

func TestCallsAboutSeveralSessionsCountThem(t *testing.T) {
	telemetry, reported := newTelemetry(t)
	store := telemetry.Store(newStore(t), "memory")
	now := time.Now()
	user := runtime.Entry{Key: "user", Kind: runtime.IndexedEntry, Value: "\x07"}
	for i := range byte(3) {
		key := runtime.Key{ID: runtime.ID{i}, Proof: runtime.Proof{i}, Now: now}
		err := store.Create(t.Context(), key, &runtime.Record{Kind: "shop.Visitor", Proof: key.Proof, Created: now,
			Deadline: now.Add(time.Hour), Expires: now.Add(time.Hour), Entries: runtime.NewEntries(user)})
		if err != nil {
			t.Fatal(err)
		}
	}
	index, _ := runtime.Ability[runtime.Indexer](store)
	value := runtime.IndexValue{Kind: "shop.Visitor", Field: user.Key, Value: user.Value}
	for _, err := range index.Find(t.Context(), value, now) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n, err := index.Revoke(t.Context(), value, now, runtime.ID{1}); n != 2 || err != nil {
		t.Fatalf("%d sessions are revoked, %v", n, err)
	}
	reported.want(map[string]int64{
		"db.client.operation.duration s db.operation.name=create,db.system.name=memory,duckgen.store.outcome=ok": 3,
		"db.client.operation.duration s db.operation.name=find,db.system.name=memory,duckgen.store.outcome=ok":   1,
		"db.client.operation.duration s db.operation.name=revoke,db.system.name=memory,duckgen.store.outcome=ok": 1,
		"duckgen.store.entries.size By db.operation.name=create,db.system.name=memory bytes":                     15,
		"duckgen.store.entries.size By db.operation.name=find,db.system.name=memory bytes":                       15,
		"duckgen.store.sessions {session} db.operation.name=find,db.system.name=memory":                          3,
		"duckgen.store.sessions {session} db.operation.name=revoke,db.system.name=memory":                        2,
	})
	find := "find sessions, client, Unset, db.operation.name=find,db.response.returned_rows=3,db.system.name=memory,duckgen.store.outcome=ok"
	if got := reported.ended(); !slices.Contains(got, find) {
		t.Errorf("the spans are %q, and %q is missing", got, find)
	}
}

// The spans of calls belong to that of their request, which goes on.
func TestTheSpanOfACallHasAParent(t *testing.T) {
	var tracing otel.Config
	telemetry, reported := newTelemetry(t, func(c *otel.Config) { tracing = *c })
	h := newHandler(t, telemetry.Store(newStore(t), "memory"), setName)
	ctx, request := tracing.TracerProvider.Tracer("test").Start(t.Context(), "request")
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "https://shop.example/", nil))
	if !request.IsRecording() {
		t.Error("the span of the request has ended with that of the call")
	}
	request.End()
	spans := reported.spans.Ended()
	if len(spans) != 2 || spans[0].Parent().SpanID() != spans[1].SpanContext().SpanID() {
		t.Errorf("the spans are %q, want one within the other", reported.ended())
	}
}

// A change whose conditions fail is computed anew and tried again. Each attempt is
// counted; an error is what is given up at last.
func TestConflictsAreCountedAndWhatIsGivenUp(t *testing.T) {
	telemetry, reported := newTelemetry(t)
	under := newStore(t)
	cookie := serve(newHandler(t, under, setName), nil).Cookies()[0]
	store := telemetry.Store(failing{under, nil, runtime.ErrConflict}, "memory")
	setTheme := func(_ http.ResponseWriter, r *http.Request) { session.VisitorFrom(r.Context()).SetTheme("dark") }
	h := newHandler(t, store, setTheme, telemetry.Configure)
	if status := serve(h, cookie).StatusCode; status != http.StatusServiceUnavailable {
		t.Errorf("the status is %d, want 503", status)
	}
	const attempts = 9
	reported.want(map[string]int64{
		"db.client.operation.duration s db.operation.name=update,db.system.name=memory,duckgen.store.outcome=conflict":           attempts,
		"db.client.operation.duration s db.operation.name=load,db.system.name=memory,duckgen.store.outcome=ok":                   attempts,
		"duckgen.store.entries.size By db.operation.name=load,db.system.name=memory bytes":                                       attempts * 8,
		"duckgen.session.errors {error} duckgen.session.operation=save,duckgen.session.type=session.Visitor,error.type=conflict": 1,
	})
}
