package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/pgstore"
)

// patience is how long these tests wait for what has to happen.
const patience = 20 * time.Second

// watch returns what the store tells.
func watch(t *testing.T, s *pgstore.Store) <-chan runtime.Change {
	t.Helper()
	changes := make(chan runtime.Change, 64)
	if err := s.Watch(t.Context(), func(c runtime.Change) { changes <- c }); err != nil {
		t.Fatal(err)
	}
	return changes
}

func expect(t *testing.T, changes <-chan runtime.Change, want runtime.Change) {
	t.Helper()
	select {
	case got := <-changes:
		if got != want {
			t.Errorf("told %+v, want %+v", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("was not told %+v", want)
	}
}

func TestAnotherProcessLearnsOfChanges(t *testing.T) {
	server := emptyURL(t)
	here, there := open(t, server), open(t, server)
	changes := watch(t, there)
	key, record := session(1)
	create(t, here, key, record)
	renewed := key
	renewed.Proof = runtime.Proof{9}
	if _, err := here.Update(t.Context(), key, set(entry("theme", `"dark"`))); err != nil {
		t.Fatal(err)
	}
	if _, err := here.Update(t.Context(), key, &runtime.Delta{Renewal: &runtime.Renewal{Proof: renewed.Proof}}); err != nil {
		t.Fatal(err)
	}
	expect(t, changes, runtime.Change{Kind: runtime.SessionRenewed, ID: key.ID, Proof: renewed.Proof})
	if err := here.Delete(t.Context(), renewed); err != nil {
		t.Fatal(err)
	}
	expect(t, changes, runtime.Change{Kind: runtime.SessionEnded, ID: key.ID})
	revoked, record := session(2, indexed("user_id", "7"))
	create(t, here, revoked, record)
	value := runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: "7"}
	if n, err := here.Revoke(t.Context(), value, key.Now); n != 1 || err != nil {
		t.Fatalf("Revoke = %d, %v; want 1", n, err)
	}
	expect(t, changes, runtime.Change{Kind: runtime.SessionEnded, ID: revoked.ID})
}

func TestChangesOfAnotherSchemaAreNotTold(t *testing.T) {
	here, elsewhere := open(t, emptyURL(t)), open(t, emptyURL(t))
	changes := watch(t, here)
	for n, s := range []*pgstore.Store{elsewhere, here} {
		key, record := session(byte(n))
		create(t, s, key, record)
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, changes, runtime.Change{Kind: runtime.SessionEnded, ID: runtime.ID{1}})
}

func TestALostConnectionIsToldAsChangesMissed(t *testing.T) {
	server := emptyURL(t)
	s := open(t, server)
	changes := watch(t, s)
	execute(t, server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = "+
		"'LISTEN \"duckgen_' || 'duckgen_sessions'::regclass::oid || '\"'")
	expect(t, changes, runtime.Change{Kind: runtime.ChangesMissed})
	key, record := session(1)
	create(t, s, key, record)
	if err := s.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	expect(t, changes, runtime.Change{Kind: runtime.SessionEnded, ID: key.ID})
}

// fill makes sessions that have no life of their own: values gives the columns
// created, deadline, due and expires.
func fill(t testing.TB, server string, sessions int, values string) {
	t.Helper()
	execute(t, server, fmt.Sprintf(`INSERT INTO duckgen_sessions
			(id, kind, proof, data, counters, renewed, created, deadline, due, expires)
		SELECT gen_random_uuid(), 'kind', sha256('x'), '{}', '{}', now(), %s FROM generate_series(1, %d)`, values, sessions))
}

func TestSweepersShareTheWork(t *testing.T) {
	server := emptyURL(t)
	const sessions, programs = 1500, 4
	execute(t, server, pgstore.Schema())
	fill(t, server, sessions, "now(), now(), '2020-01-01', '2020-01-01'")
	var sweeping sync.WaitGroup
	var removed [programs]int
	for i := range programs {
		s := open(t, server)
		sweeping.Go(func() {
			for n := 1; n > 0; removed[i] += n {
				var err error
				if n, err = s.Sweep(t.Context(), time.Now()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sweeping.Wait()
	total := 0
	for _, n := range removed {
		total += n
	}
	if total != sessions {
		t.Errorf("%d sweepers removed %v of %d sessions", programs, removed, sessions)
	}
}

// TestASweepPassesOverWhatActivityKeepsAlive has more sessions that are due and
// alive than a sweep looks at in one statement, before those that have expired.
func TestASweepPassesOverWhatActivityKeepsAlive(t *testing.T) {
	server := emptyURL(t)
	s := open(t, server)
	const alive, expired = 600, 300
	fill(t, server, alive, "now(), '2100-01-01', '2020-01-01', '2100-01-01'")
	fill(t, server, expired, "now(), '2100-01-01', '2020-01-02', '2020-01-03'")
	for _, want := range []int{expired, 0} {
		if n, err := s.Sweep(t.Context(), time.Now()); n != want || err != nil {
			t.Errorf("Sweep = %d, %v; want %d", n, err, want)
		}
	}
	conn := connect(t, server)
	defer conn.Close(t.Context())
	var left, due int
	err := conn.QueryRow(t.Context(), "SELECT count(*), count(*) FILTER (WHERE due < expires) FROM duckgen_sessions").Scan(&left, &due)
	if left != alive || due != 0 || err != nil {
		t.Errorf("sessions after a sweep: %d, of which %d are due too early, %v; want %d and none", left, due, err, alive)
	}
}

// TestCommitsTouchNoIndex counts the updates that need no new entries in the
// indexes of the table (HOT).
func TestCommitsTouchNoIndex(t *testing.T) {
	server := emptyURL(t)
	s := open(t, server)
	key, record := session(1, entry("theme", `"dark"`), counter("views", 1))
	create(t, s, key, record)
	const commits = 50
	for n := range commits {
		d := set(entry("theme", fmt.Sprintf(`"%d"`, n)))
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpAdd, Entry: counter("views", 1)})
		d.Active = key.Now.Add(time.Hour + time.Duration(n)*time.Second)
		if _, err := s.Update(t.Context(), key, d); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil { // which reports its statistics
		t.Fatal(err)
	}
	conn := connect(t, server)
	defer conn.Close(t.Context())
	var updates, hot int
	for deadline := time.Now().Add(patience); updates < commits; {
		err := conn.QueryRow(t.Context(), "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables "+
			"WHERE relid = 'duckgen_sessions'::regclass").Scan(&updates, &hot)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("statistics of %d updates, %v; want %d", updates, err, commits)
		}
	}
	if hot != updates {
		t.Errorf("%d of %d commits touched no index, want all", hot, updates)
	}
}

// ownServer starts a server for one test.
func ownServer(t *testing.T) *servertest.Postgres {
	t.Helper()
	server, err := servertest.NewPostgres()
	servertest.Check(t, err)
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func TestAFrozenServerIsAnOutage(t *testing.T) {
	server := ownServer(t)
	s := open(t, server.URL())
	key, record := session(1)
	create(t, s, key, record)
	server.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, loadErr := s.Load(ctx, key)
	_, updateErr := s.Update(ctx, key, set(entry("theme", `"dark"`)))
	server.Thaw()
	for _, err := range []error{loadErr, updateErr} {
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, runtime.ErrNotFound) {
			t.Errorf("an operation on a frozen server: %v, want %v", err, context.DeadlineExceeded)
		}
	}
	if _, err := s.Load(t.Context(), key); err != nil {
		t.Errorf("Load after the server goes on: %v", err)
	}
}

func TestAKilledServerKeepsWhatItAcknowledged(t *testing.T) {
	const rounds = 5
	server := ownServer(t)
	s := open(t, server.URL())
	key, record := session(1, entry("a", "0"), entry("b", "0"))
	create(t, s, key, record)
	written := int64(0)
	for range rounds {
		acknowledged := writeUntilFailure(t, s, key, written, server.Kill)
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		written = wholeRecord(t, server.URL(), key)
		if written < acknowledged || written > acknowledged+1 {
			t.Fatalf("write %d was acknowledged, and the record is that of write %d", acknowledged, written)
		}
	}
}

// writeUntilFailure writes whole records, and returns the number of the last one
// that was acknowledged. It kills the server some writes after the first.
func writeUntilFailure(t *testing.T, s *pgstore.Store, key runtime.Key, from int64, kill func()) (acknowledged int64) {
	var killing sync.WaitGroup
	defer killing.Wait()
	failures := 0 // connections that an earlier kill has cut fail, too
	for n := from + 1; n < from+100_000; n++ {
		d := set(entry("a", fmt.Sprint(n)), entry("b", fmt.Sprint(n)))
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpSet, Entry: counter("n", n)})
		if _, err := s.Update(t.Context(), key, d); err != nil {
			if acknowledged > 0 {
				return acknowledged
			}
			if failures++; failures > 100 {
				t.Fatalf("the server does not come back: %v", err)
			}
			n--
			continue
		}
		if acknowledged = n; n == from+50 {
			killing.Go(kill)
		}
	}
	t.Fatal("the killed server goes on")
	return 0
}

// wholeRecord demands that the record is that of one write, and returns its
// number.
func wholeRecord(t *testing.T, server string, key runtime.Key) int64 {
	t.Helper()
	loaded, err := open(t, server).Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := loaded.Entries.Get("n")
	want := runtime.NewEntries(entry("a", fmt.Sprint(n.Count)), entry("b", fmt.Sprint(n.Count)), counter("n", n.Count))
	if !loaded.Entries.Equal(want) {
		t.Fatalf("the record is of parts: %+v", loaded.Entries)
	}
	return n.Count
}
