package journal

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime/memstore"
)

func TestTheJournalKeepsTheLastRequests(t *testing.T) {
	var j Journal
	for i := range size + 1 {
		j.add(kept{"ada", Entry{Path: strconv.Itoa(i)}})
	}
	got := j.Of("ada")
	if first, last := got[0].Path, got[len(got)-1].Path; len(got) != size || first != strconv.Itoa(size) || last != "1" {
		t.Errorf("there are %d requests from %s back to %s, want %d from %d back to 1", len(got), first, last, size, size)
	}
}

// serve sends one request through the middleware and returns what was noted of
// it.
func serve(t *testing.T, handler http.HandlerFunc) Entry {
	t.Helper()
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	sessions, err := session.NewVisitorSessions(Store(store))
	if err != nil {
		t.Fatal(err)
	}
	var j Journal
	j.Middleware(sessions, handler).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/page", nil))
	if len(j.entries) != 1 {
		t.Fatalf("%d requests are noted, want 1", len(j.entries))
	}
	return j.entries[0].Entry
}

func TestWhatARequestWroteIsNoted(t *testing.T) {
	write := func(r *http.Request) { session.VisitorFrom(r.Context()).SetTheme("dark") }
	for name, handler := range map[string]http.HandlerFunc{
		"without a body": func(_ http.ResponseWriter, r *http.Request) { write(r) },
		"with a header":  func(w http.ResponseWriter, r *http.Request) { write(r); w.WriteHeader(http.StatusNoContent) },
		"with a body":    func(w http.ResponseWriter, r *http.Request) { write(r); w.Write([]byte("page")) },
	} {
		t.Run(name, func(t *testing.T) {
			got := serve(t, handler)
			if !slices.Equal(got.Wrote, []string{"theme"}) || !slices.Equal(got.Calls, []string{"create"}) {
				t.Errorf("noted are fields %q and calls %q, want theme and create", got.Wrote, got.Calls)
			}
		})
	}
}

func TestAnUntouchedSessionCostsNothing(t *testing.T) {
	got := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("page")) })
	if len(got.Wrote) != 0 || len(got.Calls) != 0 {
		t.Errorf("noted are fields %q and calls %q, want none", got.Wrote, got.Calls)
	}
}
