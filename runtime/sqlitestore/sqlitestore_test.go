package sqlitestore_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/sqlitestore"
	"github.com/duckgen/duckgen/runtime/storetest"
)

// open opens a store on a file, and closes it at the end of the test.
func open(t *testing.T, path string) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

var history = flag.Int("history", 0, "how many operations the contract records; 0: as the tier says")

func historyLength() int {
	if *history != 0 {
		return *history
	}
	return testtier.Count(10_000, 1000, 10_000)
}

func TestContract(t *testing.T) {
	t.Parallel() // it waits for the disk
	storetest.Run(t,
		func(t *testing.T) runtime.Store { return open(t, filepath.Join(t.TempDir(), "sessions.db")) },
		storetest.WithReopen(func(t *testing.T, data string) runtime.Store {
			return open(t, filepath.Join(data, "sessions.db"))
		}),
		storetest.WithHistory(historyLength()), storetest.WithRounds(testtier.Rounds()))
}

// A session is what these tests store.
func session(n byte) (runtime.Key, *runtime.Record) {
	now := time.UnixMilli(1_790_000_000_000).UTC()
	key := runtime.Key{ID: runtime.ID{n}, Proof: runtime.Proof{n}, Now: now}
	return key, &runtime.Record{
		Kind:     "example.com/shop.Visitor",
		Proof:    key.Proof,
		Created:  now,
		Renewed:  now,
		Deadline: now.Add(time.Hour),
		Expires:  now.Add(time.Hour),
		Entries:  runtime.NewEntries(runtime.Entry{Key: "theme", Value: "dark"}),
	}
}

func TestSessionsOutliveTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	key, record := session(1)
	first, err := sqlitestore.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Create(t.Context(), key, record); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	loaded, err := open(t, path).Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(record, loaded); diff != "" {
		t.Errorf("the record changed (-stored +loaded):\n%s", diff)
	}
}

func TestTheFileIsForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path)
	key, record := session(1)
	if err := s.Create(t.Context(), key, record); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o, want 600", filepath.Base(name), mode)
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("This is no database, however long it is.\n"+strings.Repeat("x", 4096)), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, path := range map[string]string{
		"a missing folder": filepath.Join(t.TempDir(), "missing", "sessions.db"),
		"another file":     text,
	} {
		_, err := sqlitestore.Open(t.Context(), path)
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one that names the path", what, err)
		}
	}
}

func TestADamagedRecordIsReportedAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path)
	key, record := session(1)
	if err := s.Create(t.Context(), key, record); err != nil {
		t.Fatal(err)
	}
	damage(t, path)
	_, err := s.Load(t.Context(), key)
	if err == nil || errors.Is(err, runtime.ErrNotFound) || !strings.Contains(err.Error(), key.ID.String()) {
		t.Errorf("Load: %v, want an error that names the session and is not ErrNotFound", err)
	}
	if _, err := s.Update(t.Context(), key, &runtime.Delta{}); err == nil {
		t.Error("Update changed a record that it could not read")
	}
	if err := s.Create(t.Context(), key, record); err == nil {
		t.Error("Create overwrote a record that it could not read")
	}
}

// TestNoDamageIsTakenForAnEnd: a byte of the times or of the proof may change,
// too.
func TestNoDamageIsTakenForAnEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path)
	key, record := session(1)
	if err := s.Create(t.Context(), key, record); err != nil {
		t.Fatal(err)
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	packed := storedBytes(t, conn)
	for i := range packed {
		damaged := bytes.Clone(packed)
		damaged[i] ^= 1 << (i % 8)
		storeBytes(t, conn, damaged)
		_, err := s.Load(t.Context(), key)
		if err == nil || errors.Is(err, runtime.ErrNotFound) || !strings.Contains(err.Error(), key.ID.String()) {
			t.Errorf("Load with byte %d changed: %v, want an error that names the session and is not ErrNotFound", i, err)
		}
	}
	storeBytes(t, conn, packed)
	if _, err := s.Load(t.Context(), key); err != nil {
		t.Errorf("Load of the whole record: %v", err)
	}
}

func TestARecordOfAnotherLayoutIsNamedAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path)
	key, record := session(1)
	if err := s.Create(t.Context(), key, record); err != nil {
		t.Fatal(err)
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	packed := storedBytes(t, conn)
	packed = packed[:len(packed)-crc32.Size]
	packed[0]--
	packed = binary.BigEndian.AppendUint32(packed, crc32.Checksum(packed, crc32.MakeTable(crc32.Castagnoli)))
	storeBytes(t, conn, packed)
	if _, err := s.Load(t.Context(), key); err == nil || !strings.Contains(err.Error(), "layout 3") {
		t.Errorf("Load: %v, want an error that names the layout", err)
	}
	if _, err := s.Update(t.Context(), key, &runtime.Delta{}); err == nil || !bytes.Equal(storedBytes(t, conn), packed) {
		t.Errorf("Update: %v, and the record must be as it was", err)
	}
}

func storedBytes(t testing.TB, conn *sqlite.Conn) (packed []byte) {
	t.Helper()
	err := sqlitex.ExecuteTransient(conn, "SELECT record FROM duckgen_sessions", &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			packed = make([]byte, stmt.ColumnLen(0))
			stmt.ColumnBytes(0, packed)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func storeBytes(t *testing.T, conn *sqlite.Conn, packed []byte) {
	t.Helper()
	err := sqlitex.ExecuteTransient(conn, "UPDATE duckgen_sessions SET record = ?", &sqlitex.ExecOptions{Args: []any{packed}})
	if err != nil {
		t.Fatal(err)
	}
}

// damage cuts every record in the file.
func damage(t *testing.T, path string) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := sqlitex.ExecuteTransient(conn, "UPDATE duckgen_sessions SET record = substr(record, 1, 20)", nil); err != nil {
		t.Fatal(err)
	}
}

func FuzzUnpackedRecords(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "sessions.db")
	s, err := sqlitestore.Open(f.Context(), path)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { conn.Close() })
	key, record := session(1)
	if err := s.Create(f.Context(), key, record); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{})
	f.Add([]byte{2, 255, 255, 255, 255, 15})
	f.Add(append([]byte{2, 1, 'k'}, make([]byte, 64)...))
	f.Add(append([]byte{3, 1, 'k'}, make([]byte, 64)...))
	whole := storedBytes(f, conn)
	f.Add(whole[:len(whole)-crc32.Size])
	f.Fuzz(func(t *testing.T, stored []byte) {
		sum := crc32.Checksum(stored, crc32.MakeTable(crc32.Castagnoli))
		stored = binary.BigEndian.AppendUint32(stored, sum) // the rest is to be read, too
		err := sqlitex.ExecuteTransient(conn, "UPDATE duckgen_sessions SET record = ?",
			&sqlitex.ExecOptions{Args: []any{stored}})
		if err != nil {
			t.Skip(err)
		}
		if r, err := s.Load(t.Context(), key); err == nil && r.Proof != key.Proof {
			t.Errorf("loaded a record of another proof: %+v", r)
		}
	})
}
