package sqlitestore

import (
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/duckgen/duckgen/runtime"
)

// Times are Unix milliseconds, but those of marks and changes nanoseconds.
const tables = `
	CREATE TABLE duckgen_layout (layout INTEGER NOT NULL);

	CREATE TABLE IF NOT EXISTS duckgen_sessions (
		id      BLOB PRIMARY KEY,
		expires INTEGER NOT NULL,
		record  BLOB NOT NULL
	) WITHOUT ROWID;
	CREATE INDEX IF NOT EXISTS duckgen_sessions_expires ON duckgen_sessions (expires);

	CREATE TABLE IF NOT EXISTS duckgen_index (
		kind  TEXT NOT NULL,
		field TEXT NOT NULL,
		value BLOB NOT NULL,
		id    BLOB NOT NULL,
		PRIMARY KEY (kind, field, value, id)
	) WITHOUT ROWID;

	CREATE TABLE IF NOT EXISTS duckgen_revocations (
		kind     TEXT NOT NULL,
		field    TEXT NOT NULL,
		value    BLOB NOT NULL,
		at       INTEGER NOT NULL,
		excepted BLOB NOT NULL,
		PRIMARY KEY (kind, field, value, at, excepted)
	) WITHOUT ROWID;

	CREATE TABLE IF NOT EXISTS duckgen_changes (
		number  INTEGER PRIMARY KEY AUTOINCREMENT,
		process INTEGER NOT NULL,
		at      INTEGER NOT NULL,
		kind    INTEGER NOT NULL,
		id      BLOB NOT NULL,
		proof   BLOB NOT NULL
	);`

// tablesLayout is the form of the tables. A file with another one is refused.
const tablesLayout = 5

func makeTables(conn *sqlite.Conn) error {
	stored, err := storedLayout(conn)
	switch {
	case err != nil:
		return err
	case stored == tablesLayout:
		return nil
	case stored != 0:
		return fmt.Errorf("the file has tables of layout %d, and this program reads layout %d alone: "+
			"let the sessions end with the program that made them, or name another file", stored, tablesLayout)
	}
	if err := sqlitex.ExecuteScript(conn, tables, nil); err != nil {
		return err
	}
	return run(conn, "INSERT INTO duckgen_layout (layout) VALUES (?)", int64(tablesLayout))
}

// storedLayout returns the layout of the tables in the file, 0 if it has none. Those
// that do not say are of the layouts before.
func storedLayout(conn *sqlite.Conn) (layout int, err error) {
	exists := func(table string) (found bool) {
		if err == nil {
			err = sqlitex.Execute(conn, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", &sqlitex.ExecOptions{
				Args:       []any{table},
				ResultFunc: func(*sqlite.Stmt) error { found = true; return nil },
			})
		}
		return found
	}
	switch {
	case exists("duckgen_layout"):
		err = sqlitex.Execute(conn, "SELECT layout FROM duckgen_layout", &sqlitex.ExecOptions{
			ResultFunc: func(stmt *sqlite.Stmt) error { layout = stmt.ColumnInt(0); return nil },
		})
	case exists("duckgen_sessions"):
		layout = tablesLayout - 1
	}
	return layout, err
}

// selectRecord returns the stored record, nil where there is none.
func selectRecord(conn *sqlite.Conn, id runtime.ID) (*runtime.Record, error) {
	stmt, err := conn.Prepare("SELECT record FROM duckgen_sessions WHERE id = ?")
	if err != nil {
		return nil, err
	}
	stmt.BindBytes(1, id[:])
	found, err := stmt.Step()
	if err != nil || !found {
		return nil, err
	}
	packed := make([]byte, stmt.ColumnLen(0))
	stmt.ColumnBytes(0, packed)
	if err := stmt.Reset(); err != nil {
		return nil, err
	}
	r, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("session %s: %w", id, err)
	}
	return r, nil
}

// replace stores the record in place of old, and moves it in the index.
func replace(conn *sqlite.Conn, id runtime.ID, old, next *runtime.Record) error {
	err := run(conn, "INSERT OR REPLACE INTO duckgen_sessions (id, expires, record) VALUES (?, ?, ?)",
		id[:], next.Expires.UnixMilli(), pack(next))
	if err != nil {
		return err
	}
	return moveIndex(conn, id, old, next)
}

// moveIndex makes the index of one session what its record says. A nil record
// has no values.
func moveIndex(conn *sqlite.Conn, id runtime.ID, old, next *runtime.Record) error {
	for v := range old.IndexValues(next) {
		err := run(conn, "DELETE FROM duckgen_index WHERE kind = ? AND field = ? AND value = ? AND id = ?",
			v.Kind, v.Field, []byte(v.Value), id[:])
		if err != nil {
			return err
		}
	}
	for v := range next.IndexValues(old) {
		err := run(conn, "INSERT OR IGNORE INTO duckgen_index (kind, field, value, id) VALUES (?, ?, ?, ?)",
			v.Kind, v.Field, []byte(v.Value), id[:])
		if err != nil {
			return err
		}
	}
	return nil
}

// run executes a statement that returns no rows. Arguments are int64, string or
// []byte.
func run(conn *sqlite.Conn, query string, args ...any) error {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return err
	}
	for i, arg := range args {
		switch arg := arg.(type) {
		case int64:
			stmt.BindInt64(i+1, arg)
		case string:
			stmt.BindText(i+1, arg)
		case []byte:
			bindBlob(stmt, i+1, arg)
		}
	}
	_, err = stmt.Step()
	return err
}

// bindBlob binds an empty blob as such, not as NULL.
func bindBlob(stmt *sqlite.Stmt, param int, b []byte) {
	if len(b) == 0 {
		stmt.BindZeroBlob(param, 0)
		return
	}
	stmt.BindBytes(param, b)
}

// columnIDs collects the ids that a bound statement yields.
func columnIDs(stmt *sqlite.Stmt) (ids []runtime.ID, err error) {
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return ids, err
		}
		var id runtime.ID
		stmt.ColumnBytes(0, id[:])
		ids = append(ids, id)
	}
}
