package servertest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// A PgBouncer is a pooler in transaction mode before a [Postgres].
type PgBouncer struct {
	dir    string
	port   int
	server *exec.Cmd
	ended  chan struct{}
}

// NewPgBouncer starts a pooler whose connections have the given schema in their
// search_path: it does not let clients choose it.
func NewPgBouncer(p *Postgres, schema string) (*PgBouncer, error) {
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer" // where Debian has it
	}
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("%w: pgbouncer", ErrNoProgram)
	}
	b := &PgBouncer{ended: make(chan struct{})}
	if b.dir, err = os.MkdirTemp("", "duckgen-pgbouncer-"); err != nil {
		return nil, err
	}
	if b.port, err = freePort(); err == nil {
		err = b.start(program, p, schema)
	}
	if err != nil {
		_ = os.RemoveAll(b.dir)
		return nil, err
	}
	return b, nil
}

func (b *PgBouncer) start(program string, p *Postgres, schema string) error {
	users := filepath.Join(b.dir, "users")
	settings := filepath.Join(b.dir, "pgbouncer.ini")
	for file, text := range map[string]string{
		users: fmt.Sprintf("%q %q\n", postgresUser, postgresPassword),
		settings: fmt.Sprintf(`[databases]
postgres = host=127.0.0.1 port=%d dbname=postgres connect_query='SET search_path TO %s'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = plain
auth_file = %s
pool_mode = transaction
`, p.port, schema, b.port, users),
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := os.Chmod(b.dir, 0o755); err != nil {
		return err
	}
	b.server = exec.Command(program, settings)
	b.server.SysProcAttr = &syscall.SysProcAttr{Credential: p.owner, Setpgid: true} // it refuses to run as root, too
	if err := b.server.Start(); err != nil {
		return err
	}
	go func() {
		_ = b.server.Wait() // it is killed
		close(b.ended)
	}()
	return b.waitUntilReady()
}

func (b *PgBouncer) waitUntilReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		conn, err := net.Dial("tcp4", b.address())
		if err == nil {
			return conn.Close()
		}
		select {
		case <-b.ended:
			return fmt.Errorf("pgbouncer ended by itself: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("pgbouncer did not start within %v: %w", startTimeout, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (b *PgBouncer) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port)) }

// URL returns where the pooler is.
func (b *PgBouncer) URL() string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(postgresUser, postgresPassword), Host: b.address(), Path: "/postgres",
		RawQuery: "sslmode=disable&default_query_exec_mode=cache_describe",
	}
	return u.String()
}

// Close stops the pooler.
func (b *PgBouncer) Close() error {
	_ = b.server.Process.Kill() // it may have ended
	<-b.ended
	return os.RemoveAll(b.dir)
}
