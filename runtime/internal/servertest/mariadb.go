package servertest

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// MySQLVariable names the environment variable with the DSN of an own server to test
// against. Its user must be allowed to make databases.
const MySQLVariable = "DUCKGEN_TEST_MYSQL"

// A MariaDB is a server on a free loopback port with its data in a temporary folder.
type MariaDB struct {
	program  string
	dir      string
	port     int
	settings []string
	server   *exec.Cmd
	ended    chan struct{} // closed when the server has ended
	out      *os.File
}

// NewMariaDB makes the data of a server, and starts it with the given settings
// (name=value) besides those that make it fast. It keeps what a killed server has
// acknowledged, but not what a crashed machine has.
func NewMariaDB(settings ...string) (*MariaDB, error) {
	program, err := mariadbProgram()
	if err != nil {
		return nil, err
	}
	m := &MariaDB{program: program, settings: settings}
	if m.dir, err = os.MkdirTemp("", "duckgen-mariadb-"); err != nil {
		return nil, err
	}
	if err = m.initialize(); err == nil {
		err = m.Start()
	}
	if err != nil {
		_ = os.RemoveAll(m.dir)
		return nil, err
	}
	return m, nil
}

// HasMariaDB returns an error where no server can be started.
func HasMariaDB() error {
	_, err := mariadbProgram()
	return err
}

// mariadbProgram returns the server. Debian does not have it in everybody's PATH.
func mariadbProgram() (string, error) {
	if testing.Short() {
		return "", ErrShort
	}
	for _, name := range []string{"mariadbd", "/usr/sbin/mariadbd"} {
		if program, err := exec.LookPath(name); err == nil {
			return program, nil
		}
	}
	return "", fmt.Errorf("%w: mariadbd", ErrNoProgram)
}

// arguments are what both programs get. The files of a new table are not flushed to the
// disk, which would take most of its time. A server that root starts stays root.
func (m *MariaDB) arguments(more ...string) []string {
	args := []string{"--no-defaults", "--datadir=" + filepath.Join(m.dir, "data"), "--debug-no-sync"}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root")
	}
	return append(args, more...)
}

func (m *MariaDB) initialize() (err error) {
	output, err := exec.Command("mariadb-install-db",
		m.arguments("--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mariadb-install-db: %w\n%s", err, output)
	}
	m.out, err = os.Create(filepath.Join(m.dir, "log"))
	return err
}

// Start starts the server, again on its port if it had one, and returns when it
// answers.
func (m *MariaDB) Start() error {
	if m.port == 0 {
		port, err := freePort()
		if err != nil {
			return err
		}
		m.port = port
	}
	args := m.arguments("--port="+strconv.Itoa(m.port), "--bind-address=127.0.0.1", "--skip-name-resolve",
		"--socket="+filepath.Join(m.dir, "socket"), "--pid-file="+filepath.Join(m.dir, "pid"),
		"--innodb-flush-log-at-trx-commit=2", "--innodb-doublewrite=0", "--max-connections=1000")
	for _, setting := range m.settings {
		args = append(args, "--"+setting)
	}
	m.server = exec.Command(m.program, args...)
	m.server.Dir = m.dir
	m.server.Stdout, m.server.Stderr = m.out, m.out
	m.server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := m.server.Start(); err != nil {
		return err
	}
	server, ended := m.server, make(chan struct{})
	m.ended = ended
	go func() {
		_ = server.Wait() // how it ends is in its log
		close(ended)
	}()
	return m.waitUntilReady()
}

func (m *MariaDB) waitUntilReady() error {
	db, err := sql.Open("mysql", m.DSN(""))
	if err != nil {
		return err
	}
	defer db.Close()
	timeout := time.After(startTimeout)
	for db.Ping() != nil {
		select {
		case <-m.ended:
			return fmt.Errorf("mariadbd ended by itself:\n%s", m.log())
		case <-timeout:
			m.Kill()
			return fmt.Errorf("mariadbd did not start within %v:\n%s", startTimeout, m.log())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func (m *MariaDB) log() string {
	text, _ := os.ReadFile(filepath.Join(m.dir, "log"))
	return string(text[max(0, len(text)-4096):])
}

// DSN returns where a database of the server is, for its superuser.
func (m *MariaDB) DSN(database string) string {
	config := mysql.NewConfig()
	config.User, config.Net, config.DBName = "root", "tcp", database
	config.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(m.port))
	config.Logger = &mysql.NopLogger{}
	return config.FormatDSN()
}

// Kill ends the server at once, as a crash of it would: nothing is flushed, and its
// next start recovers.
func (m *MariaDB) Kill() {
	_ = m.server.Process.Kill() // it may have ended
	<-m.ended
}

// Close stops the server and removes its data.
func (m *MariaDB) Close() error {
	m.Kill()
	_ = m.out.Close() // the log goes with its folder
	return os.RemoveAll(m.dir)
}

var databases atomic.Int64

// Database makes an empty database for a test, and drops it at its end. It returns the
// DSN of it.
func (m *MariaDB) Database(t testing.TB) string {
	t.Helper()
	return Database(t, m.DSN(""))
}

// Database does so on the server that has the DSN.
func Database(t testing.TB, server string) string {
	t.Helper()
	return NamedDatabase(t, server, fmt.Sprintf("duckgen_test_%d_%d", os.Getpid(), databases.Add(1)))
}

// NamedDatabase does so with a database of a name that is known to other processes,
// which may have made it.
func NamedDatabase(t testing.TB, server, name string) string {
	t.Helper()
	config, err := mysql.ParseDSN(server)
	if err != nil {
		t.Fatal(err)
	}
	ExecuteMySQL(t, server, "CREATE DATABASE IF NOT EXISTS "+name)
	t.Cleanup(func() { ExecuteMySQL(t, server, "DROP DATABASE IF EXISTS "+name) })
	config.DBName = name
	return config.FormatDSN()
}

// ExecuteMySQL runs SQL statements on a connection of its own.
func ExecuteMySQL(t testing.TB, server, statements string) {
	t.Helper()
	db := connectMySQL(t, server)
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
}

// QueryMySQL returns the rows of a query as text, on a connection of its own. NULL is
// empty.
func QueryMySQL(t testing.TB, server, question string) (table [][]string) {
	t.Helper()
	db := connectMySQL(t, server)
	defer db.Close()
	rows, err := db.Query(question)
	if err != nil {
		t.Fatalf("%s\n%v", question, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	for err == nil && rows.Next() {
		values, targets := make([]sql.NullString, len(names)), []any{}
		for i := range values {
			targets = append(targets, &values[i])
		}
		err = rows.Scan(targets...)
		var row []string
		for _, v := range values {
			row = append(row, v.String)
		}
		table = append(table, row)
	}
	if err = errors.Join(err, rows.Err()); err != nil {
		t.Fatalf("%s\n%v", question, err)
	}
	return table
}

func connectMySQL(t testing.TB, server string) *sql.DB {
	t.Helper()
	config, err := mysql.ParseDSN(server)
	if err != nil {
		t.Fatal(err)
	}
	config.MultiStatements = true
	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	return sql.OpenDB(connector)
}
