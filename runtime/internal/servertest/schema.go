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
	name := fmt.Sprintf("duckgen_test_%d_%d", os.Getpid(), schemas.Add(1))
	p.execute(t, "CREATE SCHEMA "+name)
	t.Cleanup(func() { p.execute(t, "SET client_min_messages = warning; DROP SCHEMA "+name+" CASCADE") })
	u, err := url.Parse(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	settings := u.Query()
	settings.Set("search_path", name)
	u.RawQuery = settings.Encode()
	return u.String()
}

func (p *Postgres) execute(t testing.TB, statements string) {
	t.Helper()
	ctx := context.Background() // t.Context is over when the schema goes
	conn, err := pgx.Connect(ctx, p.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statements); err != nil {
		t.Fatal(err)
	}
}
