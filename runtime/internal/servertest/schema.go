package servertest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

var schemas atomic.Int64

// Schema makes an empty schema for a test, and drops it at its end. It returns
// the server's URL for a store in that schema.
func (p *Postgres) Schema(t testing.TB) string {
	t.Helper()
	return Schema(t, p.URL())
}

// Schema does so on the server that has the URL.
func Schema(t testing.TB, server string) string {
	t.Helper()
	return NamedSchema(t, server, fmt.Sprintf("duckgen_test_%d_%d", os.Getpid(), schemas.Add(1)))
}

// LastingSchema makes one that goes with its server.
func (p *Postgres) LastingSchema(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("duckgen_lent_%d", schemas.Add(1))
	Execute(t, p.URL(), "CREATE SCHEMA "+name)
	return WithSetting(t, p.URL(), "search_path", name)
}

// EmptyTables empties those of pgstore. That takes less time than TRUNCATE, which makes
// all files of the tables anew.
func EmptyTables(t testing.TB, url string) {
	t.Helper()
	Execute(t, url, "DELETE FROM duckgen_sessions; DELETE FROM duckgen_index; DELETE FROM duckgen_revocations")
}

// NamedSchema does so with a schema of a name that is known to other processes,
// which may have made it.
func NamedSchema(t testing.TB, server, name string) string {
	t.Helper()
	Execute(t, server, "CREATE SCHEMA IF NOT EXISTS "+name)
	t.Cleanup(func() {
		Execute(t, server, "SET client_min_messages = warning; DROP SCHEMA IF EXISTS "+name+" CASCADE")
	})
	return WithSetting(t, server, "search_path", name)
}

// WithSetting returns the server's URL with one more setting.
func WithSetting(t testing.TB, server, setting, value string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	settings := u.Query()
	settings.Set(setting, value)
	u.RawQuery = settings.Encode()
	return u.String()
}

// Execute runs SQL statements on a connection of its own.
func Execute(t testing.TB, server, statements string) {
	t.Helper()
	ctx := context.Background() // t.Context is over when a schema goes
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statements); err != nil {
		t.Fatal(err)
	}
}
