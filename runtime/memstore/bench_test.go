package memstore_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	goruntime "runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

var start = time.UnixMilli(1_700_000_000_000).UTC()

// id returns the n-th of a row of ids that are as spread as random ones.
func id(n uint64) (id runtime.ID) {
	source := rand.New(rand.NewPCG(n, 1))
	binary.LittleEndian.PutUint64(id[:8], source.Uint64())
	binary.LittleEndian.PutUint64(id[8:], source.Uint64())
	return id
}

func key(n uint64) runtime.Key {
	return runtime.Key{ID: id(n), Proof: runtime.Proof{1}, Now: start}
}

func plain(name, value string) runtime.Entry { return runtime.Entry{Key: name, Value: value} }

func record(expires time.Time, entries ...runtime.Entry) *runtime.Record {
	return &runtime.Record{
		Kind:     "example.com/shop.Visitor",
		Proof:    runtime.Proof{1},
		Created:  start,
		Renewed:  start,
		Deadline: expires,
		Expires:  expires,
		Entries:  runtime.NewEntries(entries...),
	}
}

// small returns a session of two short strings that nothing else holds.
func small(n uint64) *runtime.Record {
	return record(start.Add(time.Hour),
		plain("name", fmt.Sprintf("visitor-%d", n)), plain("theme", fmt.Sprintf("dark-%d", n)))
}

// realistic returns a session of 20 fields, one of them a map of 10 entries.
func realistic() *runtime.Record {
	var entries []runtime.Entry
	for i := range 19 {
		entries = append(entries, plain(fmt.Sprintf("field_%02d", i), "a value of some forty bytes, as in a form"))
	}
	for i := range 10 {
		entries = append(entries, plain(fmt.Sprintf("cart:sku-%d", i), "1"))
	}
	return record(start.Add(time.Hour), entries...)
}

func BenchmarkLoad(b *testing.B) {
	s, k := stored(b, realistic())
	for b.Loop() {
		if _, err := s.Load(context.Background(), k); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRawMap is what a store of blobs does at least: it looks up and copies,
// and replaces, behind one lock.
func BenchmarkRawMap(b *testing.B) {
	var mu sync.RWMutex
	blobs := map[runtime.ID][]byte{id(1): make([]byte, 1100)}
	var got []byte
	read := func() {
		mu.RLock()
		defer mu.RUnlock()
		got = slices.Clone(blobs[id(1)])
	}
	write := func() {
		fresh := slices.Clone(got)
		mu.Lock()
		defer mu.Unlock()
		blobs[id(1)] = fresh
	}
	for what, do := range map[string]func(){"read": read, "read and write": func() { read(); write() }} {
		b.Run(what, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				do()
			}
		})
	}
}

func BenchmarkLoadParallel(b *testing.B) {
	s := memstore.New()
	keys := make([]runtime.Key, 1024)
	for i := range keys {
		keys[i] = key(uint64(i))
		if err := s.Create(context.Background(), keys[i], realistic()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := s.Load(context.Background(), keys[i%len(keys)]); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	s, k := stored(b, realistic())
	d := &runtime.Delta{
		Ops:      []runtime.Op{{Kind: runtime.OpSet, Entry: plain("field_07", "another value")}},
		MaxBytes: 1 << 20,
		Active:   start.Add(time.Hour),
	}
	for b.Loop() {
		if _, err := s.Update(context.Background(), k, d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCreate(b *testing.B) {
	s := memstore.New()
	r := realistic()
	b.ReportAllocs()
	for n := uint64(0); b.Loop(); n++ {
		if err := s.Create(context.Background(), key(n), r); err != nil {
			b.Fatal(err)
		}
	}
}

func stored(b *testing.B, r *runtime.Record) (*memstore.Store, runtime.Key) {
	b.Helper()
	b.ReportAllocs()
	s, k := memstore.New(), key(1)
	if err := s.Create(context.Background(), k, r); err != nil {
		b.Fatal(err)
	}
	return s, k
}

// BenchmarkMillion fills a store with 1,000,000 small sessions and sweeps them
// while one reader goes on. It reports the heap bytes of a session, what is left
// of them after the sweep, how long the sweep took, and the longest and the
// 99.9th percentile of the reader's loads meanwhile.
func BenchmarkMillion(b *testing.B) {
	const sessions = 1_000_000
	for b.Loop() {
		empty := heap()
		s := memstore.New()
		for n := range uint64(sessions) {
			if err := s.Create(context.Background(), key(n), small(n)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(heap()-empty)/sessions, "B/session")
		waits := readWhile(b, s, func() {
			began := time.Now()
			if n, err := s.Sweep(context.Background(), start.Add(2*time.Hour)); n != sessions || err != nil {
				b.Fatalf("Sweep = %d, %v", n, err)
			}
			b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms/sweep")
		})
		b.ReportMetric(waits.quantile(1), "µs/longest-load")
		b.ReportMetric(waits.quantile(0.999), "µs/p99.9-load")
		b.ReportMetric(float64(heap()-empty)/sessions, "B/session-after")
		goruntime.KeepAlive(s)
	}
}

func heap() int64 {
	goruntime.GC()
	goruntime.GC()
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// waits are the times that loads took, sorted.
type waits []time.Duration

func (w waits) quantile(q float64) float64 {
	return float64(w[int(q*float64(len(w)-1))].Nanoseconds()) / 1000
}

// readWhile loads sessions without a pause until work is done.
func readWhile(b *testing.B, s *memstore.Store, work func()) waits {
	b.Helper()
	taken := make(waits, 0, 1<<22)
	stop := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		for n := uint64(0); len(taken) < cap(taken); n++ {
			select {
			case <-stop:
				return
			default:
			}
			k := key(n)
			began := time.Now()
			_, _ = s.Load(context.Background(), k)
			taken = append(taken, time.Since(began))
		}
	})
	work()
	close(stop)
	reader.Wait()
	slices.Sort(taken)
	return taken
}
