package sqlitestore

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
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
