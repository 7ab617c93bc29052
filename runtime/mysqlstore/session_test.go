package mysqlstore_test

import (
	"database/sql"
	"database/sql/driver"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/mysqlstore"
)

// A session is what these tests store.
func session(n byte, entries ...runtime.Entry) (runtime.Key, *runtime.Record) {
	now := time.UnixMilli(1_790_000_000_000).UTC()
	key := runtime.Key{ID: runtime.ID{n}, Proof: runtime.Proof{n}, Now: now}
	return key, &runtime.Record{
		Kind:     "example.com/shop.Visitor",
		Proof:    key.Proof,
		Created:  now,
		Renewed:  now,
		Deadline: now.Add(time.Hour),
		Expires:  now.Add(time.Hour),
		Entries:  runtime.NewEntries(entries...),
	}
}

func entry(key, value string) runtime.Entry { return runtime.Entry{Key: key, Value: value} }

func indexed(key, value string) runtime.Entry {
	return runtime.Entry{Key: key, Kind: runtime.IndexedEntry, Value: value}
}

func counter(key string, n int64) runtime.Entry {
	return runtime.Entry{Key: key, Kind: runtime.CounterEntry, Count: n}
}

func create(t testing.TB, s *mysqlstore.Store, key runtime.Key, r *runtime.Record) {
	t.Helper()
	if err := s.Create(t.Context(), key, r); err != nil {
		t.Fatal(err)
	}
}

func load(t testing.TB, s *mysqlstore.Store, key runtime.Key) *runtime.Record {
	t.Helper()
	loaded, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func set(entries ...runtime.Entry) *runtime.Delta {
	d := &runtime.Delta{MaxBytes: 1 << 20}
	for _, e := range entries {
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpSet, Entry: e})
	}
	return d
}

// pool returns a pool of a database as New needs it.
func pool(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.MultiStatements, config.InterpolateParams, config.ClientFoundRows = true, true, true
	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	return opened(t, connector)
}

func opened(t testing.TB, connector driver.Connector) *sql.DB {
	t.Helper()
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}
