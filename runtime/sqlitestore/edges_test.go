package sqlitestore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/sqlitestore"
)

// SQLite before 3.51.3 can damage a database in WAL mode when two connections
// write and checkpoint at once (3.44.6 and 3.50.7 have the mend, too).
func TestEngineDoesNotDamageWAL(t *testing.T) {
	conn, err := sqlite.OpenConn(filepath.Join(t.TempDir(), "any.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	version, err := sqlitex.ResultText(conn.Prep("SELECT sqlite_version()"))
	if err != nil {
		t.Fatal(err)
	}
	number := 0
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			t.Fatal(err)
		}
		number = number*1000 + n
	}
	if number < 3_051_003 {
		t.Errorf("the engine is SQLite %s", version)
	}
}

func TestOpenWantsAFile(t *testing.T) {
	for _, path := range []string{"", ":memory:", "file:sessions.db?mode=memory"} {
		s, err := sqlitestore.Open(t.Context(), path)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "memstore") {
			t.Errorf("Open(%q) = %v, want an error that names memstore", path, err)
		}
	}
}

func TestOpenRefusesTablesOfAnotherLayout(t *testing.T) {
	for name, script := range map[string]string{
		"an earlier one": "DROP TABLE duckgen_layout",
		"a later one":    "UPDATE duckgen_layout SET layout = 99",
	} {
		path := filepath.Join(t.TempDir(), "sessions.db")
		s := open(t, path)
		s.Close()
		change(t, path, script)
		if s, err := sqlitestore.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "layout") || strings.Count(err.Error(), "sqlitestore") != 1 {
			s.Close()
			t.Errorf("%s: %v, want an error that names the layouts, and the store once", name, err)
		}
	}
}

// change executes a statement on the file.
func change(t *testing.T, path, statement string) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	execute(t, conn, statement)
}

// S2: every other session of the user ends, and the error names the damaged one.
func TestS2ADamagedRecordHindersNoRevocation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path)
	v := runtime.IndexValue{Field: "user_id", Value: "7"}
	var keys []runtime.Key
	for n := range byte(3) {
		key, r := session(n + 1)
		v.Kind = r.Kind
		r.Entries = runtime.NewEntries(runtime.Entry{Key: v.Field, Kind: runtime.IndexedEntry, Value: v.Value})
		if err := s.Create(t.Context(), key, r); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	change(t, path, "UPDATE duckgen_sessions SET record = x'03' WHERE id = x'"+keys[1].ID.String()+"'")
	n, err := s.Revoke(t.Context(), v, keys[0].Now)
	if n != 2 || !errors.Is(err, runtime.ErrDamaged) || !strings.Contains(err.Error(), keys[1].ID.String()) {
		t.Errorf("Revoke = %d, %v, want 2 and the damaged one's name", n, err)
	}
	for _, key := range []runtime.Key{keys[0], keys[2]} {
		if _, err := s.Load(t.Context(), key); !errors.Is(err, runtime.ErrNotFound) {
			t.Errorf("Load of a revoked session: %v", err)
		}
	}
	if _, err := s.Load(t.Context(), keys[1]); !errors.Is(err, runtime.ErrDamaged) {
		t.Errorf("Load of the damaged one: %v", err)
	}
}

func TestAFileThatOthersCanReadIsAWarning(t *testing.T) {
	if goruntime.GOOS == "windows" {
		t.Skip("files have no modes")
	}
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path)
	if found := s.Warnings(); len(found) != 0 {
		t.Errorf("a new file: %v", found)
	}
	s.Close()
	for mode, want := range map[os.FileMode]int{0o600: 0, 0o700: 0, 0o604: 1, 0o640: 1, 0o620: 1} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		s := open(t, path)
		found := s.Warnings()
		if len(found) != want || want == 1 && (!strings.Contains(found[0].Error(), mode.String()) || !strings.Contains(found[0].Error(), path)) {
			t.Errorf("a file of mode %v: %v", mode, found)
		}
		s.Close()
	}
}

const insertChange = "INSERT INTO duckgen_changes (number, process, at, kind, id, proof) VALUES "

