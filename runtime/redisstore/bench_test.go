package redisstore_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/redisstore"
)

// client connects to a server as the store does, with one connection: those that a
// client opens besides, when it likes, would count as what a call takes.
func client(t testing.TB, url string) rueidis.Client {
	t.Helper()
	settings, err := rueidis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	settings.DisableCache = true
	settings.DisableRetry = true
	settings.AlwaysRESP2 = true
	settings.PipelineMultiplex = -1
	c, err := rueidis.NewClient(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// realistic returns a session of 20 fields, one of them a map of 10 entries.
func realistic(id byte) (runtime.Key, *runtime.Record) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	key := runtime.Key{ID: runtime.ID{id}, Proof: runtime.Proof{id}, Now: now}
	entries := []runtime.Entry{
		{Key: "user_id", Kind: runtime.IndexedEntry, Value: "\x07"},
		{Key: "views", Kind: runtime.CounterEntry, Count: 41},
		{Key: "recent", Value: strings.Repeat("\xa5sku-1", 9)},
	}
	for i := range 16 {
		entries = append(entries, runtime.Entry{Key: fmt.Sprintf("field_%02d", i), Value: strings.Repeat("v", 3*i)})
	}
	for i := range 10 {
		entries = append(entries, runtime.Entry{Key: fmt.Sprintf("cart:sku-%d", i), Value: "\x03"})
	}
	return key, &runtime.Record{
		Kind: "example.com/shop/session.Visitor", Proof: key.Proof,
		Created: now, Renewed: now, Deadline: now.Add(time.Hour), Expires: now.Add(time.Hour),
		Entries: runtime.NewEntries(entries...),
	}
}

func oneField() *runtime.Delta {
	return &runtime.Delta{
		Ops:      []runtime.Op{{Kind: runtime.OpSet, Entry: runtime.Entry{Key: "theme", Value: strings.Repeat("d", 40)}}},
		MaxBytes: 1 << 20,
	}
}

// A rival is a store and, on the same server through a client of the same kind,
// the calls that a store of blobs would have to make.
type rival struct {
	server *servertest.Redis
	client rueidis.Client
	store  *redisstore.Store
	key    runtime.Key
	blob   string
}

func newRival(b *testing.B) *rival {
	server := start(b)
	return newRivalAs(b, server, server.URL())
}

func newRivalAs(b *testing.B, server *servertest.Redis, url string) *rival {
	c := client(b, url)
	r := &rival{server: server, client: c, store: redisstore.New(redisstore.Rueidis(c))}
	key, record := realistic(1)
	record.Expires = key.Now.Add(time.Minute) // what activity moves
	if err := r.store.Create(b.Context(), key, record); err != nil {
		b.Fatal(err)
	}
	r.key, r.blob = key, strings.Repeat("b", record.Entries.Size())
	r.set(b)
	return r
}

func (r *rival) get(b *testing.B) {
	if err := r.client.Do(b.Context(), r.client.B().Get().Key("blob").Build()).Error(); err != nil {
		b.Fatal(err)
	}
}

func (r *rival) set(b *testing.B) {
	set := r.client.B().Set().Key("blob").Value(r.blob).PxMilliseconds(time.Hour.Milliseconds()).Build()
	if err := r.client.Do(b.Context(), set).Error(); err != nil {
		b.Fatal(err)
	}
}

func (r *rival) load(b *testing.B) {
	if _, err := r.store.Load(b.Context(), r.key); err != nil {
		b.Fatal(err)
	}
}

func (r *rival) update(b *testing.B, d *runtime.Delta) {
	if _, err := r.store.Update(b.Context(), r.key, d); err != nil {
		b.Fatal(err)
	}
}

// alternate times both by turns, because a machine's speed drifts, and reports
// the medians, their ratio, and the processor time of the server for each call.
func (r *rival) alternate(b *testing.B, raw, store func()) {
	took := func(operate func()) float64 {
		began := time.Now()
		operate()
		return float64(time.Since(began).Nanoseconds())
	}
	var raws, stores []float64
	if _, err := r.server.Command("CONFIG", "RESETSTAT"); err != nil {
		b.Fatal(err)
	}
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
	r.reportServer(b)
}

// reportServer reports what the server needs for each command.
func (r *rival) reportServer(b *testing.B) {
	stats, err := r.server.Command("INFO", "commandstats")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(stats) {
		name, rest, found := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":calls=")
		_, rest, _ = strings.Cut(rest, "usec_per_call=")
		text, _, _ := strings.Cut(rest, ",")
		each, err := strconv.ParseFloat(text, 64)
		if found && err == nil && strings.Contains(" get set hgetall fcall evalsha ", " "+name+" ") {
			b.ReportMetric(each, "server-"+name+"-µs")
		}
	}
}

// BenchmarkRedisRead compares a load with the GET of a blob.
func BenchmarkRedisRead(b *testing.B) {
	r := newRival(b)
	r.alternate(b, func() { r.get(b) }, func() { r.load(b) })
}

// BenchmarkRedisWrite compares a commit without reading with the GET and SET of
// a blob.
func BenchmarkRedisWrite(b *testing.B) { benchmarkWrite(b, newRival(b)) }

// BenchmarkRedisWriteByScript is the same for a user who may not call functions.
func BenchmarkRedisWriteByScript(b *testing.B) {
	server := start(b)
	benchmarkWrite(b, newRivalAs(b, server, withoutFunctions(b, server)))
}

func benchmarkWrite(b *testing.B, r *rival) {
	for _, c := range []struct {
		name  string
		delta func(n int) *runtime.Delta
	}{
		{"one field", func(int) *runtime.Delta { return oneField() }},
		{"one field and activity", func(n int) *runtime.Delta {
			d := oneField()
			d.Active = r.key.Now.Add(time.Minute + time.Duration(n)*time.Millisecond)
			return d
		}},
		{"a counter", func(int) *runtime.Delta {
			return &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpAdd, Entry: runtime.Entry{Key: "views", Count: 1}}}}
		}},
		{"three fields", func(int) *runtime.Delta {
			d := oneField()
			for _, key := range []string{"field_03", "field_07"} {
				d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpSet, Entry: runtime.Entry{Key: key, Value: "value"}})
			}
			return d
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			n := 0
			raw := func() {
				r.get(b)
				r.set(b)
			}
			r.alternate(b, raw, func() {
				n++
				r.update(b, c.delta(n))
			})
		})
	}
}

// BenchmarkRedisLoad and BenchmarkRedisUpdate tell what the client allocates.
func BenchmarkRedisLoad(b *testing.B) {
	r := newRival(b)
	b.ReportAllocs()
	for b.Loop() {
		r.load(b)
	}
}

func BenchmarkRedisUpdate(b *testing.B) {
	r := newRival(b)
	d := oneField()
	b.ReportAllocs()
	for b.Loop() {
		r.update(b, d)
	}
}

// BenchmarkRedisCachedRead is a load from the memory of the program.
func BenchmarkRedisCachedRead(b *testing.B) {
	s := cached(b, start(b).URL())
	key, record := realistic(1)
	if err := s.Create(b.Context(), key, record); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		load(b, s, key)
	}
}
