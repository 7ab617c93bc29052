package pgstore_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/pgstore"
)

// A wire counts what a pool sends and receives. It sends once each time that pgx
// waits for the server.
type wire struct{ writes, sent, received atomic.Int64 }

type countingConn struct {
	net.Conn
	wire *wire
}

func (c *countingConn) Write(b []byte) (int, error) {
	c.wire.writes.Add(1)
	c.wire.sent.Add(int64(len(b)))
	return c.Conn.Write(b)
}

func (c *countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.wire.received.Add(int64(n))
	return n, err
}

// count returns how often an operation writes once its statement is prepared.
func (w *wire) count(t *testing.T, operate func() error) int64 {
	t.Helper()
	for range 2 {
		w.writes.Store(0)
		w.sent.Store(0)
		w.received.Store(0)
		if err := operate(); err != nil {
			t.Fatal(err)
		}
	}
	return w.writes.Load()
}

// countedStore returns a store with one connection, which is counted.
func countedStore(t *testing.T, url string, options ...pgstore.Option) (*pgstore.Store, *wire) {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	w, dial := &wire{}, config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &countingConn{conn, w}, nil
	}
	config.MaxConns = 1 // so that a statement is prepared once
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s, err := pgstore.New(t.Context(), pool, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, w
}

func TestEachOperationIsOneRoundTrip(t *testing.T) {
	s, w := countedStore(t, emptyURL(t), pgstore.WithClientClock())
	key, record := session(1, indexed("user_id", "7"))
	create(t, s, key, record)
	n := byte(1)
	renew := func() error {
		n++
		user := indexed("user_id", fmt.Sprint(n))
		d := set(entry("name", `"Ann"`), user)
		d.SignIn = &runtime.SignIn{Fields: []runtime.SignInField{{Key: user.Key, Value: user.Value, Identity: true}}, Joins: true}
		d.Renewal = &runtime.Renewal{Kind: runtime.RenewSignIn, Proof: runtime.Proof{1, n}, Family: runtime.Family{n}, Grace: time.Second}
		_, err := s.Update(t.Context(), key, d)
		key.Proof = d.Renewal.Proof
		return err
	}
	operations := []struct {
		name    string
		operate func() error
	}{
		{"Load", func() error { _, err := s.Load(t.Context(), key); return err }},
		{"Update", func() error { _, err := s.Update(t.Context(), key, set(entry("theme", `"dark"`))); return err }},
		{"an addition", func() error {
			_, err := s.Update(t.Context(), key, &runtime.Delta{MaxBytes: 1 << 20, Ops: []runtime.Op{
				{Kind: runtime.OpAdd, Entry: counter("views", 1)},
				{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: "notice"}},
			}})
			return err
		}},
		{"activity", func() error {
			_, err := s.Update(t.Context(), key, &runtime.Delta{Active: key.Now.Add(time.Hour)})
			return err
		}},
		{"a sign-in", renew},
		{"Delete", func() error { return s.Delete(t.Context(), key) }},
		{"Create", func() error {
			n++
			fresh, record := session(n, indexed("user_id", "7"))
			return s.Create(t.Context(), fresh, record)
		}},
		{"Sweep", func() error { _, err := s.Sweep(t.Context(), key.Now); return err }},
	}
	for _, o := range operations {
		if writes := w.count(t, o.operate); writes != 1 {
			t.Errorf("%s writes %d times to the server, want once", o.name, writes)
		}
	}
}

// traffic is how many bytes are sent, and received.
type traffic struct{ sent, received int64 }

// TestWhatACallTakesOnTheWire has the figures of docs/stores.md: with -v it logs them.
func TestWhatACallTakesOnTheWire(t *testing.T) {
	t.Run("Postgres", func(t *testing.T) {
		whatACallTakesOnTheWire(t, emptyURL(t), traffic{130, 1500}, traffic{330, 120}, traffic{1600, 50})
	})
	t.Run("PgBouncer", func(t *testing.T) {
		pooler, _ := pooled(t)
		whatACallTakesOnTheWire(t, pooler, traffic{520, 2000}, traffic{2400, 360}, traffic{2300, 100})
	})
}

// whatACallTakesOnTheWire is given the most that each call may take.
func whatACallTakesOnTheWire(t *testing.T, url string, load, update, creation traffic) {
	s, w := countedStore(t, url)
	key, record := session(1, slices.Collect(realistic().All())...)
	create(t, s, key, record)
	n := byte(1)
	for _, c := range []struct {
		name    string
		most    traffic
		operate func() error
	}{
		{"Load", load, func() error { _, err := s.Load(t.Context(), key); return err }},
		{"Update", update, func() error {
			_, err := s.Update(t.Context(), key, set(entry("theme", `"`+strings.Repeat("d", 38)+`"`)))
			return err
		}},
		{"Create", creation, func() error {
			n++
			fresh, record := session(n, slices.Collect(realistic().All())...)
			return s.Create(t.Context(), fresh, record)
		}},
	} {
		writes := w.count(t, c.operate)
		took := traffic{w.sent.Load(), w.received.Load()}
		t.Logf("%s: %+v bytes", c.name, took)
		if writes != 1 || took.sent > c.most.sent || took.received > c.most.received {
			t.Errorf("%s: %+v bytes in %d round trips, want one and at most %+v", c.name, took, writes, c.most)
		}
	}
}