// Each table refuses in turn.
func TestAStatementThatFailsUndoesTheOperation(t *testing.T) {
	for _, refused := range []string{
		"INSERT ON duckgen_sessions", "INSERT ON duckgen_index", "DELETE ON duckgen_index",
		"INSERT ON duckgen_changes", "DELETE ON duckgen_changes",
	} {
		t.Run(refused, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sessions.db")
			s := open(t, path)
			key, record := session(1)
			user := func(value string) runtime.Entry {
				return runtime.Entry{Key: "user_id", Kind: runtime.IndexedEntry, Value: value}
			}
			record.Entries = runtime.NewEntries(user("7"))
			if err := s.Create(t.Context(), key, record); err != nil {
				t.Fatal(err)
			}
			change(t, path, insertChange+"(1, 0, 0, 2, x'', x'')") // old enough to be removed
			change(t, path, "CREATE TRIGGER refuse BEFORE "+refused+" BEGIN SELECT RAISE(ABORT, 'refused'); END")
			_, err := s.Update(t.Context(), key, &runtime.Delta{
				Ops:     []runtime.Op{{Kind: runtime.OpSet, Entry: user("8")}},
				Renewal: &runtime.Renewal{Proof: runtime.Proof{9}},
			})
			if err == nil || !strings.Contains(err.Error(), "refused") {
				t.Errorf("Update: %v", err)
			}
			loaded, err := s.Load(t.Context(), key)
			if err != nil || !loaded.Entries.Equal(record.Entries) || loaded.Proof != record.Proof {
				t.Errorf("the record is %+v, %v", loaded, err)
			}
		})
	}
}

// A reader of a file without WAL keeps it as it is.
func TestOpenDemandsWAL(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path)
	s.Close()
	reader, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	execute(t, reader, "PRAGMA journal_mode = delete")
	execute(t, reader, "BEGIN")
	execute(t, reader, "SELECT layout FROM duckgen_layout")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	s, err = sqlitestore.Open(ctx, path)
	if err == nil {
		s.Close()
	}
	if !errors.Is(err, runtime.ErrRefused) {
		t.Errorf("Open while the mode cannot change: %v, want %v", err, runtime.ErrRefused)
	}
}

func TestAWatcherIsToldOfGaps(t *testing.T) {
	t.Parallel() // it waits for polls
	for name, between := range map[string][]string{
		"in the numbers": {insertChange + "(9, 0, 0, 2, x'', x'')"},
		"between polls that failed": {
			"ALTER TABLE duckgen_changes RENAME TO duckgen_hidden",
			"ALTER TABLE duckgen_hidden RENAME TO duckgen_changes",
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sessions.db")
			s := open(t, path)
			change(t, path, insertChange+"(1, 0, 0, 2, x'', x'')")
			changes := make(chan runtime.Change, 16)
			if err := s.Watch(t.Context(), func(c runtime.Change) { changes <- c }); err != nil {
				t.Fatal(err)
			}
			for i, statement := range between {
				if i > 0 {
					time.Sleep(time.Second) // several polls
				}
				change(t, path, statement)
			}
			next := func() runtime.Change {
				select {
				case got := <-changes:
					return got
				case <-time.After(10 * time.Second):
					t.Fatal("told nothing")
					return runtime.Change{}
				}
			}
			if got := next(); got.Kind != runtime.ChangesMissed {
				t.Errorf("told %+v, want that changes may have been missed", got)
			}
			change(t, path, insertChange+"((SELECT max(number) + 1 FROM duckgen_changes), 0, 0, 2, x'', x'')")
			if got := next(); got.Kind == runtime.ChangesMissed {
				t.Error("told of a gap that there is not")
			}
		})
	}
}

func TestAMissingTableIsNoEmptyOne(t *testing.T) {
	for table, operations := range map[string]map[string]func(*sqlitestore.Store) error{
		"duckgen_sessions": {
			"Load":  func(s *sqlitestore.Store) error { key, _ := session(1); _, err := s.Load(t.Context(), key); return err },
			"Sweep": func(s *sqlitestore.Store) error { _, err := s.Sweep(t.Context(), time.Now()); return err },
		},
		"duckgen_revocations": {
			"Create": func(s *sqlitestore.Store) error { key, r := session(1); return s.Create(t.Context(), key, r) },
		},
		"duckgen_changes": {
			"Watch": func(s *sqlitestore.Store) error { return s.Watch(t.Context(), func(runtime.Change) {}) },
		},
	} {
		for name, operate := range operations {
			path := filepath.Join(t.TempDir(), "sessions.db")
			s := open(t, path)
			change(t, path, "DROP TABLE "+table)
			if err := operate(s); err == nil || !strings.Contains(err.Error(), table) {
				t.Errorf("%s: %v, want an error that names %s", name, err, table)
			}
		}
	}
}

