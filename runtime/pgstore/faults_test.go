package pgstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/faultproxy"
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

// fill makes sessions that have no life of their own: values gives the columns
// created, deadline, due and expires.
func fill(t testing.TB, server string, sessions int, values string) {
	t.Helper()
	servertest.Execute(t, server, fmt.Sprintf(`INSERT INTO duckgen_sessions
			(id, kind, proof, family, data, counters, renewed, created, deadline, due, expires)
		SELECT gen_random_uuid(), 'kind', sha256('x'), '\x0102030405060708', '{}', '{}', now(), %s FROM generate_series(1, %d)`, values, sessions))
}

func TestSweepersShareTheWork(t *testing.T) {
	server := emptyURL(t)
	const sessions, programs = 1500, 4
	servertest.Execute(t, server, pgstore.Schema())
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
	const commits = 20 // whose versions of the row fit in a page
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

func TestAFrozenServerIsAnOutage(t *testing.T) {
	server := server(t)
	s := open(t, server.Schema(t))
	key, record := session(1)
	create(t, s, key, record)
	fresh, freshRecord := session(2)
	server.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	operations := map[string]func() error{
		"Load":   func() error { _, err := s.Load(ctx, key); return err },
		"Update": func() error { _, err := s.Update(ctx, key, set(entry("theme", `"dark"`))); return err },
		"Create": func() error { return s.Create(ctx, fresh, freshRecord) },
		"Delete": func() error { return s.Delete(ctx, key) },
		"Sweep":  func() error { _, err := s.Sweep(ctx, key.Now); return err },
	}
	var mu sync.Mutex
	errs := map[string]error{}
	var operating sync.WaitGroup
	for name, operate := range operations {
		operating.Go(func() {
			err := operate()
			mu.Lock()
			defer mu.Unlock()
			errs[name] = err
		})
	}
	operating.Wait()
	server.Thaw()
	for name, err := range errs {
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, runtime.ErrNotFound) || !strings.HasPrefix(fmt.Sprint(err), "pgstore 127.0.0.1:") {
			t.Errorf("%s on a frozen server: %v, want %v of the store", name, err, context.DeadlineExceeded)
		}
	}
	if _, err := s.Load(t.Context(), key); err != nil && !errors.Is(err, runtime.ErrNotFound) { // the Delete may have taken place
		t.Errorf("Load after the server goes on: %v", err)
	}
}

func TestAWatcherSurvivesTheServer(t *testing.T) {
	server := server(t)
	url := server.Schema(t)
	s := open(t, url)
	changes := watch(t, s)
	server.Kill()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	elsewhere := open(t, url)
	missed, record := session(1)
	create(t, elsewhere, missed, record)
	if err := elsewhere.Delete(t.Context(), missed); err != nil {
		t.Fatal(err)
	}
	// The end was told while nobody listened, or it follows.
	expect(t, changes, runtime.Change{Kind: runtime.ChangesMissed})
	heard, record := session(2)
	create(t, elsewhere, heard, record)
	if err := elsewhere.Delete(t.Context(), heard); err != nil {
		t.Fatal(err)
	}
	for {
		select {
		case change := <-changes:
			if change == (runtime.Change{Kind: runtime.SessionEnded, ID: heard.ID}) {
				return
			}
		case <-time.After(patience):
			t.Fatal("a watcher that has missed changes hears nothing any more")
		}
	}
}

// TestAWatcherThatIsCutOffBeforeItHearsSaysSo cuts its connection once it listens.
func TestAWatcherThatIsCutOffBeforeItHearsSaysSo(t *testing.T) {
	server := emptyURL(t)
	proxy := faultproxy.New(t, func(sent []byte) bool { return bytes.Contains(sent, []byte("LISTEN")) })
	watched, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	if watched.Host, err = proxy.Address(watched.Host); err != nil {
		t.Fatal(err)
	}
	s := openServed(t, server, pgstore.WithWatchURL(watched.String()))
	reply := len("C....LISTEN\x00" + "Z....I") // that it is done, and that the server is ready
	struck := proxy.Arm(faultproxy.Fault{Call: 1, Sent: faultproxy.All, Received: reply})
	if err := s.Watch(t.Context(), func(runtime.Change) {}); err == nil || strings.Contains(err.Error(), "WithWatchURL") {
		t.Errorf("Watch: %v, want that the connection is cut", err)
	}
	select {
	case <-struck:
	default:
		t.Error("it is not cut off")
	}
}

func TestAClosedStoreIsNotWatched(t *testing.T) {
	s := open(t, emptyURL(t))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Watch(t.Context(), func(runtime.Change) {}); !errors.Is(err, runtime.ErrClosed) {
		t.Errorf("Watch: %v, want %v", err, runtime.ErrClosed)
	}
}

