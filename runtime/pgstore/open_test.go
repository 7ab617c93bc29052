package pgstore_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/pgstore"
)

// password is none that the server knows.
const password = "correct-horse"

func TestOpenSaysWhatIsWrong(t *testing.T) {
	server, err := url.Parse(serverURL(t))
	if err != nil {
		t.Fatal(err)
	}
	nobody, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := nobody.Close(); err != nil {
		t.Fatal(err)
	}
	with := func(change func(*url.URL)) string {
		u := *server
		change(&u)
		return u.String()
	}
	setting := func(name, value string) string {
		return with(func(u *url.URL) {
			query := u.Query()
			query.Set(name, value)
			u.RawQuery = query.Encode()
		})
	}
	for _, c := range []struct{ what, url, says string }{
		{
			"an unreachable server",
			with(func(u *url.URL) { u.Host = nobody.Addr().String(); u.User = url.UserPassword("duckgen", password) }),
			nobody.Addr().String(),
		},
		{
			"a wrong password",
			with(func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), password) }),
			"password authentication failed",
		},
		{"a missing database", with(func(u *url.URL) { u.Path = "/missing" }), `"missing" does not exist`},
		{"a missing schema", with(func(u *url.URL) { u.RawQuery += "&search_path=missing" }), "no schema has been selected"},
		{"a wrong scheme", "mysql://duckgen:" + password + "@localhost/x", "want postgres://"},
		{"a password that is not encoded", "postgres://duckgen:" + password + "%zz@localhost/x", "want postgres://"},
		{"a password with a slash", "postgres://duckgen:/" + password + "@localhost/x", "want postgres://"},
		{"settings that cannot be read", "host=localhost password='" + password, "want postgres://"},
		{"another isolation", setting("default_transaction_isolation", "serializable"), `must be "read committed"`},
		{"a standby", setting("default_transaction_read_only", "on"), "takes no writes"},
		{"a mode without types", with(func(u *url.URL) { u.RawQuery += "&default_query_exec_mode=exec" }), "cache_describe"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err := pgstore.Open(ctx, c.url)
		cancel()
		switch {
		case err == nil:
			t.Errorf("%s: Open succeeds", c.what)
		case !strings.Contains(err.Error(), c.says):
			t.Errorf("%s: error %q, want one that says %q", c.what, err, c.says)
		case strings.Contains(err.Error(), password):
			t.Errorf("%s: the error %q holds the password", c.what, err)
		}
	}
}

// limitedUser makes a user that may use a schema but make nothing in it, and
// returns the URL of the schema for that user.
func limitedUser(t *testing.T, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	schema := u.Query().Get("search_path")
	servertest.Execute(t, server, "CREATE ROLE "+schema+" LOGIN PASSWORD '"+password+"'; GRANT USAGE ON SCHEMA "+schema+" TO "+schema)
	t.Cleanup(func() { servertest.Execute(t, server, "DROP OWNED BY "+schema+"; DROP ROLE "+schema) })
	u.User = url.UserPassword(schema, password)
	return u.String()
}

func TestOpenSaysThatTablesAreMissing(t *testing.T) {
	_, err := pgstore.Open(t.Context(), limitedUser(t, emptyURL(t)))
	if err == nil || !strings.Contains(err.Error(), "pgstore.Schema") || strings.Contains(err.Error(), password) {
		t.Errorf("Open by a user who may make no tables: %v, want an error that names pgstore.Schema", err)
	}
}

func TestTablesMayBeMadeByMigrations(t *testing.T) {
	server := emptyURL(t)
	user := limitedUser(t, server)
	servertest.Execute(t, server, pgstore.Schema())
	servertest.Execute(t, server, pgstore.Schema()) // changes nothing
	servertest.Execute(t, server, fmt.Sprintf("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %s TO %[1]s", schemaOf(t, server)))
	s := open(t, user)
	key, record := session(1, indexed("user_id", "7"))
	create(t, s, key, record)
	load(t, s, key)
	if _, err := s.Update(t.Context(), key, set(indexed("user_id", "8"))); err != nil {
		t.Error(err)
	}
	if n, err := s.Revoke(t.Context(), runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: "8"}, key.Now); n != 1 || err != nil {
		t.Errorf("Revoke = %d, %v; want 1", n, err)
	}
	if n, err := s.Sweep(t.Context(), key.Now.Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("Sweep = %d, %v; want 1", n, err)
	}
}

