package otel_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/lively"
)

func TestTheDocumentsListEveryInstrument(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	telemetry, reported := newTelemetry(t)
	store := telemetry.Store(&cacher{newStore(t), 1, 1}, "redis")
	telemetry.Live("shop", connections(1))
	live := lively.Config{OnEvent: func(context.Context, lively.Report) {}}
	telemetry.ConfigureLive("shop")(&live)
	live.OnEvent(t.Context(), lively.Report{Name: "cart.add"})
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
	if len(seen) != 9 {
		t.Errorf("the instruments are %v, want 9", seen)
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