// TestAKilledServerKeepsWhatItAcknowledged kills the server and all its
// processes while programs write. Run it with -kills 100 for more.
func TestAKilledServerKeepsWhatItAcknowledged(t *testing.T) {
	const writers = 4
	server := server(t)
	url := server.Schema(t)
	s := open(t, url)
	var keys [writers]runtime.Key
	var written [writers]int64
	for i := range keys {
		key, record := session(byte(i), entry("a", "1"), entry("b", "1"), counter("n", 1)) // as write 1 leaves it
		create(t, s, key, record)
		keys[i], written[i] = key, 1
	}
	total := int64(0)
	kills := killCount()
	for round := range kills {
		var acknowledged [writers]int64
		var left atomic.Int64 // acknowledgements until the kill
		left.Store(int64(20 + 13*round%60))
		var working sync.WaitGroup
		for i := range keys {
			working.Go(func() {
				acknowledged[i] = writeUntilKilled(t, s, keys[i], written[i], &left, func() { working.Go(server.Kill) })
			})
		}
		working.Wait()
		if t.Failed() {
			return
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		reopened, err := pgstore.Open(t.Context(), url, pgstore.WithClientClock())
		if err != nil {
			t.Fatal(err)
		}
		for i, key := range keys {
			total += acknowledged[i] - written[i]
			written[i] = wholeRecord(t, reopened, key)
			if written[i] < acknowledged[i] || written[i] > acknowledged[i]+1 {
				t.Fatalf("write %d was acknowledged, and the record is that of write %d", acknowledged[i], written[i])
			}
		}
		if err := reopened.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills during %d acknowledged writes by %d clients", kills, total, writers)
}

// writeUntilKilled writes whole records until nothing is left to acknowledge,
// when it kills the server, or another one has. It returns the number of the last
// write that was acknowledged.
func writeUntilKilled(
	t *testing.T, s *pgstore.Store, key runtime.Key, from int64, left *atomic.Int64, kill func(),
) (acknowledged int64) {
	acknowledged = from
	failures := 0 // connections that an earlier kill has cut fail, too
	for acknowledged < from+100_000 {
		n := acknowledged + 1
		d := set(entry("a", fmt.Sprint(n)), entry("b", fmt.Sprint(n)))
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpSet, Entry: counter("n", n)})
		if n%2 == 0 { // by a single UPDATE, which the first is not
			d.Ops[2] = runtime.Op{Kind: runtime.OpAdd, Entry: counter("n", 1)}
		}
		_, err := s.Update(t.Context(), key, d)
		switch {
		case err == nil:
			acknowledged = n
			if left.Add(-1) == 0 {
				kill()
			}
		case left.Load() <= 0:
			return acknowledged
		default:
			if failures++; failures > 100 {
				t.Errorf("the server does not come back: %v", err)
				return acknowledged
			}
		}
	}
	t.Error("the killed server goes on")
	return acknowledged
}

// wholeRecord demands that the record is that of one write, and returns its
// number.
func wholeRecord(t *testing.T, s *pgstore.Store, key runtime.Key) int64 {
	t.Helper()
	loaded := load(t, s, key)
	n, _ := loaded.Entries.Get("n")
	want := runtime.NewEntries(entry("a", fmt.Sprint(n.Count)), entry("b", fmt.Sprint(n.Count)), counter("n", n.Count))
	if !loaded.Entries.Equal(want) {
		t.Fatalf("the record is of parts: %+v", loaded.Entries)
	}
	return n.Count
}

// TestWhatTheServerRefusesIsNotStored lets each way to write meet an error of the
// server, which a trigger raises.
func TestWhatTheServerRefusesIsNotStored(t *testing.T) {
	server := emptyURL(t)
	s := open(t, server)
	key, record := session(1, entry("theme", `"dark"`))
	create(t, s, key, record)
	for _, code := range []string{"40001", "57014", "25006", "53100"} {
		servertest.Execute(t, server, `CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
			'BEGIN RAISE EXCEPTION USING ERRCODE = ''`+code+`''; END';
			CREATE OR REPLACE TRIGGER refuse BEFORE INSERT OR UPDATE ON duckgen_sessions FOR EACH ROW EXECUTE FUNCTION refuse()`)
		conditional := set(entry("theme", `"light"`))
		conditional.Ops[0].If = &runtime.Condition{Value: `"dark"`}
		fresh, freshRecord := session(2)
		_, ordinary := s.Update(t.Context(), key, set(entry("theme", `"light"`)))
		_, updated := s.Update(t.Context(), key, conditional)
		for _, err := range []error{ordinary, updated, s.Create(t.Context(), fresh, freshRecord), s.Delete(t.Context(), key)} {
			if !errors.Is(err, runtime.ErrRefused) || !strings.Contains(fmt.Sprint(err), code) {
				t.Errorf("a server that answers %s: %v, want %v", code, err, runtime.ErrRefused)
			}
		}
	}
	if got := load(t, s, key); !got.Entries.Equal(record.Entries) {
		t.Errorf("what was refused is stored: %+v", got.Entries)
	}
}
