package pgstore_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/pgstore"
	"github.com/duckgen/duckgen/runtime/storetest"
)

// A flag that is 0 leaves the number to the tier of the tests.
var (
	history = flag.Int("history", 0, "how many operations are recorded for the linearizability check")
	kills   = flag.Int("kills", 0, "how often a program that writes sessions, and the server, are killed")
)

func historyLength() int { return cmp.Or(*history, testtier.Count(500, 500, 20_000)) }

func killCount() int { return cmp.Or(*kills, testtier.Count(1, 1, 10)) }

// shared is the server of all tests that need no settings of their own. It is nil
// where the environment names another.
var shared = sync.OnceValues(func() (*servertest.Postgres, error) {
	if os.Getenv(servertest.PostgresVariable) != "" {
		return nil, nil
	}
	started.Store(true)
	return newServer()
})

func newServer() (*servertest.Postgres, error) {
	return servertest.NewPostgres("autovacuum=off", "max_wal_size=4GB")
}

var started atomic.Bool

func TestMain(m *testing.M) {
	testtier.WaitTogether()
	code := m.Run()
	if started.Load() {
		if s, err := shared(); err == nil {
			if err := s.Close(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// serverURL returns where the shared server is.
func serverURL(t testing.TB) string {
	t.Helper()
	if url := os.Getenv(servertest.PostgresVariable); url != "" {
		return url
	}
	return server(t).URL()
}

// server returns the shared server for a test that stops it and starts it again. Such a
// test is not parallel: those that are run when it has ended.
func server(t testing.TB) *servertest.Postgres {
	t.Helper()
	testtier.NotShort(t, "it needs a server")
	s, err := shared()
	servertest.Check(t, err)
	if s == nil {
		t.Skip("the own server stays up")
	}
	return s
}

// emptyURL returns the URL of a schema that is empty.
func emptyURL(t testing.TB) string {
	t.Helper()
	return servertest.Schema(t, serverURL(t))
}

func connect(t testing.TB, server string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), server)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// open opens a store for the clock of a test, and closes it at the end.
func open(t testing.TB, server string) *pgstore.Store {
	t.Helper()
	return openServed(t, server, pgstore.WithClientClock())
}

// openServed opens one that judges by the server's clock.
func openServed(t testing.TB, server string, options ...pgstore.Option) *pgstore.Store {
	t.Helper()
	s, err := pgstore.Open(t.Context(), server, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// TestContract has a server for itself, which it kills. A process that the kit starts and
// kills uses that of its parent.
func TestContract(t *testing.T) {
	t.Parallel()
	if os.Getenv(servertest.PostgresVariable) == "" {
		servertest.Check(t, servertest.HasPostgres())
	}
	var server *servertest.Postgres
	url := sync.OnceValue(func() string {
		if own := os.Getenv(servertest.PostgresVariable); own != "" {
			return own
		}
		server = start(t)
		return server.URL()
	})
	tables := servertest.Lender{
		Make:  func(testing.TB) string { return servertest.Schema(t, url()) },
		Clear: servertest.EmptyTables,
	}
	storetest.Run(t,
		func(t *testing.T) runtime.Store { return open(t, tables.Lend(t)) },
		storetest.WithReopen(func(t *testing.T, data string) runtime.Store {
			name := sha256.Sum256([]byte(data))
			return open(t, servertest.NamedSchema(t, servertest.AddressIn(t, data, url), "duckgen_test_"+hex.EncodeToString(name[:8])))
		}),
		storetest.WithOutage(func(t *testing.T, _ runtime.Store) (restart func()) { return crash(t, server) }),
		storetest.WithLostWatch(func(t *testing.T, _ runtime.Store) { killListeners(t, url()) }),
		storetest.WithClocks(func(t *testing.T) [2]runtime.Store {
			lent := tables.Lend(t)
			return [2]runtime.Store{openServed(t, lent), openServed(t, lent)}
		}),
		storetest.WithHistory(historyLength()), storetest.WithRounds(testtier.Rounds()), storetest.WithKills(killCount()))
}

// killListeners closes the connections that have said LISTEN and nothing after it.
func killListeners(t *testing.T, server string) {
	servertest.Execute(t, server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'")
}

// start starts a server for one test.
func start(t *testing.T) *servertest.Postgres {
	t.Helper()
	server, err := newServer()
	servertest.Check(t, err)
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// crash kills a server. What it returns starts it again.
func crash(t *testing.T, server *servertest.Postgres) (restart func()) {
	if server == nil {
		t.Skip("the own server stays up")
	}
	server.Kill()
	return func() {
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
	}
}
