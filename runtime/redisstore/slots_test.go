package redisstore

import (
	"encoding/binary"
	"fmt"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// These tests look into the cache without a server.

func smallRecord() *runtime.Record {
	return &runtime.Record{Kind: testKind, Entries: runtime.NewEntries(runtime.Entry{Key: "theme", Value: "dark"})}
}

func numbered(n int) (id runtime.ID) {
	binary.BigEndian.PutUint64(id[:], uint64(n))
	return id
}

func TestTheCacheIsBounded(t *testing.T) {
	const most = 100
	c := newCache(time.Hour, most*sizeInMemory(smallRecord()))
	first := numbered(0)
	for n := range 10 * most {
		c.fill(c.begin(numbered(n)), smallRecord())
		if c.get(first) == nil {
			t.Fatalf("record %d puts out the one that is used all the time", n)
		}
	}
	if len(c.slots) != most || c.recent.Len() != most || c.size > c.max {
		t.Errorf("the cache holds %d slots and %d records of %d bytes, want %d and no more than %d",
			len(c.slots), c.recent.Len(), c.size, most, c.max)
	}
	if c.get(numbered(5*most)) != nil {
		t.Error("a record that nobody has used for long is still there")
	}
	c.changed("", nil)
	if len(c.slots) != 0 || c.recent.Len() != 0 || c.size != 0 {
		t.Errorf("an empty cache holds %d slots, %d records, %d bytes", len(c.slots), c.recent.Len(), c.size)
	}
	c.fill(c.begin(first), &runtime.Record{Kind: string(make([]byte, c.max))})
	if c.get(first) != nil || c.size != 0 {
		t.Error("a record that is larger than the cache is kept")
	}
}

func TestTheCacheTakesAboutWhatItCounts(t *testing.T) {
	const n = 2000
	for _, entries := range []int{1, 30, 300} {
		c := newCache(time.Hour, 1<<30)
		var before, after goruntime.MemStats
		goruntime.GC()
		goruntime.ReadMemStats(&before)
		for i := range n {
			c.fill(c.begin(numbered(i)), recordWith(entries))
		}
		goruntime.GC()
		goruntime.ReadMemStats(&after)
		taken, counted := float64(after.HeapAlloc-before.HeapAlloc)/n, float64(c.size)/n
		if taken > 1.1*counted || taken < 0.7*counted {
			t.Errorf("a record of %d entries takes %.0f bytes, and %.0f are counted", entries, taken, counted)
		}
		goruntime.KeepAlive(c)
	}
}

// recordWith returns a record that shares no memory with others.
func recordWith(n int) *runtime.Record {
	list := make([]runtime.Entry, n)
	for i := range list {
		list[i] = runtime.Entry{Key: fmt.Sprintf("prefs:%d", i), Value: strings.Repeat("v", i%40)}
	}
	return &runtime.Record{Kind: testKind, Entries: runtime.NewEntries(list...)}
}

func TestTheCacheForgetsInTime(t *testing.T) {
	now := time.Now()
	c := newCache(time.Minute, 1<<20)
	c.now = func() time.Time { return now }
	id := numbered(1)
	place := c.begin(id)
	now = now.Add(30 * time.Second) // the read takes long
	c.fill(place, smallRecord())
	if c.get(id) == nil {
		t.Fatal("a record is gone before its time")
	}
	now = now.Add(30 * time.Second)
	if c.get(id) != nil || c.size != 0 {
		t.Error("a record is there a minute after its read began")
	}
}

// TestTheCacheKeepsNothingThatMayBeOld changes the session at each moment of a
// read.
func TestTheCacheKeepsNothingThatMayBeOld(t *testing.T) {
	id := numbered(1)
	steps := map[string]func(c *cache){
		"a write during the read": func(c *cache) {
			place := c.begin(id)
			c.write(id)()
			c.fill(place, smallRecord())
		},
		"a read during a write": func(c *cache) {
			done := c.write(id)
			if place := c.begin(id); place != nil {
				c.fill(place, smallRecord())
			}
			done()
		},
		"one of two writes under way": func(c *cache) {
			done := c.write(id)
			c.write(id)()
			if place := c.begin(id); place != nil {
				c.fill(place, smallRecord())
			}
			done()
		},
		"a write after the read": func(c *cache) {
			c.fill(c.begin(id), smallRecord())
			c.write(id)()
		},
		"a read before and one after a write": func(c *cache) {
			before := c.begin(id)
			c.write(id)()
			c.begin(id)
			c.fill(before, smallRecord())
		},
		"a lost connection during the read": func(c *cache) {
			place := c.begin(id)
			c.changed("", nil)
			c.fill(place, smallRecord())
		},
	}
	for name, step := range steps {
		c := newCache(time.Hour, 1<<20)
		step(c)
		if c.get(id) != nil {
			t.Errorf("%s: a record is kept", name)
		}
		if len(c.writing) != 0 {
			t.Errorf("%s: %d writes are still under way", name, len(c.writing))
		}
	}
}
