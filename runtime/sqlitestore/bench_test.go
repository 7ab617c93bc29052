package sqlitestore_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/sqlitestore"
)

// realistic returns a session of 20 fields, one of them a map of 10 entries.
func realistic(n byte) (runtime.Key, *runtime.Record) {
	key, record := session(n)
	var entries []runtime.Entry
	for i := range 19 {
		entries = append(entries, runtime.Entry{Key: fmt.Sprintf("field_%02d", i), Value: "a value of some forty bytes, as in a form"})
	}
	for i := range 10 {
		entries = append(entries, runtime.Entry{Key: fmt.Sprintf("cart:sku-%d", i), Value: "1"})
	}
	record.Entries = runtime.NewEntries(entries...)
	return key, record
}

// BenchmarkAgainstRawCalls compares the store with what a store of blobs would
// have to do by itself, on connections of the same kind.
func BenchmarkAgainstRawCalls(b *testing.B) {
	path := filepath.Join(b.TempDir(), "sessions.db")
	s, err := sqlitestore.Open(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	key, record := realistic(1)
	if err := s.Create(b.Context(), key, record); err != nil {
		b.Fatal(err)
	}
	raw := newBlobs(b)
	d := &runtime.Delta{
		Ops:      []runtime.Op{{Kind: runtime.OpSet, Entry: runtime.Entry{Key: "field_07", Value: "another value"}}},
		MaxBytes: 1 << 20,
	}
	for _, c := range []struct {
		what string
		do   func() error
	}{
		{"read/raw SELECT", func() error { return raw.read() }},
		{"read/store", func() error { _, err := s.Load(b.Context(), key); return err }},
		{"write/raw SELECT and UPDATE", func() error { return raw.readAndWrite() }},
		{"write/store", func() error { _, err := s.Update(b.Context(), key, d); return err }},
	} {
		b.Run(c.what, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// blobs is a table of whole sessions.
type blobs struct {
	conn *sqlite.Conn
	blob []byte
}

func newBlobs(b *testing.B) *blobs {
	b.Helper()
	conn, err := sqlite.OpenConn(filepath.Join(b.TempDir(), "blobs.db"), sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	for _, statement := range []string{
		"PRAGMA journal_mode = wal",
		"PRAGMA synchronous = normal",
		"CREATE TABLE blobs (id BLOB PRIMARY KEY, blob BLOB NOT NULL) WITHOUT ROWID",
		"INSERT INTO blobs VALUES (x'01', zeroblob(1100))",
	} {
		if err := sqlitex.ExecuteTransient(conn, statement, nil); err != nil {
			b.Fatal(err)
		}
	}
	return &blobs{conn, make([]byte, 1100)}
}

func (t *blobs) read() error {
	stmt, err := t.conn.Prepare("SELECT blob FROM blobs WHERE id = x'01'")
	if err != nil {
		return err
	}
	if _, err := stmt.Step(); err != nil {
		return err
	}
	stmt.ColumnBytes(0, t.blob)
	return stmt.Reset()
}

func (t *blobs) readAndWrite() (err error) {
	end, err := sqlitex.ImmediateTransaction(t.conn)
	if err != nil {
		return err
	}
	defer end(&err)
	if err := t.read(); err != nil {
		return err
	}
	t.blob[0]++
	stmt, err := t.conn.Prepare("UPDATE blobs SET blob = ? WHERE id = x'01'")
	if err != nil {
		return err
	}
	stmt.BindBytes(1, t.blob)
	_, err = stmt.Step()
	return err
}

// numbered returns a session of two short strings, with an id that is spread as
// random ones are.
func numbered(n uint64) (runtime.Key, *runtime.Record) {
	key, record := session(0)
	binary.BigEndian.PutUint64(key.ID[:], n*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(key.ID[8:], n)
	record.Entries = runtime.NewEntries(
		runtime.Entry{Key: "name", Value: fmt.Sprintf("visitor-%d", n)},
		runtime.Entry{Key: "theme", Value: fmt.Sprintf("dark-%d", n)})
	return key, record
}

// BenchmarkMillion fills a file with 1,000,000 small sessions, and sweeps them
// while one program reads and one writes. It reports the bytes of the file for
// each session, how long all that took, and how long the others waited.
func BenchmarkMillion(b *testing.B) {
	const sessions = 1_000_000
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "sessions.db")
		s, err := sqlitestore.Open(b.Context(), path)
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		for n := range uint64(sessions) {
			key, record := numbered(n)
			if err := s.Create(b.Context(), key, record); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(time.Since(began).Microseconds())/sessions, "µs/create")
		b.ReportMetric(float64(fileSize(b, path))/sessions, "B/session")
		living, record := realistic(255)
		record.Deadline, record.Expires = record.Deadline.Add(24*time.Hour), record.Expires.Add(24*time.Hour)
		if err := s.Create(b.Context(), living, record); err != nil {
			b.Fatal(err)
		}
		views := &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpAdd, Entry: runtime.Entry{Key: "views", Kind: runtime.CounterEntry, Count: 1}}}}
		stop := make(chan struct{})
		var loads, updates waits
		var others sync.WaitGroup
		others.Go(func() {
			loads = measure(stop, func() error { _, err := s.Load(context.Background(), living); return err })
		})
		others.Go(func() {
			updates = measure(stop, func() error { _, err := s.Update(context.Background(), living, views); return err })
		})
		began = time.Now()
		if n, err := s.Sweep(b.Context(), living.Now.Add(2*time.Hour)); n != sessions || err != nil {
			b.Fatalf("Sweep = %d, %v", n, err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/sweep")
		close(stop)
		others.Wait()
		b.ReportMetric(loads.quantile(0.99), "µs/p99-load")
		b.ReportMetric(loads.quantile(1), "µs/longest-load")
		b.ReportMetric(updates.quantile(0.99), "µs/p99-update")
		b.ReportMetric(updates.quantile(1), "µs/longest-update")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// fileSize returns the size of the file and of the log beside it.
func fileSize(b *testing.B, path string) (size int64) {
	b.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil {
		b.Fatal(err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			b.Fatal(err)
		}
		if !strings.HasSuffix(file, "-shm") {
			size += info.Size()
		}
	}
	return size
}

// waits are the times that operations took, sorted.
type waits []time.Duration

func (w waits) quantile(q float64) float64 {
	return float64(w[int(q*float64(len(w)-1))].Nanoseconds()) / 1000
}

// measure operates without a pause until stop is closed.
func measure(stop <-chan struct{}, operate func() error) waits {
	var taken waits
	for {
		began := time.Now()
		if operate() != nil {
			return append(taken, time.Hour) // which nobody overlooks
		}
		taken = append(taken, time.Since(began))
		select {
		case <-stop:
			slices.Sort(taken)
			return taken
		default:
		}
	}
}
