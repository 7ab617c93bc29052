package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/duckgen/duckgen/runtime/pgstore/pgschema"
)

// schemaLock is an advisory lock: two programs that make the tables at once would
// disturb each other.
const schemaLock = 0x6475636b67656e // "duckgen"

// Error codes of Postgres.
const (
	undefinedTable        = "42P01"
	insufficientPrivilege = "42501"
	readOnlyTransaction   = "25006"
	serializationFailure  = "40001"
)

// Schema returns the SQL statements that make the tables and functions, for
// those who do it in migrations of their own. Open and New then make nothing.
// Running them again changes nothing.
func Schema() string { return pgschema.SQL }

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
	case version < pgschema.Version:
		return "", fmt.Errorf("the tables are of version %d, and this program needs version %d: "+
			"drop the tables whose names begin with duckgen_, which ends all sessions, and the functions", version, pgschema.Version)
	case version > pgschema.Version:
		return "", fmt.Errorf("the tables are of version %d, and this program knows only up to %d: update it", version, pgschema.Version)
	}
	if channel, err = checkTables(ctx, conn); err != nil {
		return "", err
	}
	return channel, checkOwners(ctx, conn)
}

// checkSession refuses what would go wrong only later, and then without a reason
// that anybody understands.
func checkSession(ctx context.Context, conn *pgxpool.Conn) error {
	var isolation, encoding string
	var readOnly bool
	err := conn.QueryRow(ctx, "SELECT current_setting('transaction_isolation'), current_setting('server_encoding'), "+
		"current_setting('transaction_read_only')::boolean").Scan(&isolation, &encoding, &readOnly)
	switch {
	case err != nil:
		return err
	case readOnly:
		return errReadOnly
	case isolation != "read committed":
		return fmt.Errorf("%w: it is %q", errIsolation, isolation)
	case encoding != "UTF8":
		return fmt.Errorf("the encoding of the database is %s, and must be UTF8: other encodings cannot store every text", encoding)
	}
	return nil
}

// What a server may be set to, also later, when it refuses statements without a
// reason that anybody understands.
var (
	errReadOnly  = errors.New("the server takes no writes here: it is a standby, or default_transaction_read_only is on")
	errIsolation = errors.New("default_transaction_isolation must be \"read committed\"")
)

// reasoned adds the reason to the error of a statement.
func reasoned(err error) error {
	switch {
	case hasCode(err, readOnlyTransaction):
		return fmt.Errorf("%w: %w", errReadOnly, err)
	case hasCode(err, serializationFailure):
		return fmt.Errorf("%w: %w", errIsolation, err)
	default:
		return err
	}
}

// checkOwners refuses what belongs to somebody else, or where others may make things:
// whoever owns a table or a function, or adds an operator beside it, could read all
// sessions and run what he likes with the rights of the program.
func checkOwners(ctx context.Context, conn *pgxpool.Conn) error {
	var untrusted, schema string
	err := conn.QueryRow(ctx, `WITH trusted AS (
			SELECT oid FROM pg_roles WHERE rolsuper OR rolname IN (current_user, 'pg_database_owner')
				OR NOT current_setting('is_superuser')::boolean AND pg_has_role(oid, 'MEMBER')
			UNION SELECT datdba FROM pg_database WHERE datname = current_database()),
		here AS (
			SELECT n.oid, n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl
			FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = 'duckgen_sessions'::regclass),
		owned (thing, owner) AS (
			SELECT 'the schema belongs to', nspowner FROM here
			UNION ALL SELECT 'the table ' || relname || ' belongs to', relowner FROM pg_class, here
			WHERE relnamespace = here.oid AND relname LIKE 'duckgen\_%'
			UNION ALL SELECT 'the function ' || proname || ' belongs to', proowner FROM pg_proc, here
			WHERE pronamespace = here.oid AND proname LIKE 'duckgen\_%'
			UNION ALL SELECT 'the operator ' || oprname || ' belongs to', oprowner FROM pg_operator, here WHERE oprnamespace = here.oid
			UNION ALL SELECT 'things may be made there by', a.grantee FROM here, aclexplode(here.acl) AS a WHERE a.privilege_type = 'CREATE')
		SELECT coalesce(string_agg(DISTINCT thing || ' ' || CASE owner WHEN 0 THEN 'everybody' ELSE pg_get_userbyid(owner)::text END, ', '), ''),
			(SELECT oid::regnamespace::text FROM here)
		FROM owned WHERE owner NOT IN (SELECT oid FROM trusted)`).Scan(&untrusted, &schema)
	if err != nil || untrusted == "" {
		return err
	}
	return fmt.Errorf("in the schema %s %s: only the user of the program, the owner of the database and superusers "+
		"may own and make what is in it, or whoever can could read all sessions", schema, untrusted)
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

// storedVersion returns the version of the tables, 0 where there are none. It looks
// first, because a call of a function that is missing is an error in the server's log.
func storedVersion(ctx context.Context, conn *pgxpool.Conn) (version int, err error) {
	var made bool
	err = conn.QueryRow(ctx, "SELECT to_regprocedure('duckgen_schema_version()') IS NOT NULL").Scan(&made)
	if err == nil && made {
		err = conn.QueryRow(ctx, "SELECT duckgen_schema_version()").Scan(&version)
	}
	return version, err
}

func makeSchema(ctx context.Context, conn *pgxpool.Conn) error {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(schemaLock)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, pgschema.SQL)
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
