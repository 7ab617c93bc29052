package pgstore_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/pgstore"
)

func TestTheFirstStartLogsNoError(t *testing.T) {
	server := server(t)
	schema := server.Schema(t)
	before := len(server.Log())
	open(t, schema)
	open(t, schema)
	if log := server.Log()[before:]; strings.Contains(log, "ERROR") {
		t.Errorf("the first start logs at the server:\n%s", log)
	}
}

func TestAnotherEncodingIsRefused(t *testing.T) {
	server := serverURL(t)
	const name = "duckgen_test_latin1"
	servertest.Execute(t, server, "DROP DATABASE IF EXISTS "+name)
	servertest.Execute(t, server, "CREATE DATABASE "+name+" ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
	t.Cleanup(func() { servertest.Execute(t, server, "DROP DATABASE "+name) })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	_, err = pgstore.Open(t.Context(), u.String())
	if err == nil || !strings.Contains(err.Error(), "LATIN1") {
		t.Errorf("Open of a database in LATIN1: %v, want an error that names the encoding", err)
	}
}

// settled returns a store and a pool whose connections are there already.
func settled(t *testing.T, connections int32) (*pgstore.Store, *pgxpool.Pool) {
	t.Helper()
	config, err := pgxpool.ParseConfig(emptyURL(t))
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = connections
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s, err := pgstore.New(t.Context(), pool, pgstore.WithClientClock())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, pool
}

// setAll changes a setting of all connections.
func setAll(t *testing.T, pool *pgxpool.Pool, setting string) {
	t.Helper()
	var conns []*pgxpool.Conn
	for range pool.Config().MaxConns {
		conn, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		if _, err := conn.Exec(t.Context(), "SET "+setting); err != nil {
			t.Fatal(err)
		}
	}
	for _, conn := range conns {
		conn.Release()
	}
}

func TestAServerThatBecomesReadOnlyIsNamed(t *testing.T) {
	s, pool := settled(t, 1)
	key, record := session(1)
	create(t, s, key, record)
	setAll(t, pool, "default_transaction_read_only = on")
	_, err := s.Update(t.Context(), key, set(entry("theme", `"dark"`)))
	if err == nil || !strings.Contains(err.Error(), "takes no writes") {
		t.Errorf("Update on a server that has become read-only: %v, want an error that says so", err)
	}
}

func TestAnotherIsolationIsNamedLater(t *testing.T) {
	const connections = 8
	s, pool := settled(t, connections)
	key, record := session(1, counter("views", 1))
	create(t, s, key, record)
	setAll(t, pool, "default_transaction_isolation = 'repeatable read'")
	var named atomic.Int64
	for range 100 {
		var done sync.WaitGroup
		for range connections {
			done.Go(func() {
				_, err := s.Update(t.Context(), key, &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpAdd, Entry: counter("views", 1)}}})
				switch {
				case err == nil:
				case strings.Contains(err.Error(), "default_transaction_isolation"):
					named.Add(1)
				default:
					t.Errorf("Update with another isolation: %v, want an error that names the setting", err)
				}
			})
		}
		done.Wait()
		if named.Load() > 0 {
			return
		}
	}
	t.Error("no update was refused")
}

// TestAWatcherConnectsAsThePoolDoes has a password that only BeforeConnect knows.
func TestAWatcherConnectsAsThePoolDoes(t *testing.T) {
	config, err := pgxpool.ParseConfig(emptyURL(t))
	if err != nil {
		t.Fatal(err)
	}
	right := config.ConnConfig.Password
	config.ConnConfig.Password = password
	config.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		c.Password = right
		return nil
	}
	var connected atomic.Int64
	config.AfterConnect = func(context.Context, *pgx.Conn) error {
		connected.Add(1)
		return nil
	}
	config.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s, err := pgstore.New(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	before := connected.Load()
	watch(t, s)
	if connected.Load() != before+1 {
		t.Errorf("AfterConnect is called %d times for a watcher, want once", connected.Load()-before)
	}
}
