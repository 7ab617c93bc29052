package sqlitestore

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/duckgen/duckgen/runtime"
)

func TestLoadsRunBesideEachOther(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "sessions.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	beside := 0
	load := func(*sqlite.Conn) error { return nil }
	for range readerCount {
		inner := load
		load = func(*sqlite.Conn) error { beside++; return s.read(ctx, inner) }
	}
	if err := load(nil); err != nil || beside != 4 {
		t.Errorf("%d loads beside each other, want 4: %v", beside, err)
	}
}

func TestEveryModeMustBeSet(t *testing.T) {
	for path, want := range map[string]string{
		":memory:":                           `"memory"`,    // has no WAL, which is no error of SQLite
		filepath.Join(t.TempDir(), "any.db"): "transaction", // has one already
	} {
		conn, err := sqlite.OpenConn(path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := sqlitex.ExecuteTransient(conn, "BEGIN", nil); err != nil {
			t.Fatal(err)
		}
		if err := prepare(t.Context(), conn); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %s", path, err, want)
		}
	}
}

func TestClosingReturnsTheErrorOfEveryConnection(t *testing.T) {
	p := newPool(1)
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "sessions.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := p.open(t.Context(), s.path); err != nil {
		t.Fatal(err)
	}
	conn := <-p.idle
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	p.idle <- conn
	if err := p.close(); err == nil {
		t.Error("a connection that was closed before is closed without an error")
	}
	conn = <-s.writer.idle
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	s.writer.idle <- conn
	if err := s.Close(); err == nil {
		t.Error("a store whose connection was closed before is closed without an error")
	}
}

// What a load has read may have ended before it comes to record that.
func TestALoadThatRecordsAnswersWhatIsStoredThen(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "sessions.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	key := runtime.Key{ID: runtime.ID{1}, Now: time.Now()}
	if _, err := s.loadAndRecord(t.Context(), key, &runtime.Record{}, nil); !errors.Is(err, runtime.ErrNotFound) {
		t.Errorf("%v, want %v", err, runtime.ErrNotFound)
	}
}

func TestAStatementThatCannotBePreparedIsAnError(t *testing.T) {
	conn, err := sqlite.OpenConn(":memory:") // without tables
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, selected := selectRecord(conn, runtime.ID{})
	_, swept := sweepSome(conn, time.Now(), 1)
	_, watched := lastChange(conn)
	for name, err := range map[string]error{"select": selected, "sweep": swept, "watch": watched} {
		if err == nil || !strings.Contains(err.Error(), "no such table") {
			t.Errorf("%s: %v, want that there is no such table", name, err)
		}
	}
}

// Nobody who reads or writes when the store is closed takes that for done.
func TestWhoWaitsForAConnectionWhenTheStoreIsClosedHearsOfIt(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "sessions.db"))
	if err != nil {
		t.Fatal(err)
	}
	lent := <-s.writer.idle
	ctx := waiting{t.Context(), make(chan struct{})}
	written, closed := make(chan error, 1), make(chan error, 1)
	go func() {
		written <- s.write(ctx, func(*sqlite.Conn) error { return nil })
	}()
	<-ctx.waits
	go func() { closed <- s.Close() }()
	if err := <-written; !errors.Is(err, runtime.ErrClosed) {
		t.Errorf("a write that waits: %v, want %v", err, runtime.ErrClosed)
	}
	s.writer.idle <- lent
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
}

// A waiting context says once when somebody waits for its end.
type waiting struct {
	context.Context
	waits chan struct{}
}

func (w waiting) Done() <-chan struct{} {
	close(w.waits)
	return w.Context.Done()
}

func TestNothingIsWrittenOutsideATransaction(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "sessions.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.lend(t.Context(), &s.writer, func(conn *sqlite.Conn) error {
		end, err := sqlitex.ImmediateTransaction(conn)
		if err != nil {
			return err
		}
		defer end(&err)
		return inTransaction(func(*sqlite.Conn) error {
			t.Error("it is, where none can begin")
			return nil
		})(conn)
	})
	if err == nil || !strings.Contains(err.Error(), "transaction") {
		t.Errorf("%v, want that no transaction can begin", err)
	}
}
