package redisstore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/redisstore"
)

// client connects to a server as the store does.
func client(t testing.TB, url string) rueidis.Client {
	t.Helper()
	settings, err := rueidis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	settings.DisableCache = true
	settings.DisableRetry = true
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

// BenchmarkAgainstRawCalls compares the store with what a store of blobs would
// have to call.
func BenchmarkAgainstRawCalls(b *testing.B) {
	server, err := servertest.NewRedis()
	servertest.Check(b, err)
	defer server.Close()
	c := client(b, server.URL())
	s := redisstore.New(c)
	key, record := realistic(1)
	ctx := b.Context()
	if err := s.Create(ctx, key, record); err != nil {
		b.Fatal(err)
	}
	blob := strings.Repeat("b", 1200)
	name := "{" + key.ID.String() + "}"
	calls := map[string]func() error{
		"read/raw GET": func() error { return c.Do(ctx, c.B().Get().Key("blob").Build()).Error() },
		"read/raw HGETALL": func() error {
			return c.Do(ctx, c.B().Hgetall().Key("duckgen:"+name).Build()).Error()
		},
		"read/store": func() error {
			_, err := s.Load(ctx, key)
			return err
		},
		"write/raw SET": func() error { return c.Do(ctx, c.B().Set().Key("blob").Value(blob).Build()).Error() },
		"write/raw GET and SET": func() error {
			if err := c.Do(ctx, c.B().Get().Key("blob").Build()).Error(); err != nil {
				return err
			}
			return c.Do(ctx, c.B().Set().Key("blob").Value(blob).Build()).Error()
		},
		"write/raw HSET": func() error {
			return c.Do(ctx, c.B().Hset().Key("hash").FieldValue().FieldValue("theme", "dark").Build()).Error()
		},
		"write/store": func() error {
			_, err := s.Update(ctx, key, oneField())
			return err
		},
	}
	if err := calls["write/raw SET"](); err != nil {
		b.Fatal(err)
	}
	for _, what := range []string{
		"read/raw GET", "read/raw HGETALL", "read/store",
		"write/raw SET", "write/raw GET and SET", "write/raw HSET", "write/store",
	} {
		b.Run(what, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := calls[what](); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