// TestRevocationsThatCannotBeReadBarEverybody: a sign-in that passes them by would come
// back after "sign out everywhere".
func TestRevocationsThatCannotBeReadBarEverybody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path)
	change(t, path, "DROP TABLE duckgen_revocations")
	change(t, path, `CREATE VIEW duckgen_revocations AS
		SELECT abs(-9223372036854775807 - 1) AS kind, '' AS field, x'' AS value, 0 AS at, x'' AS excepted`)
	key, r := session(1)
	if err := s.Create(t.Context(), key, r); err == nil || !strings.Contains(err.Error(), "overflow") {
		t.Errorf("Create: %v, want the error of the revocations", err)
	}
	if _, err := s.Load(t.Context(), key); !errors.Is(err, runtime.ErrNotFound) {
		t.Errorf("Load: %v, want %v", err, runtime.ErrNotFound)
	}
}

func TestASweepThatCannotRemoveSaysSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path)
	key, r := session(1)
	if err := s.Create(t.Context(), key, r); err != nil {
		t.Fatal(err)
	}
	change(t, path, "CREATE TRIGGER refuse BEFORE DELETE ON duckgen_sessions BEGIN SELECT RAISE(ABORT, 'refused'); END")
	if n, err := s.Sweep(t.Context(), r.Expires.Add(time.Hour)); n != 0 || err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("Sweep = %d, %v, want the error of the statement", n, err)
	}
}

// signedIn stores a session of user 7, whom v names.
func signedIn(t *testing.T, s *sqlitestore.Store) (key runtime.Key, v runtime.IndexValue) {
	t.Helper()
	key, record := session(1)
	record.Entries = runtime.NewEntries(runtime.Entry{Key: "user_id", Kind: runtime.IndexedEntry, Value: "7"})
	if err := s.Create(t.Context(), key, record); err != nil {
		t.Fatal(err)
	}
	return key, runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: "7"}
}

func TestARevocationThatLeavesNoMarkEndsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path)
	key, v := signedIn(t, s)
	change(t, path, "CREATE TRIGGER refuse BEFORE INSERT ON duckgen_revocations BEGIN SELECT RAISE(ABORT, 'refused'); END")
	if n, err := s.Revoke(t.Context(), v, key.Now); n != 0 || err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("Revoke = %d, %v, want 0 and that it was refused", n, err)
	}
	if _, err := s.Load(t.Context(), key); err != nil {
		t.Errorf("Load: %v", err)
	}
}

func TestARevocationThatCannotEndASessionSaysSo(t *testing.T) {
	for what, c := range map[string]struct{ change, says string }{
		"it cannot be read":    {"ALTER TABLE duckgen_sessions RENAME TO duckgen_hidden", "no such table"},
		"it cannot be written": {"CREATE TRIGGER refuse BEFORE INSERT ON duckgen_sessions BEGIN SELECT RAISE(ABORT, 'refused'); END", "refused"},
		"nobody can be told":   {"CREATE TRIGGER refuse BEFORE INSERT ON duckgen_changes BEGIN SELECT RAISE(ABORT, 'refused'); END", "refused"},
	} {
		path := filepath.Join(t.TempDir(), "sessions.db")
		s := open(t, path)
		key, v := signedIn(t, s)
		change(t, path, c.change)
		if n, err := s.Revoke(t.Context(), v, key.Now); n != 0 || err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: Revoke = %d, %v, want 0 and an error that says %q", what, n, err, c.says)
		}
	}
}

// TestWhatCannotBeFoundIsNotAbsent: a page that lists a user's devices would be empty.
func TestWhatCannotBeFoundIsNotAbsent(t *testing.T) {
	for _, table := range []string{"duckgen_sessions", "duckgen_index"} {
		path := filepath.Join(t.TempDir(), "sessions.db")
		s := open(t, path)
		key, v := signedIn(t, s)
		change(t, path, "ALTER TABLE "+table+" RENAME TO duckgen_hidden")
		var err error
		for _, err = range s.Find(t.Context(), v, key.Now) {
		}
		if err == nil || !strings.Contains(err.Error(), "no such table") {
			t.Errorf("Find without %s: %v, want that there is no such table", table, err)
		}
	}
}

func TestARevocationIsToldBeforeItReturns(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "sessions.db"))
	key, v := signedIn(t, s)
	told := make(chan runtime.Change, 1)
	if err := s.Watch(t.Context(), func(c runtime.Change) { told <- c }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Revoke(t.Context(), v, key.Now); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-told:
		if want := (runtime.Change{Kind: runtime.SessionEnded, ID: key.ID}); got != want {
			t.Errorf("told %+v, want %+v", got, want)
		}
	default:
		t.Error("told nothing")
	}
}
