package pgstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed schema.sql
var schema string

// schemaVersion is what duckgen_schema_version in schema.sql returns.
const schemaVersion = 3

// schemaLock is an advisory lock: two programs that make the tables at once would
// disturb each other.
const schemaLock = 0x6475636b67656e // "duckgen"

// Error codes of Postgres.
const (
	undefinedFunction     = "42883"
	undefinedTable        = "42P01"
	insufficientPrivilege = "42501"
)

// Schema returns the SQL statements that make the tables and functions, for
// those who do it in migrations of their own. Open and New then make nothing.
// Running them again changes nothing.
func Schema() string { return schema }

// prepare makes the tables where they are missing, and returns the channel on
// which their changes are told.
func prepare(ctx context.Context, pool *pgxpool.Pool) (channel string, err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Release()
	if err := checkSession(ctx, conn); err != nil {
		return "", err
	}
	version, err := storedVersion(ctx, conn)
	switch {
	case err != nil:
		return "", err
	case version == 0:
		if err := makeSchema(ctx, conn); err != nil {
			return "", err
		}
	case version < schemaVersion:
		return "", fmt.Errorf("the tables are of version %d, and this program needs version %d: "+
			"drop the tables whose names begin with duckgen_, which ends all sessions, and the functions", version, schemaVersion)
	case version > schemaVersion:
		return "", fmt.Errorf("the tables are of version %d, and this program knows only up to %d: update it", version, schemaVersion)
	}
	return checkTables(ctx, conn)
}

// checkSession refuses what would go wrong only later, and then without a reason
// that anybody understands.
func checkSession(ctx context.Context, conn *pgxpool.Conn) error {
	var isolation string
	var readOnly bool
	err := conn.QueryRow(ctx, "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')::boolean").
		Scan(&isolation, &readOnly)
	switch {
	case err != nil:
		return err
	case readOnly:
		return errors.New("the server takes no writes here: it is a standby, or default_transaction_read_only is on")
	case isolation != "read committed":
		return fmt.Errorf("default_transaction_isolation is %q, and must be \"read committed\"", isolation)
	}
	return nil
}

// checkTables returns the channel of the tables, if the program may use them.
func checkTables(ctx context.Context, conn *pgxpool.Conn) (channel string, err error) {
	var user, denied string
	err = conn.QueryRow(ctx, `SELECT 'duckgen_' || 'duckgen_sessions'::regclass::oid, current_user,
			coalesce(string_agg(privilege || ' ON ' || name, ', '), '')
		FROM (VALUES ('duckgen_sessions'), ('duckgen_index'), ('duckgen_revocations')) AS t (name),
			(VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) AS p (privilege)
		WHERE NOT has_table_privilege(name, privilege)`).Scan(&channel, &user, &denied)
	switch {
	case hasCode(err, undefinedTable):
		return "", fmt.Errorf("the functions are there, but not all tables: run the statements of pgstore.Schema: %w", err)
	case err != nil:
		return "", err
	case denied != "":
		return "", fmt.Errorf("the user %s lacks the right to %s: grant it", user, denied)
	}
	return channel, nil
}

// storedVersion returns the version of the tables, 0 where there are none.
func storedVersion(ctx context.Context, conn *pgxpool.Conn) (version int, err error) {
	err = conn.QueryRow(ctx, "SELECT duckgen_schema_version()").Scan(&version)
	if hasCode(err, undefinedFunction) {
		return 0, nil
	}
	return version, err
}

func makeSchema(ctx context.Context, conn *pgxpool.Conn) error {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(schemaLock)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, schema)
		return err
	})
	if hasCode(err, insufficientPrivilege) {
		return fmt.Errorf("the tables are missing, or not in the search_path, and this user may not make them: "+
			"let one who may run the statements of pgstore.Schema: %w", err)
	}
	return err
}

func hasCode(err error, code string) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && failure.Code == code
}
