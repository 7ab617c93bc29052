package fleet

import (
	"cmp"
	"testing"
	"time"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime/memstore"
	"pgregory.net/rapid"
)

// grace is that of a renewed token, and boundAge the life of a bound cookie.
const (
	grace    = 30 * time.Second
	boundAge = 10 * time.Minute
)

// clocks say how far those of the processes are ahead of the store's. One is further
// behind than a challenge to register a key lives.
var clocks = []time.Duration{0, 5 * time.Minute, -25 * time.Minute}

// inMemory returns a world whose processes have a memory store as if it were on a
// server: it has a clock of its own.
func inMemory(say func(string, ...any), boundAge time.Duration) *world {
	store := memstore.New()
	var views []*view
	for _, ahead := range clocks {
		views = append(views, &view{store: store, ahead: ahead, moves: true})
	}
	return newWorld(say, &simulated{time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}, grace, boundAge, views...)
}

// TestFleetInMemory tries random histories, the same in each run: -rapid.seed chooses
// others, and -rapid.checks=32000 makes a million steps. A finding is shrunk.
func TestFleetInMemory(t *testing.T) {
	testtier.Checks(t, testtier.Count(100, 300, 4_000))
	playInMemory(t, histories, 0)
}

// TestBoundFleetInMemory does the same with sessions that are bound to the devices of
// their browsers.
func TestBoundFleetInMemory(t *testing.T) {
	testtier.Checks(t, testtier.Count(50, 150, 4_000))
	playInMemory(t, boundHistories, boundAge)
}

func playInMemory(t *testing.T, histories *rapid.Generator[[]command], boundAge time.Duration) {
	testtier.Seed(t, 1)
	steps, first := 0, 0
	defer func() { t.Logf("%d steps, the first finding after %d steps", steps, first) }()
	rapid.Check(t, func(t *rapid.T) {
		n, finding := inMemory(t.Logf, boundAge).play(histories.Draw(t, "history"))
		steps += n
		if finding != "" {
			first = cmp.Or(first, steps)
			t.Fatal(finding)
		}
	})
}
