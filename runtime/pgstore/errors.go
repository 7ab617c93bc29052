package pgstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/duckgen/duckgen/runtime"
)

// errTextMode says that pgx would send arguments without knowing their types.
var errTextMode = errors.New("default_query_exec_mode must not be exec or simple_protocol: " +
	"behind a pooler that keeps no prepared statements use cache_describe")

// databaseName says where a database is. It holds no password.
func databaseName(config *pgxpool.Config) string {
	c := config.ConnConfig
	return net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))) + "/" + c.Database
}

// wrap says which store has failed.
func (s *Store) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("pgstore %s: %w", s.name, err)
}

// errURL says nothing of the URL itself: any part of it may be the password.
var errURL = errors.New("pgstore: the URL cannot be read, want postgres://user:password@host:port/database, " +
	"with special characters in the parts percent-encoded")

// cause is why an operation has failed. What the driver says of a context that is
// over may be anything. A statement that the server answers with an error, be it
// full, read-only or out of time, has changed nothing.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	var stated *pgconn.PgError
	if errors.As(err, &stated) && stated.SeverityUnlocalized == "ERROR" {
		return fmt.Errorf("%w: %w", runtime.ErrRefused, err)
	}
	return err
}
