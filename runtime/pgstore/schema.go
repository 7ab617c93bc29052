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
const schemaVersion = 2

// schemaLock is an advisory lock: two programs that make the tables at once would
// disturb each other.
const schemaLock = 0x6475636b67656e // "duckgen"

// Error codes of Postgres.
const (
	undefinedFunction     = "42883"
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
	version, err := storedVersion(ctx, conn)
	if err == nil && version < schemaVersion {
		err = makeSchema(ctx, conn)
	}
	switch {
	case err != nil:
		return "", err
	case version > schemaVersion:
		return "", fmt.Errorf("the tables are of version %d, and this program knows only up to %d: update it", version, schemaVersion)
	}
	err = conn.QueryRow(ctx, "SELECT 'duckgen_' || 'duckgen_sessions'::regclass::oid").Scan(&channel)
	return channel, err
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
		return fmt.Errorf("the tables are missing, and this user may not make them: "+
			"let one who may run the statements of pgstore.Schema: %w", err)
	}
	return err
}

func hasCode(err error, code string) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && failure.Code == code
}
