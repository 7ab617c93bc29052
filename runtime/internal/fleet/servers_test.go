//go:build !mutated

package fleet

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/mysqlstore"
	"github.com/duckgen/duckgen/runtime/pgstore"
	"github.com/duckgen/duckgen/runtime/redisstore"
)

func TestFleetOnRedis(t *testing.T) {
	t.Parallel() // they mostly wait
	server, err := servertest.NewRedis()
	servertest.Check(t, err)
	defer closes(t, server)
	onServer(t, historiesOnServer(), func() (closer, error) { return redisstore.Open(t.Context(), server.URL()) })
}

func TestFleetOnPostgres(t *testing.T) {
	t.Parallel()
	server, err := servertest.NewPostgres()
	servertest.Check(t, err)
	defer closes(t, server)
	onServer(t, historiesOnServer(), func() (closer, error) { return pgstore.Open(t.Context(), server.URL()) })
}

func TestFleetOnMariaDB(t *testing.T) {
	t.Parallel()
	testtier.OnlyExhaustive(t, "its rules are those of memory")
	server, err := servertest.NewMariaDB()
	servertest.Check(t, err)
	t.Cleanup(func() { closes(t, server) })
	dsn := server.Database(t)
	onServer(t, 50, func() (closer, error) { return mysqlstore.Open(t.Context(), dsn) })
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
	faster      = 30 // than they are told do histories on a server go
	fasterBound = 15 // and those with bound sessions, whose cookies end with a second
	concurrent  = 32 // of them, as they mostly wait

	boundAgeOfServers = 3 * time.Second // shorter than the longest time that passes there
)

func historiesOnServer() int { return testtier.Count(0, 40, 400) }

// longest is how many commands a history on a server has: the longer, the more it waits.
func longest() int { return testtier.Count(0, 50, math.MaxInt) }

// onServer tries so many histories on a real server, which judges by its own clock.
// They are the same in each run.
func onServer(t *testing.T, many int, open func() (closer, error)) {
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
	for seed := 0; many > 0; seed++ {
		histories, clock, age := histories, real{faster}, time.Duration(0)
		if seed%2 == 1 {
			histories, clock, age = boundHistories, real{fasterBound}, boundAgeOfServers
		}
		history := histories.Example(seed)
		if len(history) > longest() {
			continue
		}
		many--
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			var lines []string
			say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
			w := newWorld(say, clock, grace/clock.speed, age, views...)
			w.users = int64(seed * 100)
			if _, finding := w.play(history); finding != "" {
				t.Errorf("history %d: %s\n%v", seed, finding, lines)
			}
		})
	}
	all.Wait()
}
