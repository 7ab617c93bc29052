//go:build linux

package sqlitestore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/sqlitestore"
)

// answers are the errors by which a store says that it works.
var answers = []error{
	runtime.ErrNotFound, runtime.ErrExists, runtime.ErrConflict, runtime.ErrTooLarge, runtime.ErrOverflow,
	runtime.ErrSuperseded, runtime.ErrReused, runtime.ErrEnded,
}

// isOutage demands an error that is none of a working store and names the file.
func isOutage(t *testing.T, what, path string, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%s: error %v, want one that names the file", what, err)
	}
	for _, answer := range answers {
		if errors.Is(err, answer) {
			t.Errorf("%s: %v, which is what a working store answers", what, err)
		}
	}
}

// writes are the operations that have to write, on a session and on a new one.
func writes(s *sqlitestore.Store, key runtime.Key) []write {
	fresh, record := session(99)
	value := runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: "7"}
	return []write{
		{"Update", func(ctx context.Context) error { _, err := s.Update(ctx, key, views(1)); return err }},
		{"Create", func(ctx context.Context) error { return s.Create(ctx, fresh, record) }},
		{"Revoke", func(ctx context.Context) error { _, err := s.Revoke(ctx, value, key.Now); return err }},
		{"Delete", func(ctx context.Context) error { return s.Delete(ctx, key) }},
	}
}

type write struct {
	what string
	do   func(context.Context) error
}

// works demands that the session is what it was, and that writing works again.
func works(t *testing.T, s *sqlitestore.Store, key runtime.Key) {
	t.Helper()
	r, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatalf("after the outage: %v", err)
	}
	if n, found := r.Entries.Get("views"); found {
		t.Errorf("after the outage the session has %d views of writes that failed", n.Count)
	}
	for _, w := range writes(s, key) {
		if err := w.do(t.Context()); err != nil {
			t.Errorf("after the outage, %s: %v", w.what, err)
		}
	}
}

func stored(t *testing.T, path string) (*sqlitestore.Store, runtime.Key) {
	t.Helper()
	s := open(t, path)
	key, record := session(1)
	if err := s.Create(t.Context(), key, record); err != nil {
		t.Fatal(err)
	}
	return s, key
}

func TestALockedFileIsAnOutage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s, key := stored(t, path)
	other, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	execute(t, other, "BEGIN EXCLUSIVE")
	for _, w := range writes(s, key) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		err := w.do(ctx)
		cancel()
		isOutage(t, w.what, path, err)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want %v", w.what, err, context.DeadlineExceeded)
		}
	}
	if _, err := s.Load(t.Context(), key); err != nil {
		t.Errorf("Load beside a writer: %v", err)
	}
	execute(t, other, "ROLLBACK")
	works(t, s, key)
}

func execute(t *testing.T, conn *sqlite.Conn, statement string) {
	t.Helper()
	if err := sqlitex.ExecuteTransient(conn, statement, nil); err != nil {
		t.Fatal(err)
	}
}

// TestAFullDiskIsAnOutage lets this process write no further byte to any file.
func TestAFullDiskIsAnOutage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s, key := stored(t, path)
	renewed := key
	renewed.ID[15]++
	_, record := session(1)
	if err := s.Create(t.Context(), renewed, record); err != nil {
		t.Fatal(err)
	}
	d := &runtime.Delta{Renewal: &runtime.Renewal{Proof: runtime.Proof{9}}}
	if _, err := s.Update(t.Context(), renewed, d); err != nil {
		t.Fatal(err)
	}
	renewed.Proof = d.Renewal.Proof
	old := replaced(t, s)
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 0, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	failed := map[string]error{}
	for _, w := range writes(s, key) {
		failed[w.what] = w.do(t.Context())
	}
	_, loaded := s.Load(t.Context(), key)
	_, presented := s.Load(t.Context(), renewed) // which has something to record
	reused, reuse := s.Load(t.Context(), old)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	for what, err := range failed {
		isOutage(t, what, path, err)
	}
	if loaded != nil {
		t.Errorf("Load while the disk is full: %v", loaded)
	}
	if reused != nil {
		t.Errorf("a reused token opens the session while its end cannot be recorded")
	}
	isOutage(t, "Load with a reused token", path, reuse)
	if presented != nil {
		t.Errorf("Load of a renewed token while the disk is full: %v", presented)
	}
	works(t, s, key)
}

