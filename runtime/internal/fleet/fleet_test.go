package fleet

import (
	"cmp"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/memstore"
	"github.com/duckgen/duckgen/runtime/pgstore"
	"github.com/duckgen/duckgen/runtime/redisstore"
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
	testtier.Checks(t, testtier.Count(100, 2_000, 4_000))
	playInMemory(t, histories, 0)
}

// TestBoundFleetInMemory does the same with sessions that are bound to the devices of
// their browsers.
func TestBoundFleetInMemory(t *testing.T) {
	testtier.Checks(t, testtier.Count(50, 500, 4_000))
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

func TestFleetOnRedis(t *testing.T) {
	server, err := servertest.NewRedis()
	servertest.Check(t, err)
	defer closes(t, server)
	onServer(t, func() (closer, error) { return redisstore.Open(t.Context(), server.URL()) })
}

func TestFleetOnPostgres(t *testing.T) {
	server, err := servertest.NewPostgres()
	servertest.Check(t, err)
	defer closes(t, server)
	onServer(t, func() (closer, error) { return pgstore.Open(t.Context(), server.URL()) })
}

type closer interface {
	runtime.Store
	Close() error
}

func closes(t *testing.T, c interface{ Close() error }) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

const (
	faster     = 15 // than they are told do histories on a server go
	concurrent = 32 // of them, as they mostly wait

	boundAgeOfServers = 3 * time.Second // shorter than the longest time that passes
)

// onServer tries histories on a real server, which judges by its own clock. They are
// the same in each run.
func onServer(t *testing.T, open func() (closer, error)) {
	t.Helper()
	var views []*view
	for _, ahead := range clocks {
		store, err := open()
		if err != nil {
			t.Fatal(err)
		}
		defer closes(t, store)
		views = append(views, &view{store: store, ahead: ahead})
	}
	var all sync.WaitGroup
	room := make(chan struct{}, concurrent)
	for seed := range testtier.Count(0, 100, 400) {
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			var lines []string
			say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
			histories, age := histories, time.Duration(0)
			if seed%2 == 1 {
				histories, age = boundHistories, boundAgeOfServers
			}
			w := newWorld(say, real{faster}, grace/faster, age, views...)
			w.users = int64(seed * 100)
			if _, finding := w.play(histories.Example(seed)); finding != "" {
				t.Errorf("history %d: %s\n%v", seed, finding, lines)
			}
		})
	}
	all.Wait()
}
