package servertest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// PostgresVariable names the environment variable with the URL of an own server
// to test against. Its user must be allowed to make schemas.
const PostgresVariable = "DUCKGEN_TEST_POSTGRES"

const (
	postgresUser     = "duckgen"
	postgresPassword = "duckgen-secret"

	startTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
)

// A Postgres is a server on a free loopback port with its data in a temporary
// folder.
type Postgres struct {
	programs string // folder of the programs
	dir      string
	owner    *syscall.Credential // of the server; nil: the user of the tests
	port     int
	settings []string
	server   *exec.Cmd
	ended    chan struct{} // closed when the server has ended
	out      *os.File
}

// NewPostgres makes the data of a server, and starts it with the given settings
// (name=value) besides those that make it fast. It keeps what a killed server has
// acknowledged, but not what a crashed machine has. Passwords are kept by MD5: nearly
// every statement of a test connects anew, and each would take thousands of hashes.
func NewPostgres(settings ...string) (*Postgres, error) {
	programs, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	p := &Postgres{programs: programs, settings: settings}
	if p.dir, err = os.MkdirTemp("", "duckgen-postgres-"); err != nil {
		return nil, err
	}
	if err := p.initialize(); err != nil {
		_ = os.RemoveAll(p.dir)
		return nil, err
	}
	if err := p.Start(); err != nil {
		_ = os.RemoveAll(p.dir)
		return nil, err
	}
	return p, nil
}

// HasPostgres returns an error where no server can be started.
func HasPostgres() error {
	_, err := postgresPrograms()
	return err
}

// postgresPrograms returns the folder of the newest server. Debian does not have
// it in the PATH.
func postgresPrograms() (string, error) {
	if testing.Short() {
		return "", ErrShort
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return "", fmt.Errorf("%w: postgres", ErrNoProgram)
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

func (p *Postgres) initialize() error {
	if os.Geteuid() == 0 {
		if err := p.giveToNobody(); err != nil {
			return err
		}
	}
	password := filepath.Join(p.dir, "password")
	if err := os.WriteFile(password, []byte(postgresPassword), 0o644); err != nil {
		return err
	}
	output, err := p.command("initdb", "--no-sync", "--encoding=UTF8", "--locale=C", "--auth=md5",
		"--username="+postgresUser, "--pwfile="+password, "--pgdata="+p.data()).CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, output)
	}
	p.out, err = os.Create(filepath.Join(p.dir, "log"))
	return err
}

// giveToNobody lets the server run as somebody else: Postgres refuses to run as
// root.
func (p *Postgres) giveToNobody() error {
	const nobody = 65534
	p.owner = &syscall.Credential{Uid: nobody, Gid: nobody}
	return os.Chown(p.dir, nobody, nobody)
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

// command returns a command of the server's user, in a process group of its own.
func (p *Postgres) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.programs, program), args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.owner, Setpgid: true}
	return cmd
}

// Start starts the server, again on its port if it had one, and returns when it
// answers.
func (p *Postgres) Start() error {
	if p.port == 0 {
		port, err := freePort()
		if err != nil {
			return err
		}
		p.port = port
	}
	args := []string{"-D", p.data(), "-p", strconv.Itoa(p.port)}
	settings := []string{"listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "full_page_writes=off"}
	for _, setting := range append(settings, p.settings...) {
		args = append(args, "-c", setting)
	}
	p.server = p.command("postgres", args...)
	p.server.Stdout, p.server.Stderr = p.out, p.out
	if err := p.server.Start(); err != nil {
		return err
	}
	server, ended := p.server, make(chan struct{})
	p.ended = ended
	go func() {
		_ = server.Wait() // how it ends is in its log
		close(ended)
	}()
	return p.waitUntilReady()
}

// waitUntilReady connects until the server lets it.
func (p *Postgres) waitUntilReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, p.URL())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-p.ended:
			return fmt.Errorf("postgres ended by itself:\n%s", p.log())
		case <-ctx.Done():
			p.Kill()
			return fmt.Errorf("postgres did not start within %v: %w\n%s", startTimeout, err, p.log())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *Postgres) log() string {
	text := p.Log()
	return text[max(0, len(text)-4096):]
}

// Log returns what the server has logged.
func (p *Postgres) Log() string {
	text, err := os.ReadFile(filepath.Join(p.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// URL returns where the server is, for its superuser.
func (p *Postgres) URL() string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(postgresUser, postgresPassword),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)),
		Path:     "/postgres",
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Kill ends the server and all its processes at once, as a crash of it would:
// nothing is flushed, and its next start recovers.
func (p *Postgres) Kill() {
	p.Freeze()
	pids := p.processes()
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
	}
	<-p.ended
	// The next server refuses to start while one of them holds the memory.
	for deadline := time.Now().Add(stopTimeout); slices.ContainsFunc(pids, runs) && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
}

// runs reports whether a process is more than an entry that nobody has collected.
func runs(pid int) bool {
	state, _ := processState(strconv.Itoa(pid))
	return state != "" && state != "Z" && state != "X"
}

// processState returns the state of a process and its parent, "" where there is
// no such process.
func processState(pid string) (state, parent string) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return "", ""
	}
	// "pid (name) state parent …", where the name may have any characters.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 2 {
		return "", ""
	}
	return fields[0], fields[1]
}

// Freeze stops the server's processes without ending them.
func (p *Postgres) Freeze() { p.signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (p *Postgres) Thaw() { p.signal(syscall.SIGCONT) }

func (p *Postgres) signal(sig syscall.Signal) {
	for _, pid := range p.processes() {
		_ = syscall.Kill(pid, sig) // it may have ended
	}
}

// processes returns the server and its children, the server first: while it is
// stopped it starts no further ones.
func (p *Postgres) processes() []int {
	server := p.server.Process.Pid
	pids := []int{server}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is valid
	for _, stat := range stats {
		name := filepath.Base(filepath.Dir(stat))
		if _, parent := processState(name); parent != strconv.Itoa(server) {
			continue
		}
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Close stops the server, which writes nothing any more, and removes its data.
func (p *Postgres) Close() error {
	_ = p.server.Process.Signal(syscall.SIGQUIT) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		p.Kill()
	}
	_ = p.out.Close() // the log goes with its folder
	return os.RemoveAll(p.dir)
}
