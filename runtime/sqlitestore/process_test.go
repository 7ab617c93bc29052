package sqlitestore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/sqlitestore"
)

// These tests have a second process on the file: the test binary once more, told
// by the environment what to do.

const (
	fileVariable = "SQLITESTORE_TEST_FILE"
	taskVariable = "SQLITESTORE_TEST_TASK"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(fileVariable); path != "" {
		if err := tasks[os.Getenv(taskVariable)](path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// tasks are what the second process does.
var tasks = map[string]func(path string) error{"write": writeOn, "end": endOne}

// program starts the second process, which is killed at the end of the test at
// the latest.
func program(t *testing.T, task, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fileVariable+"="+path, taskVariable+"="+task)
	cmd.Stderr = os.Stderr
	output, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it may have ended
	return cmd, bufio.NewScanner(output)
}

// writers is how many sessions a program writes to at the same time.
const writers = 4

// writeOn writes whole records until it is killed, and says so after each.
func writeOn(path string) error {
	ctx := context.Background()
	s, err := sqlitestore.Open(ctx, path)
	if err != nil {
		return err
	}
	var say sync.Mutex
	errs := make([]error, writers)
	var running sync.WaitGroup
	for i := range writers {
		running.Go(func() {
			key, _ := session(byte(i))
			r, err := s.Load(ctx, key)
			for n := numberOf(r) + 1; err == nil && n < 1_000_000; n++ {
				if _, err = s.Update(ctx, key, whole(n)); err == nil {
					say.Lock()
					fmt.Println(i, n)
					say.Unlock()
				}
			}
			errs[i] = err
		})
	}
	running.Wait()
	return errors.Join(errs...)
}

// whole is a write of which each part has the number.
func whole(n int64) *runtime.Delta {
	text := fmt.Sprint(n)
	d := views(1)
	for _, key := range []string{"a", "b"} {
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpSet, Entry: runtime.Entry{Key: key, Value: text}})
	}
	d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpSet, Entry: runtime.Entry{Key: "user_id", Kind: runtime.IndexedEntry, Value: text}})
	return d
}

func views(n int64) *runtime.Delta {
	return &runtime.Delta{Ops: []runtime.Op{
		{Kind: runtime.OpAdd, Entry: runtime.Entry{Key: "views", Kind: runtime.CounterEntry, Count: n}},
	}}
}

func numberOf(r *runtime.Record) int64 {
	if r == nil {
		return 0
	}
	n, _ := r.Entries.Get("views")
	return n.Count
}

// TestAKilledProgramLosesNothing kills a program while it writes, at some moment
// of a write, while this one has the file open, too, and writes to it.
func TestAKilledProgramLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path)
	for i := range writers + 1 {
		key, record := session(byte(i))
		record.Entries = runtime.NewEntries()
		if err := s.Create(t.Context(), key, record); err != nil {
			t.Fatal(err)
		}
	}
	own, _ := session(writers)
	written := int64(0)
	for n := range testtier.Count(1, 5, 100) {
		acknowledged := killWriter(t, path, 20+n%17, func() {
			written++
			if _, err := s.Update(t.Context(), own, whole(written)); err != nil {
				t.Errorf("beside a program that is killed: %v", err)
			}
		})
		for i, last := range acknowledged {
			wholeRecord(t, s, byte(i), last)
		}
		wholeRecord(t, s, writers, written)
		if t.Failed() {
			return
		}
	}
	intact(t, path)
}

// killWriter lets a program write until it has acknowledged so many writes,
// kills it, and returns what it acknowledged of each session.
func killWriter(t *testing.T, path string, after int, meanwhile func()) (acknowledged [writers]int64) {
	t.Helper()
	cmd, lines := program(t, "write", path)
	seen := 0
	for lines.Scan() {
		var i int
		var n int64
		if _, err := fmt.Sscan(lines.Text(), &i, &n); err != nil {
			t.Fatalf("the program says %q", lines.Text())
		}
		acknowledged[i] = n
		if seen++; seen == after {
			_ = cmd.Process.Kill() // what it has said is still read
		} else if seen < after {
			meanwhile()
		}
	}
	if err := cmd.Wait(); err == nil || seen < after {
		t.Fatalf("the program to kill ended by itself: %v", err)
	}
	return acknowledged
}

// wholeRecord demands that the record is that of one write, no older than the
// last that was acknowledged, and that the index leads to it.
func wholeRecord(t *testing.T, s *sqlitestore.Store, id byte, acknowledged int64) {
	t.Helper()
	key, record := session(id)
	r, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	n := numberOf(r)
	a, _ := r.Entries.Get("a")
	b, _ := r.Entries.Get("b")
	if n > 0 && (a.Value != fmt.Sprint(n) || a.Value != b.Value) {
		t.Errorf("a record of parts: %d views, a is %q, b is %q", n, a.Value, b.Value)
	}
	if n < acknowledged {
		t.Errorf("write %d was acknowledged, the record is that of write %d", acknowledged, n)
	}
	found := n == 0
	value := runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: fmt.Sprint(n)}
	for f, err := range s.Find(t.Context(), value, key.Now) {
		found = found || err == nil && f.ID == key.ID
	}
	if !found {
		t.Errorf("the index does not lead to session %d by its value %d", id, n)
	}
}

func intact(t *testing.T, path string) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = sqlitex.ExecuteTransient(conn, "PRAGMA integrity_check", &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			if said := stmt.ColumnText(0); said != "ok" {
				t.Errorf("the file: %s", said)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// endOne renews a session and ends it, as another program does.
func endOne(path string) error {
	ctx := context.Background()
	s, err := sqlitestore.Open(ctx, path)
	if err != nil {
		return err
	}
	key, _ := session(1)
	renewed := key
	renewed.Proof = runtime.Proof{9}
	_, err = s.Update(ctx, key, &runtime.Delta{Renewal: &runtime.Renewal{Proof: renewed.Proof}})
	return errors.Join(err, s.Delete(ctx, renewed), s.Close())
}

func TestAnotherProcessLearnsOfChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	changes := make(chan runtime.Change, 16)
	if err := s.Watch(ctx, func(c runtime.Change) { changes <- c }); err != nil {
		t.Fatal(err)
	}
	key, record := session(1)
	if err := s.Create(ctx, key, record); err != nil {
		t.Fatal(err)
	}
	cmd, lines := program(t, "end", path)
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the other program: %v\n%s", err, strings.Join(said, "\n"))
	}
	want := []runtime.Change{
		{Kind: runtime.SessionRenewed, ID: key.ID, Proof: runtime.Proof{9}},
		{Kind: runtime.SessionEnded, ID: key.ID},
	}
	for _, change := range want {
		select {
		case got := <-changes:
			if got != change {
				t.Errorf("told %+v, want %+v", got, change)
			}
		case <-ctx.Done():
			t.Fatalf("was not told %+v", change)
		}
	}
}