func TestMigrationsLeaveTablesOfAnotherVersion(t *testing.T) {
	server := emptyURL(t)
	servertest.Execute(t, server, "CREATE FUNCTION duckgen_schema_version() RETURNS integer LANGUAGE sql AS 'SELECT 2'")
	conn := connect(t, server)
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), pgstore.Schema()); err == nil || !strings.Contains(err.Error(), "of version 2") {
		t.Errorf("the statements of Schema on older tables: %v, want an error that names their version", err)
	}
	if made := table(t, server, "SELECT to_regclass('duckgen_sessions')"); made[0][0] != "" {
		t.Error("the statements of Schema have made tables beside older ones")
	}
}

func TestOpenSaysWhatIsWrongWithTheTables(t *testing.T) {
	t.Parallel()
	version := func(n string) string {
		return "CREATE OR REPLACE FUNCTION duckgen_schema_version() RETURNS integer LANGUAGE sql AS 'SELECT " + n + "'"
	}
	for _, c := range []struct{ what, change, says string }{
		{"tables of a newer program", version("1000"), "1000"},
		{"tables of an older program", version("1"), "of version 1"},
		{"a missing table", "DROP TABLE duckgen_index", "not all tables"},
		{"a missing right", "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA %s TO %[1]s", "lacks the right to DELETE ON duckgen_sessions"},
	} {
		t.Run(c.what, func(t *testing.T) {
			server := emptyURL(t)
			servertest.Execute(t, server, pgstore.Schema())
			user := server
			if strings.Contains(c.change, "GRANT") {
				user = limitedUser(t, server)
				c.change = fmt.Sprintf(c.change, schemaOf(t, server))
			}
			servertest.Execute(t, server, c.change)
			_, err := pgstore.Open(t.Context(), user)
			u, parseErr := url.Parse(server)
			if parseErr != nil {
				t.Fatal(parseErr)
			}
			for _, says := range []string{c.says, "pgstore " + u.Host + u.Path} {
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("Open: %v, want an error that says %q", err, says)
				}
			}
			if err != nil && strings.Contains(err.Error(), password) {
				t.Errorf("the error %q holds the password", err)
			}
		})
	}
}

// schemaOf returns the schema that a URL names.
func schemaOf(t *testing.T, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("search_path")
}

func TestModesForPoolersWork(t *testing.T) {
	for _, mode := range []string{"cache_describe", "describe_exec"} {
		t.Run(mode, func(t *testing.T) {
			s := open(t, servertest.WithSetting(t, emptyURL(t), "default_query_exec_mode", mode))
			key, record := session(1, indexed("user_id", "7"), counter("views", 3))
			create(t, s, key, record)
			d := set(entry("theme", `"dark"`))
			d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpAdd, Entry: counter("views", 1)})
			if _, err := s.Update(t.Context(), key, d); err != nil {
				t.Fatal(err)
			}
			want := runtime.NewEntries(indexed("user_id", "7"), counter("views", 4), entry("theme", `"dark"`))
			if got := load(t, s, key).Entries; !got.Equal(want) {
				t.Errorf("the record has %+v, want %+v", got, want)
			}
			user := runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: "7"}
			if n, err := s.Revoke(t.Context(), user, key.Now); n != 1 || err != nil {
				t.Errorf("Revoke = %d, %v; want 1", n, err)
			}
		})
	}
}

func TestProgramsThatStartTogetherMakeTheTablesOnce(t *testing.T) {
	server := emptyURL(t)
	const programs = 8
	errs := make(chan error, programs)
	for range programs {
		go func() {
			s, err := pgstore.Open(t.Context(), server)
			if err == nil {
				err = s.Close()
			}
			errs <- err
		}()
	}
	for range programs {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestCloseLeavesTheCallersPoolOpen(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), emptyURL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	s, err := pgstore.New(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if err := pool.Ping(t.Context()); err != nil {
		t.Errorf("the pool after Close of the store: %v", err)
	}
}
