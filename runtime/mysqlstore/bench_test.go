package mysqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/mysqlstore"
)

// realistic returns a session of 20 fields, of which one is a map of 10
// elements.
func realistic() runtime.Entries {
	entries := []runtime.Entry{indexed("user_id", "4711"), counter("views", 17), entry("seen_at", `"2026-01-02T03:04:05Z"`)}
	for n := range 16 {
		entries = append(entries, entry(fmt.Sprintf("field_%02d", n), `"`+strings.Repeat("x", 20+40*(n%2))+`"`))
	}
	for n := range 10 {
		entries = append(entries, entry(fmt.Sprintf("cart:sku-%d", n), fmt.Sprint(n)))
	}
	return runtime.NewEntries(entries...)
}

// A comparison is a session in the store, and beside it what a store of blobs has, on
// one pool and a server that syncs each commit.
type comparison struct {
	*testing.B
	db    *sql.DB
	store *mysqlstore.Store
	key   runtime.Key
	blob  []byte
	n     int // of the last change
}

func compare(b *testing.B) *comparison {
	server, err := servertest.NewMariaDB("innodb-flush-log-at-trx-commit=1", "innodb-doublewrite=1")
	servertest.Check(b, err)
	b.Cleanup(func() {
		if err := server.Close(); err != nil {
			b.Error(err)
		}
	})
	ctx := context.Background()
	c := &comparison{B: b, db: pool(b, servertest.Database(b, server.DSN("")))}
	if c.store, err = mysqlstore.New(ctx, c.db, mysqlstore.WithClientClock()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.store.Close() })
	now := time.Now().UTC().Truncate(time.Millisecond)
	c.key = runtime.Key{ID: runtime.ID{1}, Proof: runtime.Proof{1}, Now: now}
	record := &runtime.Record{
		Kind: "kind", Proof: c.key.Proof, Created: now, Renewed: now,
		Deadline: now.Add(24 * time.Hour), Expires: now.Add(time.Hour), Entries: realistic(),
	}
	if err := c.store.Create(ctx, c.key, record); err != nil {
		b.Fatal(err)
	}
	_, err = c.db.Exec("CREATE TABLE blobs (token VARCHAR(64) PRIMARY KEY, data BLOB NOT NULL, expiry DATETIME(6) NOT NULL, KEY (expiry))")
	if err != nil {
		b.Fatal(err)
	}
	c.blob = make([]byte, record.Entries.Size())
	rand.NewChaCha8([32]byte{}).Read(c.blob)
	c.upsertBlob()
	return c
}

func (c *comparison) selectBlob() {
	var data []byte
	err := c.db.QueryRow("SELECT data FROM blobs WHERE token = ? AND UTC_TIMESTAMP(6) < expiry", "token").Scan(&data)
	if err != nil {
		c.Fatal(err)
	}
}

// upsertBlob stores a blob of which one field has changed.
func (c *comparison) upsertBlob() {
	c.n++
	copy(c.blob[len(c.blob)/2:], fmt.Sprintf("%040d", c.n))
	_, err := c.db.Exec("INSERT INTO blobs (token, data, expiry) VALUES (?, ?, ?) "+
		"ON DUPLICATE KEY UPDATE data = VALUES(data), expiry = VALUES(expiry)",
		"token", c.blob, c.key.Now.Add(24*time.Hour))
	if err != nil {
		c.Fatal(err)
	}
}

func (c *comparison) selectAndUpsert() {
	c.selectBlob()
	c.upsertBlob()
}

func (c *comparison) load() {
	if _, err := c.store.Load(context.Background(), c.key); err != nil {
		c.Fatal(err)
	}
}

func (c *comparison) update(d *runtime.Delta) {
	if _, err := c.store.Update(context.Background(), c.key, d); err != nil {
		c.Fatal(err)
	}
}

// field returns what a commit to one field sends.
func (c *comparison) field() *runtime.Delta {
	c.n++
	return set(entry("field_03", fmt.Sprintf(`"%040d"`, c.n)))
}

// BenchmarkMariaDBRead compares a load with the raw SELECT of a blob, which nobody has
// decoded yet.
func BenchmarkMariaDBRead(b *testing.B) {
	c := compare(b)
	c.alternate(c.selectBlob, c.load)
}

// BenchmarkMariaDBWrite compares commits that read nothing with the SELECT and UPSERT
// of a blob.
func BenchmarkMariaDBWrite(b *testing.B) {
	for _, w := range []struct {
		name  string
		delta func(c *comparison) *runtime.Delta
	}{
		{"one field", (*comparison).field},
		{"one field and activity", func(c *comparison) *runtime.Delta {
			d := c.field()
			d.Active = c.key.Now.Add(time.Hour + time.Duration(c.n)*time.Millisecond)
			return d
		}},
		{"one counter", func(*comparison) *runtime.Delta {
			return &runtime.Delta{MaxBytes: 1 << 20, Ops: []runtime.Op{{Kind: runtime.OpAdd, Entry: counter("views", 1)}}}
		}},
		{"one field, judged by the program", func(c *comparison) *runtime.Delta {
			d := c.field()
			d.Limits = []runtime.Limit{{Field: "nothing", Max: 1}}
			return d
		}},
	} {
		b.Run(w.name, func(b *testing.B) {
			c := compare(b)
			c.alternate(c.selectAndUpsert, func() { c.update(w.delta(c)) })
		})
	}
}

// alternate times both by turns, because a machine's speed drifts, and reports the
// medians and their ratio.
func (c *comparison) alternate(raw, store func()) {
	took := func(operate func()) float64 {
		began := time.Now()
		operate()
		return float64(time.Since(began).Nanoseconds())
	}
	var raws, stores []float64
	for c.Loop() {
		raws = append(raws, took(raw))
		stores = append(stores, took(store))
	}
	slices.Sort(raws)
	slices.Sort(stores)
	middle := len(raws) / 2
	c.ReportMetric(raws[middle]/1000, "raw-µs")
	c.ReportMetric(stores[middle]/1000, "store-µs")
	c.ReportMetric(stores[middle]/raws[middle], "ratio")
}
