package redisstore_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	goruntime "runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/redisstore"
)

// The figures of docs/stores.md come from these tests with -v and large numbers.
var (
	sessions = flag.Int("sessions", 2000, "how many sessions of each sort the server keeps")
	carriers = flag.Int("carriers", 2000, "how many sessions carry one indexed value")
)

// numberedKey returns the key of the n-th session.
func numberedKey(n int, now time.Time) runtime.Key {
	key := runtime.Key{Now: now}
	binary.BigEndian.PutUint64(key.ID[:], uint64(n)*0x9e3779b97f4a7c15) // in no order
	binary.BigEndian.PutUint64(key.ID[8:], uint64(n)+1)
	binary.BigEndian.PutUint64(key.Proof[:], uint64(n)+1)
	return key
}

// createMany creates sessions with the entries that belong to each number. Many
// at once share a round trip.
func createMany(t *testing.T, s *redisstore.Store, count int, now time.Time, entries func(n int) runtime.Entries) {
	t.Helper()
	const workers = 64
	var running sync.WaitGroup
	for worker := range workers {
		running.Go(func() {
			for n := worker; n < count; n += workers {
				key := numberedKey(n, now)
				err := s.Create(t.Context(), key, &runtime.Record{
					Kind: "example.com/shop/session.Visitor", Proof: key.Proof,
					Created: now, Renewed: now, Deadline: now.Add(time.Hour), Expires: now.Add(time.Hour),
					Entries: entries(n),
				})
				if err != nil {
					t.Errorf("session %d: %v", n, err)
					return
				}
			}
		})
	}
	running.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// info returns one number that INFO tells.
func info(t *testing.T, server *servertest.Redis, name string) int {
	t.Helper()
	for line := range strings.Lines(command(t, server, "INFO", "everything")) {
		if text, found := strings.CutPrefix(line, name+":"); found {
			n, err := strconv.Atoi(strings.TrimSpace(text))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("INFO does not tell %s", name)
	return 0
}

func size(t *testing.T, server *servertest.Redis) int {
	t.Helper()
	n, err := strconv.Atoi(command(t, server, "DBSIZE"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestManySessions(t *testing.T) {
	t.Parallel() // it waits for servers, mostly
	theme := runtime.Entry{Key: "theme", Value: "\xa5light"}
	seen := runtime.Entry{Key: "seen_at", Value: "\xd7\xff\x00\x00\x00\x00\x00\x00\x00\x01"}
	views := runtime.Entry{Key: "views", Kind: runtime.CounterEntry, Count: 41}
	small := runtime.NewEntries(theme, seen, views)
	_, record := realistic(1)
	var unindexed []runtime.Entry
	for e := range record.Entries.All() {
		if e.Kind == runtime.IndexedEntry {
			e.Kind = runtime.PlainEntry
		}
		unindexed = append(unindexed, e)
	}
	large := runtime.NewEntries(unindexed...)
	for _, c := range []struct {
		name    string
		most    int // bytes of memory for each, with what few sessions share
		entries func(n int) runtime.Entries
	}{
		{"three fields", 450, func(int) runtime.Entries { return small }},
		{"three fields, one indexed", 700, func(n int) runtime.Entries {
			user := runtime.Entry{Key: "user_id", Kind: runtime.IndexedEntry, Value: "\xce" + string(binary.BigEndian.AppendUint32(nil, uint32(n)))}
			return runtime.NewEntries(theme, user, views)
		}},
		{"twenty fields", 1500, func(int) runtime.Entries { return large }},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := start(t, "appendonly", "yes", "auto-aof-rewrite-percentage", "0")
			s := open(t, server.URL(), "duckgen:")
			keep(t, server, s, c.most, c.entries)
			restart(t, server)
			expire(t, server)
		})
	}
}

// keep creates the sessions and tells what they take.
func keep(t *testing.T, server *servertest.Redis, s *redisstore.Store, most int, entries func(int) runtime.Entries) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	createMany(t, s, 1, now, entries) // the functions and the buffers are there
	empty, began := info(t, server, "used_memory"), time.Now()
	createMany(t, open(t, server.URL(), "others:"), *sessions, now, entries)
	took := time.Since(began)
	each := (info(t, server, "used_memory") - empty) / *sessions
	if each > most {
		t.Errorf("a session takes %d bytes of memory, want no more than %d", each, most)
	}
	log := info(t, server, "aof_current_size")
	usage := command(t, server, "MEMORY", "USAGE", "others:{"+numberedKey(1, now).ID.String()+"}")
	t.Logf("%d sessions in %v: %d bytes of memory each (MEMORY USAGE %s), %d of append-only file",
		*sessions, took.Round(time.Millisecond), each, usage, log / *sessions)
}

// restart starts the server once more, from a compact file.
func restart(t *testing.T, server *servertest.Redis) {
	t.Helper()
	before := size(t, server)
	began := time.Now()
	command(t, server, "BGREWRITEAOF")
	if err := server.WaitFor("aof_rewrite_in_progress:0", "INFO", "persistence"); err != nil {
		t.Fatal(err)
	}
	rewritten, file := time.Since(began), info(t, server, "aof_base_size")
	began = time.Now()
	server.Kill()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if after := size(t, server); after != before {
		t.Errorf("a server with %d keys comes back with %d", before, after)
	}
	t.Logf("%d bytes of compact file each, written in %v, loaded in %v", file / *sessions,
		rewritten.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
}

// expire lets all keys end at one moment, and tells how long the server takes to
// remove them and how long a command waits meanwhile at most.
func expire(t *testing.T, server *servertest.Redis) {
	t.Helper()
	c := client(t, server.URL())
	end := time.Now().Add(time.Second + time.Duration(*sessions)*20*time.Microsecond)
	for cursor, first := uint64(0), true; first || cursor != 0; first = false {
		page, err := c.Do(t.Context(), c.B().Scan().Cursor(cursor).Count(1000).Build()).AsScanEntry()
		if err != nil {
			t.Fatal(err)
		}
		var commands rueidis.Commands
		for _, key := range page.Elements {
			commands = append(commands, c.B().Pexpireat().Key(key).MillisecondsTimestamp(end.UnixMilli()).Build())
		}
		for _, result := range c.DoMulti(t.Context(), commands...) {
			if err := result.Error(); err != nil {
				t.Fatal(err)
			}
		}
		cursor = page.Cursor
	}
	<-time.After(time.Until(end))
	began, slowest := time.Now(), time.Duration(0)
	for deadline := began.Add(5 * time.Minute); ; {
		asked := time.Now()
		left, err := c.Do(t.Context(), c.B().Dbsize().Build()).AsInt64()
		if err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(asked))
		if left == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d keys are still there", left)
		}
	}
	t.Logf("expired in %v, a command waits %v at most; %d bytes of memory are held",
		time.Since(began).Round(time.Millisecond), slowest.Round(time.Microsecond), info(t, server, "used_memory"))
}

// TestAValueOfManySessions finds and ends them page by page.
func TestAValueOfManySessions(t *testing.T) {
	const page = 128
	server := start(t)
	s := open(t, server.URL(), "duckgen:")
	now := time.Now().UTC().Truncate(time.Millisecond)
	user := runtime.IndexValue{Kind: "example.com/shop/session.Visitor", Field: "user_id", Value: "\x07"}
	entries := runtime.NewEntries(
		runtime.Entry{Key: "user_id", Kind: runtime.IndexedEntry, Value: "\x07"},
		runtime.Entry{Key: "cart", Value: string(bytes.Repeat([]byte("x"), 500))},
	)
	createMany(t, s, *carriers, now, func(int) runtime.Entries { return entries })
	pages := (*carriers + page - 1) / page

	command(t, server, "CONFIG", "RESETSTAT")
	for _, err := range s.Find(t.Context(), user, now) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if n := calls(t, server); n["zrangebylex"] != 1 || n["hgetall"] > page {
		t.Errorf("to find the first session, the server is asked for %v, want one page of %d", n, page)
	}

	command(t, server, "CONFIG", "RESETSTAT")
	found, held, began := 0, heap(), time.Now()
	for _, err := range s.Find(t.Context(), user, now) {
		if err != nil {
			t.Fatal(err)
		}
		if found++; found%(*carriers/4) == 0 {
			if grown := heap() - held; grown > 4<<20 {
				t.Errorf("after %d sessions the search holds %d bytes more", found, grown)
			}
		}
	}
	if n := calls(t, server)["zrangebylex"]; found != *carriers || n < pages {
		t.Errorf("%d of %d sessions are found on %d pages, want %d pages", found, *carriers, n, pages)
	}
	t.Logf("%d sessions found in %v", found, time.Since(began).Round(time.Millisecond))

	command(t, server, "CONFIG", "RESETSTAT")
	began = time.Now()
	ended, err := s.Revoke(t.Context(), user, now, numberedKey(1, now).ID)
	if n := calls(t, server)["zrangebylex"]; err != nil || ended != *carriers-1 || n < pages {
		t.Errorf("%d of %d sessions end on %d pages, %v, want %d pages", ended, *carriers-1, n, err, pages)
	}
	t.Logf("%d sessions ended in %v", ended, time.Since(began).Round(time.Millisecond))
	for f, err := range s.Find(t.Context(), user, now) {
		if err != nil || f.ID != numberedKey(1, now).ID {
			t.Errorf("after the revocation %v is found, %v", f.ID, err)
		}
	}
}

// heap returns how many bytes are in use.
func heap() int64 {
	goruntime.GC()
	var stats goruntime.MemStats
	goruntime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
