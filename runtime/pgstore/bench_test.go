package pgstore_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/pgstore"
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

// BenchmarkStore compares the store with the calls that a store of blobs needs,
// on a server that syncs each commit.
func BenchmarkStore(b *testing.B) {
	server, err := servertest.NewPostgres("fsync=on", "full_page_writes=on")
	servertest.Check(b, err)
	b.Cleanup(func() {
		if err := server.Close(); err != nil {
			b.Error(err)
		}
	})
	ctx := context.Background()
	store, err := pgstore.Open(ctx, server.URL())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	now := time.Now().UTC().Truncate(time.Millisecond)
	key := runtime.Key{ID: runtime.ID{1}, Proof: runtime.Proof{1}, Now: now, Live: true}
	record := &runtime.Record{
		Kind: "kind", Proof: key.Proof, Created: now, Renewed: now, Deadline: now.Add(time.Hour), Expires: now.Add(time.Hour),
		Entries: realistic(),
	}
	if err := store.Create(ctx, key, record); err != nil {
		b.Fatal(err)
	}
	pool, blob := blobs(b, server.URL(), record.Entries.Size())

	b.Run("read", func(b *testing.B) {
		alternate(b,
			func() { selectBlob(b, pool) },
			func() {
				if _, err := store.Load(ctx, key); err != nil {
					b.Fatal(err)
				}
			})
	})
	b.Run("write", func(b *testing.B) {
		n := 0
		alternate(b,
			func() {
				selectBlob(b, pool)
				upsertBlob(b, pool, blob)
			},
			func() {
				n++
				if _, err := store.Update(ctx, key, set(entry("field_03", fmt.Sprintf(`"%040d"`, n)))); err != nil {
					b.Fatal(err)
				}
			})
	})
}

// alternate times both by turns, because a machine's speed drifts, and reports
// the medians and their ratio.
func alternate(b *testing.B, raw, store func()) {
	took := func(operate func()) float64 {
		began := time.Now()
		operate()
		return float64(time.Since(began).Nanoseconds())
	}
	var raws, stores []float64
	for b.Loop() {
		raws = append(raws, took(raw))
		stores = append(stores, took(store))
	}
	slices.Sort(raws)
	slices.Sort(stores)
	middle := len(raws) / 2
	b.ReportMetric(raws[middle]/1000, "raw-µs")
	b.ReportMetric(stores[middle]/1000, "store-µs")
	b.ReportMetric(stores[middle]/raws[middle], "ratio")
}

// blobs makes a table of sessions as a store of blobs has it, with one of them.
func blobs(b *testing.B, url string, size int) (*pgxpool.Pool, []byte) {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	_, err = pool.Exec(ctx, `CREATE TABLE blobs (token text PRIMARY KEY, data bytea NOT NULL, expiry timestamptz NOT NULL);
		CREATE INDEX ON blobs (expiry)`)
	if err != nil {
		b.Fatal(err)
	}
	blob := make([]byte, size)
	upsertBlob(b, pool, blob)
	return pool, blob
}

func selectBlob(b *testing.B, pool *pgxpool.Pool) {
	var data []byte
	err := pool.QueryRow(context.Background(), "SELECT data FROM blobs WHERE token = $1 AND current_timestamp < expiry", "token").Scan(&data)
	if err != nil {
		b.Fatal(err)
	}
}

func upsertBlob(b *testing.B, pool *pgxpool.Pool, blob []byte) {
	blob[0]++
	_, err := pool.Exec(context.Background(), `INSERT INTO blobs (token, data, expiry) VALUES ($1, $2, $3)
		ON CONFLICT (token) DO UPDATE SET data = EXCLUDED.data, expiry = EXCLUDED.expiry`,
		"token", blob, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		b.Fatal(err)
	}
}
