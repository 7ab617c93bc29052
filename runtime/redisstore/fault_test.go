package redisstore_test

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/redisstore"
)

// A writer changes two entries and a counter of one session together, and
// remembers what was acknowledged.
type writer struct {
	store *redisstore.Store
	key   runtime.Key
	last  int64 // acknowledged
	begun int64
}

func newWriter(t *testing.T, s *redisstore.Store, id byte) *writer {
	t.Helper()
	key, record := session(id)
	record.Entries = runtime.NewEntries()
	create(t, s, key, record)
	return &writer{store: s, key: key}
}

func (w *writer) write(ctx context.Context) error {
	w.begun++
	text := fmt.Sprint(w.begun)
	_, err := w.store.Update(ctx, w.key, &runtime.Delta{Ops: []runtime.Op{
		{Kind: runtime.OpSet, Entry: runtime.Entry{Key: "a", Value: text}},
		{Kind: runtime.OpSet, Entry: runtime.Entry{Key: "b", Value: text}},
		{Kind: runtime.OpSet, Entry: runtime.Entry{Key: "n", Kind: runtime.CounterEntry, Count: w.begun}},
	}})
	if err == nil {
		w.last = w.begun
	}
	return err
}

// whole demands that the record is that of one write, no older than the last
// that was acknowledged.
func (w *writer) whole(t *testing.T) {
	t.Helper()
	r := eventually(t, func(ctx context.Context) (*runtime.Record, error) { return w.store.Load(ctx, w.key) })
	a, _ := r.Entries.Get("a")
	b, _ := r.Entries.Get("b")
	n, _ := r.Entries.Get("n")
	if a.Value != b.Value || r.Entries.Len() > 0 && a.Value != fmt.Sprint(n.Count) {
		t.Fatalf("a record of parts: a is %q, b is %q, n is %d", a.Value, b.Value, n.Count)
	}
	if n.Count < w.last {
		t.Fatalf("write %d was acknowledged, the record is that of write %d", w.last, n.Count)
	}
	w.begun, w.last = max(w.begun, n.Count), n.Count
}

