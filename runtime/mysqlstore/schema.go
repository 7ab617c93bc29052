package mysqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/duckgen/duckgen/runtime/mysqlstore/mysqlschema"
)

// Schema returns the SQL statements that make the tables, for those who do it in
// migrations of their own. Open and New then make nothing. Running them again changes
// nothing.
func Schema() string { return mysqlschema.SQL }

// prepare looks whether the store may work on a connection, and makes the tables where
// they are missing.
func prepare(ctx context.Context, c *sql.Conn) error {
	if err := exec(ctx, c, batchOf("DO 1;DO ?", 1)); err != nil {
		return fmt.Errorf("%w: %w", errStatements, err)
	}
	if err := checkServer(ctx, c); err != nil {
		return err
	}
	version, err := storedVersion(ctx, c)
	if err == nil && version == 0 {
		version, err = mysqlschema.Version, makeTables(ctx, c)
	}
	switch {
	case err != nil:
		return err
	case version != mysqlschema.Version:
		return fmt.Errorf("the tables are of version %d, and this program works with version %d alone: "+
			"update what is older, or drop the tables whose names begin with duckgen_, which ends all sessions", version, mysqlschema.Version)
	}
	if err := checkEngine(ctx, c); err != nil {
		return err
	}
	return rehearse(ctx, c)
}

// storedVersion returns the version of the tables, 0 where there are none.
func storedVersion(ctx context.Context, c *sql.Conn) (version int, err error) {
	err = query(ctx, c, batchOf("SELECT version FROM duckgen_schema"), func(rows *sql.Rows) error { return rows.Scan(&version) })
	if numberOf(err) == noSuchTable {
		return 0, nil
	}
	return version, err
}

func makeTables(ctx context.Context, c *sql.Conn) error {
	err := exec(ctx, c, batchOf(mysqlschema.SQL))
	switch numberOf(err) {
	case tableDenied, databaseDenied:
		return fmt.Errorf("the tables are missing, and this user may not make them: "+
			"let one who may run the statements of mysqlstore.Schema: %w", err)
	default:
		return err
	}
}

// A settings is what a server is set to.
type settings struct {
	database                          sql.NullString
	version, mode, charset, logFormat string
	logs                              bool
	packet                            int64
}

// minPacket is what a session and all that is sent with it should fit into.
const minPacket = 4 << 20

// checkServer refuses what would go wrong only later, and then without a reason that
// anybody understands.
func checkServer(ctx context.Context, c *sql.Conn) error {
	var s settings
	err := query(ctx, c, batchOf("SELECT DATABASE(),VERSION(),@@sql_mode,@@character_set_client,@@binlog_format,@@log_bin,@@max_allowed_packet"),
		func(rows *sql.Rows) error {
			return rows.Scan(&s.database, &s.version, &s.mode, &s.charset, &s.logFormat, &s.logs, &s.packet)
		})
	switch {
	case err != nil:
		return err
	case !s.database.Valid:
		return fmt.Errorf("no database is selected: name one behind the slash of the DSN")
	case !isSupported(s.version):
		return fmt.Errorf("the server is %s, and must be MySQL 8.0.16 or MariaDB 10.11 at least", s.version)
	case !strings.Contains(s.mode, "STRICT_TRANS_TABLES") && !strings.Contains(s.mode, "STRICT_ALL_TABLES"):
		return fmt.Errorf("sql_mode must have STRICT_TRANS_TABLES, or the server cuts values off: it is %q", s.mode)
	case s.charset != "utf8mb4":
		return fmt.Errorf("the connection's character set is %s, and must be utf8mb4: take charset and collation out of the DSN", s.charset)
	case s.logs && s.logFormat == "STATEMENT":
		return errStatementFormat
	case s.packet < minPacket:
		return fmt.Errorf("max_allowed_packet is %d, and must be %d at least: a session goes to the server in one", s.packet, minPacket)
	}
	return nil
}

// isSupported reports whether a server of the version has what the statements need.
func isSupported(version string) bool {
	var major, minor, patch int
	if n, _ := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); n < 3 {
		return false
	}
	if strings.Contains(version, "MariaDB") {
		return major > 10 || major == 10 && minor >= 11
	}
	return major > 8 || major == 8 && (minor > 0 || patch >= 16)
}

// checkEngine refuses tables that cannot undo what was half done.
func checkEngine(ctx context.Context, c *sql.Conn) error {
	var table, engine string
	err := query(ctx, c, batchOf("SELECT table_name,engine FROM information_schema.tables "+
		"WHERE table_schema=DATABASE() AND table_name LIKE 'duckgen\\_%' AND engine<>'InnoDB' LIMIT 1"),
		func(rows *sql.Rows) error { return rows.Scan(&table, &engine) })
	if err == nil && table != "" {
		err = fmt.Errorf("the table %s has the engine %s, and must have InnoDB: ALTER TABLE %[1]s ENGINE = InnoDB", table, engine)
	}
	return err
}

// rehearse writes nothing in every way in which the store will write, so that a missing
// right, a missing table or a server that takes no writes is found now.
func rehearse(ctx context.Context, c *sql.Conn) error {
	b := &batch{}
	for _, t := range []struct{ table, column string }{
		{"duckgen_sessions", "id"}, {"duckgen_index", "id"}, {"duckgen_revocations", "at"}, {"duckgen_changes", "at"},
	} {
		b.add("INSERT INTO " + t.table + " SELECT * FROM " + t.table + " WHERE FALSE")
		b.add("UPDATE " + t.table + " SET " + t.column + "=" + t.column + " WHERE FALSE")
		b.add("DELETE FROM " + t.table + " WHERE FALSE")
	}
	err := exec(ctx, c, b)
	switch numberOf(err) {
	case noSuchTable:
		return fmt.Errorf("not all tables are there: run the statements of mysqlstore.Schema: %w", err)
	case tableDenied:
		return fmt.Errorf("the user lacks a right: grant SELECT, INSERT, UPDATE and DELETE on the tables: %w", err)
	default:
		return err
	}
}
