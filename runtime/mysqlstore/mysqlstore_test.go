package mysqlstore_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/mysqlstore"
	"github.com/duckgen/duckgen/runtime/storetest"
)

// A flag that is 0 leaves the number to the tier of the tests.
var (
	history = flag.Int("history", 0, "how many operations are recorded for the linearizability check")
	kills   = flag.Int("kills", 0, "how often a program that writes sessions, and the server, are killed")
)

func historyLength() int { return cmp.Or(*history, testtier.Count(500, 500, 10_000)) }

func killCount() int { return cmp.Or(*kills, testtier.Count(1, 1, 5)) }

// shared is the server of all tests that need no settings of their own. It is nil
// where the environment names another.
var shared = sync.OnceValues(func() (*servertest.MariaDB, error) {
	if os.Getenv(servertest.MySQLVariable) != "" {
		return nil, nil
	}
	started.Store(true)
	return servertest.NewMariaDB()
})

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

// serverDSN returns where the shared server is.
func serverDSN(t testing.TB) string {
	t.Helper()
	if dsn := os.Getenv(servertest.MySQLVariable); dsn != "" {
		return dsn
	}
	return server(t).DSN("")
}

// server returns the shared server for a test that stops it and starts it again. Such a
// test is not parallel: those that are run when it has ended.
func server(t testing.TB) *servertest.MariaDB {
	t.Helper()
	testtier.NotShort(t, "it needs a server")
	s, err := shared()
	servertest.Check(t, err)
	if s == nil {
		t.Skip("the own server stays up")
	}
	return s
}

// emptyDSN returns the DSN of a database that is empty.
func emptyDSN(t testing.TB) string {
	t.Helper()
	return servertest.Database(t, serverDSN(t))
}

// open opens a store for the clock of a test, and closes it at the end.
func open(t testing.TB, dsn string) *mysqlstore.Store {
	t.Helper()
	return openServed(t, dsn, mysqlstore.WithClientClock())
}

// openServed opens one that judges by the server's clock.
func openServed(t testing.TB, dsn string, options ...mysqlstore.Option) *mysqlstore.Store {
	t.Helper()
	s, err := mysqlstore.Open(t.Context(), dsn, options...)
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
	if os.Getenv(servertest.MySQLVariable) == "" {
		servertest.Check(t, servertest.HasMariaDB())
	}
	var server *servertest.MariaDB
	dsn := sync.OnceValue(func() string {
		if own := os.Getenv(servertest.MySQLVariable); own != "" {
			return own
		}
		server = start(t)
		return server.DSN("")
	})
	tables := servertest.Lender{
		Make: func(testing.TB) string { return servertest.Database(t, dsn()) },
		Clear: func(t testing.TB, lent string) {
			servertest.ExecuteMySQL(t, lent, "DELETE FROM duckgen_sessions; DELETE FROM duckgen_revocations; DELETE FROM duckgen_changes")
		},
	}
	storetest.Run(t,
		func(t *testing.T) runtime.Store { return open(t, tables.Lend(t)) },
		storetest.WithReopen(func(t *testing.T, data string) runtime.Store {
			name := sha256.Sum256([]byte(data))
			return open(t, servertest.NamedDatabase(t, servertest.AddressIn(t, data, dsn), "duckgen_test_"+hex.EncodeToString(name[:8])))
		}),
		storetest.WithOutage(func(t *testing.T, _ runtime.Store) (restart func()) { return crash(t, server) }),
		storetest.WithLostWatch(func(t *testing.T, _ runtime.Store) { killConnections(t, dsn()) }),
		storetest.WithClocks(func(t *testing.T) [2]runtime.Store {
			lent := tables.Lend(t)
			return [2]runtime.Store{openServed(t, lent), openServed(t, lent)}
		}),
		storetest.WithHistory(historyLength()), storetest.WithRounds(testtier.Rounds()), storetest.WithKills(killCount()))
}

// killConnections closes all connections but its own. Those of a pool are made anew
// before anything is sent.
func killConnections(t *testing.T, dsn string) {
	t.Helper()
	const unknownThread = 1094 // it has ended meanwhile
	db := pool(t, dsn)
	for _, id := range servertest.QueryMySQL(t, dsn, "SELECT id FROM information_schema.processlist WHERE db IS NOT NULL AND id<>CONNECTION_ID()") {
		_, err := db.Exec("KILL " + id[0])
		if failed := new(mysql.MySQLError); err != nil && !(errors.As(err, &failed) && failed.Number == unknownThread) {
			t.Fatal(err)
		}
	}
}

// start starts a server for one test.
func start(t *testing.T) *servertest.MariaDB {
	t.Helper()
	server, err := servertest.NewMariaDB()
	servertest.Check(t, err)
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// crash kills a server. What it returns starts it again.
func crash(t *testing.T, server *servertest.MariaDB) (restart func()) {
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
