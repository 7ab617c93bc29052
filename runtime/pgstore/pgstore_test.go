package pgstore_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/pgstore"
	"github.com/duckgen/duckgen/runtime/storetest"
)

// more makes the tests heavier that kill, that record histories and that fill
// tables. With 20 they take some minutes.
var (
	history = flag.Int("history", 10_000, "how many operations are recorded for the linearizability check")
	kills   = flag.Int("kills", 5, "how often a program that writes sessions, and the server, are killed")
)

// server is shared by the tests that do not stop it. It is nil where an own
// server is used.
var server = sync.OnceValues(func() (*servertest.Postgres, error) {
	if os.Getenv(servertest.PostgresVariable) != "" {
		return nil, nil
	}
	started.Store(true)
	return servertest.NewPostgres()
})

var started atomic.Bool

func TestMain(m *testing.M) {
	code := m.Run()
	if started.Load() {
		if s, err := server(); err == nil {
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
	s, err := server()
	servertest.Check(t, err)
	if s == nil {
		return os.Getenv(servertest.PostgresVariable)
	}
	return s.URL()
}

var schemas atomic.Int64

// emptyURL returns the URL of a schema that is empty.
func emptyURL(t testing.TB) string {
	t.Helper()
	return schemaURL(t, serverURL(t), fmt.Sprintf("duckgen_test_%d_%d", os.Getpid(), schemas.Add(1)))
}

// schemaURL makes a schema, and drops it at the end of the test.
func schemaURL(t testing.TB, server, schema string) string {
	t.Helper()
	execute(t, server, "CREATE SCHEMA IF NOT EXISTS "+schema)
	t.Cleanup(func() {
		execute(t, server, "SET client_min_messages = warning; DROP SCHEMA IF EXISTS "+schema+" CASCADE")
	})
	return with(t, server, "search_path", schema)
}

// with returns the URL with one more setting.
func with(t testing.TB, server, setting, value string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set(setting, value)
	u.RawQuery = query.Encode()
	return u.String()
}

// execute runs statements on a connection of its own.
func execute(t testing.TB, server, statements string) {
	t.Helper()
	conn := connect(t, server)
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), statements); err != nil {
		t.Fatal(err)
	}
}

func connect(t testing.TB, server string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), server)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// open opens a store, and closes it at the end of the test.
func open(t testing.TB, server string) *pgstore.Store {
	t.Helper()
	s, err := pgstore.Open(t.Context(), server)
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

func TestContract(t *testing.T) {
	server := serverURL(t)
	t.Setenv(servertest.PostgresVariable, server) // for the process that C16 kills
	storetest.Run(t,
		func(t *testing.T) runtime.Store { return open(t, emptyURL(t)) },
		storetest.WithReopen(func(t *testing.T, data string) runtime.Store {
			name := sha256.Sum256([]byte(data))
			return open(t, schemaURL(t, server, "duckgen_test_"+hex.EncodeToString(name[:8])))
		}),
		storetest.WithOutage(crash),
		storetest.WithHistory(*history), storetest.WithKills(*kills))
}

// crash kills the server of a store. What it returns starts it again.
func crash(t *testing.T, _ runtime.Store) (restart func()) {
	s, err := server()
	if s == nil {
		t.Skip("the own server stays up")
	}
	servertest.Check(t, err)
	s.Kill()
	return func() {
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
	}
}
