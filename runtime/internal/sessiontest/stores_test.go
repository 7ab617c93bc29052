package sessiontest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/memstore"
	"github.com/duckgen/duckgen/runtime/mysqlstore"
	"github.com/duckgen/duckgen/runtime/pgstore"
	"github.com/duckgen/duckgen/runtime/redisstore"
	"github.com/duckgen/duckgen/runtime/sqlitestore"
)

// A backend is one of the project's stores.
type backend struct {
	name string
	open func(t testing.TB) runtime.Store // empty, and closed at the end of the test
}

// backends are what the promises are shown on that a store can break.
var backends = []backend{
	{"memory", openMemory},
	{"SQLite", openSQLite},
	{"Redis", openRedis},
	{"Redis Cluster", openCluster},
	{"Postgres", openPostgres},
	{"MariaDB", openMariaDB},
}

// onEveryStore shows a promise on each store, on all of them at the same time.
func onEveryStore(t *testing.T, show func(t *testing.T, b backend)) {
	t.Helper()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			show(t, b)
		})
	}
}

// site is a program on an empty store. Its clock goes on, because servers tell
// times apart to the microsecond.
func (b backend) site(t *testing.T, configure ...func(*runtime.Config)) *site {
	t.Helper()
	s := newSiteOn(t, &spyStore{Store: b.open(t)}, configure...)
	s.ticks = new(atomic.Int64)
	return s
}

// closing closes a store at the end of the test.
func closing[S interface {
	runtime.Store
	Close() error
}](t testing.TB, s S, err error) S {
	t.Helper()
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

func openMemory(t testing.TB) runtime.Store { return closing(t, memstore.New(), nil) }

func openSQLite(t testing.TB) runtime.Store {
	t.Helper()
	testtier.NotShort(t, "it is the same in memory, mostly")
	s, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "sessions.db"))
	return closing(t, s, err)
}

func openRedis(t testing.TB) runtime.Store {
	t.Helper()
	return openRedisAt(t, redisServer.start(t).URL(), newPrefix())
}

func openCluster(t testing.TB) runtime.Store {
	t.Helper()
	testtier.OnlyExhaustive(t, "it is the same on one server, mostly")
	return openRedisAt(t, redisCluster.start(t).nodes[0].URL(), newPrefix())
}

func openRedisAt(t testing.TB, url, prefix string) *redisstore.Store {
	t.Helper()
	s, err := redisstore.Open(t.Context(), url, redisstore.WithPrefix(prefix), redisstore.WithClientClock())
	return closing(t, s, err)
}

func openPostgres(t testing.TB) runtime.Store {
	t.Helper()
	return openPostgresAt(t, postgresTables.Lend(t))
}

var postgresTables = servertest.Lender{
	Make:  func(t testing.TB) string { return postgresServer.start(t).LastingSchema(t) },
	Clear: servertest.EmptyTables,
}

func openPostgresAt(t testing.TB, url string) *pgstore.Store {
	t.Helper()
	s, err := pgstore.Open(t.Context(), url, pgstore.WithClientClock())
	return closing(t, s, err)
}

func openMariaDB(t testing.TB) runtime.Store {
	t.Helper()
	testtier.OnlyExhaustive(t, "it is the same in Postgres, mostly")
	return openMariaDBAt(t, mariaDBServer.start(t).Database(t))
}

func openMariaDBAt(t testing.TB, dsn string) *mysqlstore.Store {
	t.Helper()
	s, err := mysqlstore.Open(t.Context(), dsn, mysqlstore.WithClientClock())
	return closing(t, s, err)
}

var prefixes atomic.Int64

// newPrefix returns the beginning of keys that no other store has.
func newPrefix() string { return fmt.Sprintf("rules-%d:", prefixes.Add(1)) }

// A shared server is started by the first test that needs it, and stopped after
// the last.
type shared[S interface{ Close() error }] struct {
	get     func() (S, error)
	started atomic.Bool
}

func share[S interface{ Close() error }](start func() (S, error)) *shared[S] {
	return &shared[S]{get: sync.OnceValues(start)}
}

func (s *shared[S]) start(t testing.TB) S {
	t.Helper()
	s.started.Store(true)
	server, err := s.get()
	servertest.Check(t, err)
	return server
}

func (s *shared[S]) stop() error {
	if !s.started.Load() {
		return nil
	}
	server, err := s.get()
	if err != nil {
		return nil // the tests have told
	}
	return server.Close()
}

var (
	redisServer    = share(func() (*servertest.Redis, error) { return servertest.NewRedis() })
	redisCluster   = share(newCluster)
	postgresServer = share(func() (*servertest.Postgres, error) { return servertest.NewPostgres() })
	mariaDBServer  = share(func() (*servertest.MariaDB, error) { return servertest.NewMariaDB() })
)

// A cluster of three masters.
type cluster struct{ nodes []*servertest.Redis }

func newCluster() (*cluster, error) {
	if err := servertest.HasRedis(); err != nil {
		return nil, err
	}
	nodes, err := servertest.NewRedisCluster(3, 0)
	return &cluster{nodes}, err
}

func (c *cluster) Close() error { return servertest.CloseAll(c.nodes) }

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if err := errors.Join(redisServer.stop(), redisCluster.stop(), postgresServer.stop(), mariaDBServer.stop()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