// eventually tries until it works, while servers come back.
func eventually[T any](t *testing.T, try func(context.Context) (T, error)) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		got, err := try(ctx)
		if err == nil {
			return got
		}
		if errors.Is(err, runtime.ErrNotFound) {
			t.Fatalf("while servers come back: %v", err)
		}
		select {
		case <-ctx.Done():
			t.Fatalf("does not work again: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestAKilledServerLosesNothingAcknowledged needs appendfsync always: with
// everysec the server answers before it writes while a flush is under way.
func TestAKilledServerLosesNothingAcknowledged(t *testing.T) {
	kills := testtier.Count(5, 5, 100)
	server := start(t, "appendonly", "yes", "appendfsync", "always")
	s := open(t, server.URL(), "duckgen:")
	writers := []*writer{newWriter(t, s, 1), newWriter(t, s, 2), newWriter(t, s, 3), newWriter(t, s, 4)}
	for n := range kills {
		var stop atomic.Bool
		var acknowledged atomic.Int64
		enough := make(chan struct{})
		var running sync.WaitGroup
		for _, w := range writers {
			running.Go(func() {
				for !stop.Load() {
					if w.write(t.Context()) != nil {
						return
					}
					if acknowledged.Add(1) == int64(20+n) {
						close(enough)
					}
				}
			})
		}
		select {
		case <-enough:
		case <-time.After(30 * time.Second):
			t.Fatal("writes are not acknowledged")
		}
		server.Kill()
		stop.Store(true)
		running.Wait()
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		for _, w := range writers {
			w.whole(t)
		}
	}
}

var kills = flag.Int("kills", 0, "how often to kill a program that writes sessions; 0: as the tier says")

// victimVariable holds the URL that a program to be killed writes to.
const victimVariable = "REDISSTORE_VICTIM"

// TestAKilledProgramTearsNothing kills a program at any moment of its writes.
// The program is this test once more.
func TestAKilledProgramTearsNothing(t *testing.T) {
	const sessions = 4
	if url := os.Getenv(victimVariable); url != "" {
		writeUntilKilled(t, open(t, url, "duckgen:"), sessions)
		return
	}
	server := start(t)
	s := open(t, server.URL(), "duckgen:")
	var writers []*writer
	for id := range sessions {
		writers = append(writers, newWriter(t, s, byte(id)))
	}
	for n := range cmp.Or(*kills, testtier.Count(2, 2, 20)) {
		moment := time.Duration(n%20) * 50 * time.Microsecond // a write takes less
		for id, last := range killProgram(t, server.URL(), sessions, moment) {
			writers[id].last = max(writers[id].last, last)
		}
		for _, w := range writers {
			w.whole(t)
		}
	}
}

// killProgram starts a program, kills it some time after it has acknowledged
// writes of every session, and returns the last write of each.
func killProgram(t *testing.T, url string, sessions int, moment time.Duration) map[int]int64 {
	t.Helper()
	program := exec.Command(os.Args[0], "-test.run=^TestAKilledProgramTearsNothing$", "-test.count=1")
	program.Env = append(os.Environ(), victimVariable+"="+url)
	output, err := program.StdoutPipe()
	if err == nil {
		err = program.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	slow := time.AfterFunc(60*time.Second, func() { _ = program.Process.Kill() })
	acknowledged, killing := map[int]int64{}, false
	for lines := bufio.NewScanner(output); lines.Scan(); {
		var id int
		var n int64
		if _, err := fmt.Sscanf(lines.Text(), "stored %d %d", &id, &n); err != nil {
			continue
		}
		acknowledged[id] = n
		if len(acknowledged) == sessions && !killing {
			killing = true
			time.AfterFunc(moment, func() { _ = program.Process.Kill() })
		}
	}
	_ = program.Wait() // it was killed
	if !slow.Stop() || !killing {
		t.Fatalf("the program to kill has written %v", acknowledged)
	}
	return acknowledged
}

// writeUntilKilled goes on with the sessions where the program before was killed,
// and tells each write that was acknowledged.
func writeUntilKilled(t *testing.T, s *redisstore.Store, sessions int) {
	var running sync.WaitGroup
	for id := range sessions {
		key, _ := session(byte(id))
		w := &writer{store: s, key: key}
		w.whole(t)
		running.Go(func() {
			for range 100_000 { // should nobody kill it
				if err := w.write(t.Context()); err != nil {
					t.Error(err)
					return
				}
				fmt.Printf("stored %d %d\n", id, w.last)
			}
		})
	}
	running.Wait()
}

// TestAFailoverKeepsTheStoreWorking kills a master of a Cluster with replicas.
// What had not reached the replica is lost, as everything on Redis is.
func TestAFailoverKeepsTheStoreWorking(t *testing.T) {
	t.Parallel() // it waits for servers, mostly
	nodes := startCluster(t, 1)
	s := open(t, nodes[1].URL(), "duckgen:")
	keys := make([]runtime.Key, 12) // some in each shard
	for i := range keys {
		key, record := realistic(byte(i + 1))
		create(t, s, key, record)
		keys[i] = key
	}
	master, replica := nodes[0], nodes[3]
	if got := command(t, master, "WAIT", "1", "5000"); got != "1" {
		t.Fatalf("%s replicas have what was written, want 1", got)
	}
	master.Kill()
	if err := replica.WaitFor("role:master", "INFO", "replication"); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		eventually(t, func(ctx context.Context) (*runtime.Result, error) { return s.Update(ctx, key, oneField()) })
		r := eventually(t, func(ctx context.Context) (*runtime.Record, error) { return s.Load(ctx, key) })
		if _, ok := r.Entries.Get("theme"); !ok {
			t.Errorf("session %s misses what was written after the failover", key.ID)
		}
	}
	user := runtime.IndexValue{Kind: "example.com/shop/session.Visitor", Field: "user_id", Value: "\x07"}
	n := eventually(t, func(ctx context.Context) (int, error) { return s.Revoke(ctx, user, keys[0].Now) })
	if n != len(keys) {
		t.Errorf("after a failover Revoke ends %d sessions, want %d", n, len(keys))
	}
}

func TestWhatAServerRefusesIsNotStored(t *testing.T) { onEveryForm(t, whatAServerRefusesIsNotStored) }

func whatAServerRefusesIsNotStored(t *testing.T, server *servertest.Redis, url, call string) {
	command(t, server, "ACL", "SETUSER", "reader", "on", ">secret", "+@all", "~*", "&*")
	if call == "evalsha" {
		command(t, server, "ACL", "SETUSER", "reader", "-fcall")
	}
	writing := open(t, url, "duckgen:")
	key, record := session(1)
	create(t, writing, key, record)
	reading := open(t, "redis://reader:secret@"+server.Address(), "duckgen:")
	refused := func(why string, errs ...error) {
		t.Helper()
		for _, err := range errs {
			if !errors.Is(err, runtime.ErrRefused) || !strings.Contains(err.Error(), why) {
				t.Errorf("a server that answers %s: %v, want %v", why, err, runtime.ErrRefused)
			}
		}
	}
	command(t, server, "ACL", "SETUSER", "reader", "-"+call)
	_, err := reading.Update(t.Context(), key, oneField())
	other, otherRecord := session(2)
	refused("NOPERM", err, reading.Create(t.Context(), other, otherRecord), reading.Delete(t.Context(), key))
	command(t, server, "CONFIG", "SET", "min-replicas-to-write", "1")
	_, err = writing.Update(t.Context(), key, oneField())
	refused("NOREPLICAS", err, writing.Create(t.Context(), other, otherRecord), writing.Delete(t.Context(), key))
	command(t, server, "CONFIG", "SET", "min-replicas-to-write", "0")
	command(t, server, "REPLICAOF", "127.0.0.1", "1")
	_, err = writing.Update(t.Context(), key, oneField())
	refused("READONLY", err)
	command(t, server, "REPLICAOF", "NO", "ONE")
	// The first load may still find the connection that was given up.
	got := eventually(t, func(ctx context.Context) (*runtime.Record, error) { return writing.Load(ctx, key) })
	if !got.Entries.Equal(record.Entries) {
		t.Errorf("what was refused is stored: %+v", got.Entries)
	}
}

// A switchboard forwards connections to the server that a name leads to now.
type switchboard struct {
	net.Listener
	server atomic.Pointer[servertest.Redis]
}

func newSwitchboard(t *testing.T) *switchboard {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &switchboard{Listener: listener}
	var running sync.WaitGroup
	t.Cleanup(running.Wait)
	t.Cleanup(func() { listener.Close() })
	running.Go(func() {
		for {
			program, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp4", s.server.Load().Address())
			if err != nil {
				program.Close()
				continue
			}
			for _, way := range [][2]net.Conn{{program, server}, {server, program}} {
				running.Go(func() {
					_, _ = io.Copy(way[0], way[1]) // ends with either connection
					program.Close()
					server.Close()
				})
			}
		}
	})
	return s
}

// TestAFailoverByNameHeals leaves the old master up, as a replica, and lets the
// name lead to the new one.
func TestAFailoverByNameHeals(t *testing.T) {
	before, after := start(t), start(t)
	name := newSwitchboard(t)
	name.server.Store(before)
	s := open(t, "redis://:"+servertest.RedisPassword+"@"+name.Addr().String(), "duckgen:")
	changes := watch(t.Context(), t, s)
	key, record := session(1)
	create(t, s, key, record)
	name.server.Store(after)
	command(t, before, "REPLICAOF", "127.0.0.1", "1")
	for refused, n := false, 0; !refused; n++ { // a connection that is new leads elsewhere
		_, err := s.Update(t.Context(), key, oneField())
		if refused = errors.Is(err, runtime.ErrRefused); err == nil || n > 100 {
			t.Fatalf("a commit to the old master: %v, want %v", err, runtime.ErrRefused)
		}
	}
	eventually(t, func(ctx context.Context) (any, error) { return nil, s.Create(ctx, key, record) })
	wantChange(t, changes, runtime.Change{Kind: runtime.ChangesMissed})
	if n := command(t, after, "DBSIZE"); n != "1" {
		t.Errorf("the new master has %s sessions, want 1", n)
	}
}
