package mysqlstore_test

import (
	"context"
	"database/sql"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/mysqlstore"
)

// A wire counts how often a pool sends: once each time that the driver waits for the
// server.
type wire struct{ writes, bytes atomic.Int64 }

type countingConn struct {
	net.Conn
	wire *wire
}

func (c *countingConn) Write(b []byte) (int, error) {
	c.wire.writes.Add(1)
	c.wire.bytes.Add(int64(len(b)))
	return c.Conn.Write(b)
}

// count returns how often an operation writes once there is a connection.
func (w *wire) count(t *testing.T, operate func() error) (writes, bytes int64) {
	t.Helper()
	for range 2 {
		w.writes.Store(0)
		w.bytes.Store(0)
		if err := operate(); err != nil {
			t.Fatal(err)
		}
	}
	return w.writes.Load(), w.bytes.Load()
}

// countedStore returns a store with one connection, which is counted.
func countedStore(t *testing.T) (*mysqlstore.Store, *wire) {
	t.Helper()
	config, err := mysql.ParseDSN(emptyDSN(t))
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{}
	config.MultiStatements, config.InterpolateParams, config.ClientFoundRows = true, true, true
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return &countingConn{conn, w}, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	s, err := mysqlstore.New(t.Context(), db, mysqlstore.WithClientClock())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, w
}

func TestRoundTripsOfEachOperation(t *testing.T) {
	s, w := countedStore(t)
	key, record := session(1, indexed("user_id", "7"), counter("views", 1))
	create(t, s, key, record)
	n := byte(1)
	renew := func(kind runtime.RenewalKind, entries ...runtime.Entry) func() error {
		return func() error {
			n++
			d := set(entries...)
			d.Renewal = &runtime.Renewal{Kind: kind, Proof: runtime.Proof{1, n}, Family: runtime.Family{n}, Grace: time.Second}
			_, err := s.Update(t.Context(), key, d)
			key.Proof = d.Renewal.Proof
			return err
		}
	}
	update := func(d *runtime.Delta) func() error {
		return func() error { _, err := s.Update(t.Context(), key, d); return err }
	}
	for _, o := range []struct {
		name    string
		want    int64
		operate func() error
	}{
		{"Load", 1, func() error { _, err := s.Load(t.Context(), key); return err }},
		{"Measure of a clock that does not count", 0, func() error { return s.Measure(t.Context(), key.Now) }},
		{"a field", 1, update(set(entry("theme", `"dark"`)))},
		{"an addition", 1, update(&runtime.Delta{MaxBytes: 1 << 20, Ops: []runtime.Op{
			{Kind: runtime.OpAdd, Entry: counter("views", 1)},
			{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: "notice"}},
		}})},
		{"activity", 1, func() error {
			n++
			_, err := s.Update(t.Context(), key, &runtime.Delta{Active: key.Now.Add(time.Hour - time.Duration(n)*time.Second)})
			return err
		}},
		{"a sign-in", 3, renew(runtime.RenewSignIn, indexed("user_id", "8"))},
		{"a field after a sign-in", 1, update(set(entry("theme", `"blue"`)))},
		{"the clearing of a map", 2, update(&runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpClear, Entry: runtime.Entry{Key: "cart"}}}})},
		{"a renewal", 2, renew(runtime.RenewPlain)},
		{"Create", 2, func() error {
			n++
			fresh, record := session(n, indexed("user_id", "7"))
			return s.Create(t.Context(), fresh, record)
		}},
		{"Revoke of a value that nobody carries", 2, func() error {
			_, err := s.Revoke(t.Context(), runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: "9"}, key.Now)
			return err
		}},
		{"Delete", 2, func() error { return s.Delete(t.Context(), key) }},
		{"Sweep", 2, func() error { _, err := s.Sweep(t.Context(), key.Now); return err }},
	} {
		writes, bytes := w.count(t, o.operate)
		t.Logf("%s: %d round trips, %d bytes", o.name, writes, bytes)
		if writes != o.want {
			t.Errorf("%s writes %d times to the server, want %d", o.name, writes, o.want)
		}
	}
}