// replaced stores a session, and returns its key with a token that the browser has long
// had another one for.
func replaced(t *testing.T, s *sqlitestore.Store) runtime.Key {
	t.Helper()
	key, record := session(1)
	key.ID[14]++
	if err := s.Create(t.Context(), key, record); err != nil {
		t.Fatal(err)
	}
	d := &runtime.Delta{Renewal: &runtime.Renewal{Proof: runtime.Proof{9}}}
	if _, err := s.Update(t.Context(), key, d); err != nil {
		t.Fatal(err)
	}
	current := key
	current.Proof = d.Renewal.Proof
	if _, err := s.Load(t.Context(), current); err != nil {
		t.Fatal(err)
	}
	key.Now = key.Now.Add(time.Minute)
	return key
}

// TestDamagedPagesTakeOnlyWhatIsOnThem overwrites a part of the file while
// nobody has it open.
func TestDamagedPagesTakeOnlyWhatIsOnThem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	const sessions = 2000
	s := open(t, path)
	for n := range uint64(sessions) {
		key, record := numbered(n)
		if err := s.Create(t.Context(), key, record); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	const page = 4096
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(stored, fmt.Appendf(nil, "visitor-%d", sessions/2))
	if at < 0 {
		t.Fatal("the file does not have the session")
	}
	if _, err := file.WriteAt([]byte(strings.Repeat("\xa5", page)), int64(at/page*page)); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	lost := 0
	for n := range uint64(sessions) {
		key, record := numbered(n)
		r, err := s.Load(t.Context(), key)
		if err != nil {
			isOutage(t, "Load", path, err)
			lost++
		} else if !r.Entries.Equal(record.Entries) {
			t.Errorf("session %d has become %+v", n, r.Entries)
		}
	}
	if lost == 0 || lost > 100 {
		t.Errorf("one page of the file took %d of %d sessions, want those that were on it", lost, sessions)
	}
	t.Logf("%d of %d sessions were on the page", lost, sessions)
}

func TestOpenSaysThatItMayNotWrite(t *testing.T) {
	readOnlyFile, readOnlyDir := t.TempDir(), t.TempDir()
	for _, dir := range []string{readOnlyFile, readOnlyDir} {
		s, _ := stored(t, filepath.Join(dir, "sessions.db"))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range map[string]os.FileMode{
		filepath.Join(readOnlyFile, "sessions.db"): 0o444,
		readOnlyFile: 0o777,
		filepath.Join(readOnlyDir, "sessions.db"): 0o666,
		readOnlyDir:                0o555,
		filepath.Dir(readOnlyFile): 0o755,
		filepath.Dir(readOnlyDir):  0o755,
	} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(readOnlyDir, 0o700) }) // else nobody but root can remove it
	defer asNobody(t)()
	for what, dir := range map[string]string{"a file to read": readOnlyFile, "a folder to read": readOnlyDir} {
		path := filepath.Join(dir, "sessions.db")
		s, err := sqlitestore.Open(context.Background(), path)
		if err == nil {
			s.Close()
		}
		isOutage(t, what, path, err)
		t.Log(err)
	}
}

// asNobody lets root be refused what it would be allowed, on this thread.
func asNobody(t *testing.T) (end func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		return func() {}
	}
	const nobody = 65534
	goruntime.LockOSThread()
	if err := syscall.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = syscall.Setfsuid(0)
		goruntime.UnlockOSThread()
	}
}
