package mysqlstore_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/mysqlstore"
)

// password is none that the server knows.
const password = "correct-horse"

func parsed(t testing.TB, dsn string) *mysql.Config {
	t.Helper()
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dsn := emptyDSN(t)
	nobody, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := nobody.Close(); err != nil {
		t.Fatal(err)
	}
	with := func(change func(*mysql.Config)) string {
		config := parsed(t, dsn)
		config.Params = map[string]string{}
		change(config)
		return config.FormatDSN()
	}
	setting := func(name, value string) string {
		return with(func(c *mysql.Config) { c.Params[name] = value })
	}
	for _, c := range []struct{ what, dsn, says string }{
		{"an unreachable server", with(func(c *mysql.Config) { c.Addr, c.Passwd = nobody.Addr().String(), password }), nobody.Addr().String()},
		{"a wrong password", with(func(c *mysql.Config) { c.Passwd = password }), "Access denied"},
		{"a missing database", with(func(c *mysql.Config) { c.DBName = "missing" }), "Unknown database 'missing'"},
		{"no database", with(func(c *mysql.Config) { c.DBName = "" }), "name one behind the slash"},
		{"a URL", "mysql://duckgen:" + password + "@localhost/x", "want user:password@tcp(host:port)/database"},
		{"a password with what ends it", "duckgen:" + password + "/@tcp(localhost)", "want user:password@tcp(host:port)/database"},
		{"a mode that cuts off", setting("sql_mode", "''"), "STRICT_TRANS_TABLES"},
		{"another character set", with(func(c *mysql.Config) {
			if err := c.Apply(mysql.Charset("latin1", "latin1_bin")); err != nil {
				t.Fatal(err)
			}
		}), "must be utf8mb4"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err := mysqlstore.Open(ctx, c.dsn)
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

func TestOpenSaysWhatIsWrongWithTheServer(t *testing.T) {
	dsn := emptyDSN(t)
	open(t, dsn)
	for _, c := range []struct{ what, set, reset, says string }{
		{"a small packet", "SET GLOBAL max_allowed_packet=1048576", "SET GLOBAL max_allowed_packet=16777216", "max_allowed_packet is 1048576"},
		{"a replica", "SET GLOBAL read_only=ON", "SET GLOBAL read_only=OFF", "takes no writes"},
	} {
		t.Run(c.what, func(t *testing.T) {
			user := limitedUser(t, dsn, "SELECT, INSERT, UPDATE, DELETE")
			servertest.ExecuteMySQL(t, dsn, c.set)
			defer servertest.ExecuteMySQL(t, dsn, c.reset)
			_, err := mysqlstore.Open(t.Context(), user)
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), password) {
				t.Errorf("Open: %v, want an error that says %q", err, c.says)
			}
		})
	}
}

// limitedUser makes a user that has only some rights on a database, and returns the
// DSN for that user.
func limitedUser(t *testing.T, dsn, rights string) string {
	t.Helper()
	config := parsed(t, dsn)
	config.User, config.Passwd = config.DBName, password
	user := "'" + config.User + "'@'%'"
	servertest.ExecuteMySQL(t, dsn, "CREATE USER "+user+" IDENTIFIED BY '"+password+"'; GRANT "+rights+" ON "+config.DBName+".* TO "+user)
	t.Cleanup(func() { servertest.ExecuteMySQL(t, dsn, "DROP USER "+user) })
	return config.FormatDSN()
}

func TestOpenSaysThatTablesAreMissing(t *testing.T) {
	_, err := mysqlstore.Open(t.Context(), limitedUser(t, emptyDSN(t), "SELECT, INSERT, UPDATE, DELETE"))
	if err == nil || !strings.Contains(err.Error(), "mysqlstore.Schema") || strings.Contains(err.Error(), password) {
		t.Errorf("Open by a user who may make no tables: %v, want an error that names mysqlstore.Schema", err)
	}
}

// TestOpenSaysWhyTablesCannotBeMade: that they are missing would be no help.
func TestOpenSaysWhyTablesCannotBeMade(t *testing.T) {
	dsn := emptyDSN(t)
	servertest.ExecuteMySQL(t, dsn, "SET GLOBAL enforce_storage_engine=MyISAM")
	defer servertest.ExecuteMySQL(t, dsn, "SET GLOBAL enforce_storage_engine=NULL")
	_, err := mysqlstore.Open(t.Context(), limitedUser(t, dsn, "ALL"))
	if err == nil || !strings.Contains(err.Error(), "NO_ENGINE_SUBSTITUTION") || strings.Contains(err.Error(), "takes no writes") {
		t.Errorf("Open on a server that makes no tables with InnoDB: %v, want what the server says alone", err)
	}
}

func TestTablesMayBeMadeByMigrations(t *testing.T) {
	dsn := emptyDSN(t)
	user := limitedUser(t, dsn, "SELECT, INSERT, UPDATE, DELETE")
	servertest.ExecuteMySQL(t, dsn, mysqlstore.Schema())
	servertest.ExecuteMySQL(t, dsn, mysqlstore.Schema()) // changes nothing
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

func TestOpenSaysWhatIsWrongWithTheTables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ what, change, rights, says string }{
		{"tables of another program", "UPDATE duckgen_schema SET version=1000", "ALL", "of version 1000"},
		{"a version that is no number", "ALTER TABLE duckgen_schema MODIFY version VARCHAR(9); UPDATE duckgen_schema SET version='first'", "ALL", "first"},
		{"a missing table", "DROP TABLE duckgen_changes", "ALL", "not all tables"},
		{"a missing right", "DO 1", "SELECT, INSERT, UPDATE", "DELETE command denied"},
		{"an engine without transactions", "ALTER TABLE duckgen_changes ENGINE=MyISAM", "ALL", "must have InnoDB"},
	} {
		t.Run(c.what, func(t *testing.T) {
			dsn := emptyDSN(t)
			servertest.ExecuteMySQL(t, dsn, mysqlstore.Schema()+c.change)
			_, err := mysqlstore.Open(t.Context(), limitedUser(t, dsn, c.rights))
			config := parsed(t, dsn)
			for _, says := range []string{c.says, "mysqlstore " + config.Addr + "/" + config.DBName} {
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

func TestNewSaysThatAPoolTakesOneStatementAtATime(t *testing.T) {
	connector, err := mysql.NewConnector(parsed(t, emptyDSN(t)))
	if err != nil {
		t.Fatal(err)
	}
	db := opened(t, connector)
	if _, err := mysqlstore.New(t.Context(), db); err == nil || !strings.Contains(err.Error(), "multiStatements=true") {
		t.Errorf("New: %v, want an error that names multiStatements=true", err)
	}
}

func TestProgramsThatStartTogetherMakeTheTablesOnce(t *testing.T) {
	dsn := emptyDSN(t)
	const programs = 8
	errs := make(chan error, programs)
	for range programs {
		go func() {
			s, err := mysqlstore.Open(t.Context(), dsn)
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
	db := pool(t, emptyDSN(t))
	s, err := mysqlstore.New(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if err := db.Ping(); err != nil {
		t.Errorf("the pool after Close of the store: %v", err)
	}
}
