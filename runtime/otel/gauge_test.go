package otel_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// A store that caches, or an endpoint, as far as they are asked.
type (
	cacher struct {
		*memstore.Store
		hits, misses uint64
	}
	connections int
)

func (c *cacher) CacheCounts() (hits, misses uint64) { return c.hits, c.misses }

func (c connections) Len() int { return int(c) }

// A wrapping store leads to the one that caches.
type wrapping struct{ runtime.Store }

func (w wrapping) Unwrap() runtime.Store { return w.Store }

func TestTheCacheOfAStoreIsReported(t *testing.T) {
	telemetry, reported := newTelemetry(t)
	under := &cacher{Store: newStore(t)}
	telemetry.Store(wrapping{under}, "redis")
	telemetry.Store(newStore(t), "memory")
	reported.want(nil) // the store was opened without one
	under.hits, under.misses = 5, 2
	reported.want(map[string]int64{
		"duckgen.store.cache.lookups {lookup} db.system.name=redis,duckgen.cache.result=hit":  5,
		"duckgen.store.cache.lookups {lookup} db.system.name=redis,duckgen.cache.result=miss": 2,
	})
}

func TestLiveConnectionsAreReported(t *testing.T) {
	telemetry, reported := newTelemetry(t)
	telemetry.Live("shop", connections(3))
	telemetry.Live("operators", connections(0))
	reported.want(map[string]int64{
		"duckgen.live.connections {connection} duckgen.live.endpoint=shop":      3,
		"duckgen.live.connections {connection} duckgen.live.endpoint=operators": 0,
	})
}

func TestTheDocumentsListEveryInstrument(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	telemetry, reported := newTelemetry(t)
	store := telemetry.Store(&cacher{newStore(t), 1, 1}, "redis")
	telemetry.Live("shop", connections(1))
	serve(newHandler(t, store, setName, telemetry.Configure), nil)
	listening := func(c *runtime.Config) { c.OnError = func(context.Context, error) {} }
	down := newHandler(t, failing{newStore(t), errNoRoute, nil}, readName, listening, telemetry.Configure)
	serve(down, &http.Cookie{Name: cookieName, Value: token(t)})
	sweeper, _ := runtime.Ability[runtime.Sweeper](store)
	if _, err := sweeper.Sweep(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for label := range reported.metrics() {
		name, rest, _ := strings.Cut(label, " ")
		unit, attributes, _ := strings.Cut(rest, " ")
		seen[name] = true
		row := rowOf(string(text), name)
		for pair := range strings.SplitSeq(strings.TrimSuffix(attributes, " bytes"), ",") {
			attribute, _, _ := strings.Cut(pair, "=")
			if !strings.Contains(row, "`"+unit+"`") || !strings.Contains(row, "`"+attribute+"`") {
				t.Errorf("%s, in %s, with the attribute %s, stands in the documents as %q", name, unit, attribute, row)
			}
		}
	}
	if len(seen) != 7 {
		t.Errorf("the instruments are %v, want 7", seen)
	}
}

// rowOf returns the line of a table that begins with the name.
func rowOf(text, name string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| `"+name+"`") {
			return line
		}
	}
	return ""
}
