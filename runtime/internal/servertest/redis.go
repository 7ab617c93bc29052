package servertest

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// RedisVariable names the environment variable with the URL of an own server to
// test against.
const RedisVariable = "DUCKGEN_TEST_REDIS"

// RedisServerVariable names the environment variable with the program that is
// started in the place of the installed redis-server: another version, or Valkey.
const RedisServerVariable = "DUCKGEN_TEST_REDIS_SERVER"

// RedisPassword is what the servers of this package want.
const RedisPassword = "duckgen-secret"

// A Redis is a server on a free loopback port with its data in a temporary
// folder.
type Redis struct {
	program  string
	dir      string
	port     int
	settings []string // as arguments of the program
	server   *exec.Cmd
	ended    chan struct{} // closed when the server has ended
}

// HasRedis returns an error where no server can be started.
func HasRedis() error {
	_, err := redisProgram()
	return err
}

func redisProgram() (string, error) {
	if testing.Short() {
		return "", ErrShort
	}
	name := cmp.Or(os.Getenv(RedisServerVariable), "redis-server")
	program, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w: %s", ErrNoProgram, name)
	}
	return program, nil
}

// NewRedis starts a server with the given settings ("name", "value", …) besides
// those that make it small. Without settings it keeps nothing on disk.
func NewRedis(settings ...string) (*Redis, error) {
	program, err := redisProgram()
	if err != nil {
		return nil, err
	}
	r := &Redis{program: program}
	if r.port, err = freePort(); err != nil {
		return nil, err
	}
	if r.dir, err = os.MkdirTemp("", "duckgen-redis-"); err != nil {
		return nil, err
	}
	all := append([]string{
		"bind", "127.0.0.1", "port", strconv.Itoa(r.port), "dir", r.dir, "logfile", r.logFile(), "save", "",
		"daemonize", "no", "requirepass", RedisPassword, "masterauth", RedisPassword,
	}, settings...)
	for i := 0; i+1 < len(all); i += 2 {
		r.settings = append(r.settings, "--"+all[i], all[i+1])
	}
	if err := r.Start(); err != nil {
		_ = os.RemoveAll(r.dir)
		return nil, err
	}
	return r, nil
}

func (r *Redis) logFile() string { return filepath.Join(r.dir, "log") }

// Start starts the server, on its port, and returns when it answers.
func (r *Redis) Start() error {
	r.server = exec.Command(r.program, r.settings...)
	r.server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.server.Start(); err != nil {
		return err
	}
	server, ended := r.server, make(chan struct{})
	r.ended = ended
	go func() {
		_ = server.Wait() // how it ends is in its log
		close(ended)
	}()
	return r.WaitFor("PONG", "PING")
}

// WaitFor asks the server until the answer contains what is wanted.
func (r *Redis) WaitFor(want string, command ...string) error {
	deadline := time.Now().Add(startTimeout)
	for {
		answer, err := r.Command(command...)
		if err == nil && strings.Contains(answer, want) {
			return nil
		}
		select {
		case <-r.ended:
			return fmt.Errorf("redis-server ended by itself:\n%s", r.log())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			r.Kill()
			return fmt.Errorf("redis-server did not answer %v with %q within %v: %q, %v\n%s",
				command, want, startTimeout, answer, err, r.log())
		}
	}
}

func (r *Redis) log() string {
	text, err := os.ReadFile(r.logFile())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4096):])
}

// Address returns where the server is, without a password.
func (r *Redis) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port)) }

// URL returns where the server is, with its password.
func (r *Redis) URL() string {
	u := url.URL{Scheme: "redis", User: url.UserPassword("", RedisPassword), Host: r.Address()}
	return u.String()
}

// Command sends a command over a connection of its own and returns the text of
// its answer, which must not be an array.
func (r *Redis) Command(command ...string) (string, error) {
	conn, err := net.DialTimeout("tcp", r.Address(), time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", err
	}
	answers := bufio.NewReader(conn)
	if err := exchange(conn, answers, "AUTH", RedisPassword); err != nil {
		return "", err
	}
	if err := send(conn, command...); err != nil {
		return "", err
	}
	return receive(answers)
}

// Traffic returns how many bytes the server receives and sends while something is done.
func (r *Redis) Traffic(do func()) (received, sent int, err error) {
	var in, out [3]int
	for i := range in {
		if i == 2 { // the first two show what asking takes
			do()
		}
		stats, failed := r.Command("INFO", "stats")
		for line := range strings.Lines(stats) {
			name, text, _ := strings.Cut(strings.TrimSpace(line), ":")
			switch name {
			case "total_net_input_bytes":
				in[i], _ = strconv.Atoi(text)
			case "total_net_output_bytes":
				out[i], _ = strconv.Atoi(text)
			}
		}
		err = errors.Join(err, failed)
	}
	return in[2] - in[1] - (in[1] - in[0]), out[2] - out[1] - (out[1] - out[0]), err
}

func exchange(conn io.Writer, answers *bufio.Reader, command ...string) error {
	if err := send(conn, command...); err != nil {
		return err
	}
	_, err := receive(answers)
	return err
}

func send(conn io.Writer, command ...string) error {
	text := fmt.Sprintf("*%d\r\n", len(command))
	for _, part := range command {
		text += fmt.Sprintf("$%d\r\n%s\r\n", len(part), part)
	}
	_, err := io.WriteString(conn, text)
	return err
}

func receive(answers *bufio.Reader) (string, error) {
	line, err := answers.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	switch {
	case strings.HasPrefix(line, "-"):
		return "", errors.New(line[1:])
	case strings.HasPrefix(line, "$"):
		size, err := strconv.Atoi(line[1:])
		if err != nil || size < 0 {
			return "", err
		}
		text := make([]byte, size+len("\r\n"))
		_, err = io.ReadFull(answers, text)
		return string(text[:size]), err
	default:
		return strings.TrimLeft(line, "+:"), nil
	}
}

// Kill ends the server at once, as kill -9 does.
func (r *Redis) Kill() {
	_ = r.server.Process.Kill() // it may have ended
	<-r.ended
}

// Freeze stops the server's process without ending it.
func (r *Redis) Freeze() { _ = r.server.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (r *Redis) Thaw() { _ = r.server.Process.Signal(syscall.SIGCONT) }

// Close stops the server and removes its data.
func (r *Redis) Close() error {
	r.Kill()
	return os.RemoveAll(r.dir)
}

// NewRedisCluster starts a Cluster with the given number of masters, and as many
// replicas for each. The masters come first, then their replicas in order.
func NewRedisCluster(masters, replicas int) (nodes []*Redis, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, CloseAll(nodes))
			nodes = nil
		}
	}()
	timeout := "15000" // for a loaded machine
	if replicas > 0 {
		timeout = "1000" // that a replica takes over soon
	}
	for range masters * (1 + replicas) {
		bus, err := freePort()
		if err != nil {
			return nodes, err
		}
		node, err := NewRedis("cluster-enabled", "yes", "cluster-port", strconv.Itoa(bus),
			"cluster-config-file", "nodes.conf", "cluster-node-timeout", timeout,
			"cluster-replica-validity-factor", "0", "repl-diskless-sync-delay", "0")
		if err != nil {
			return nodes, err
		}
		nodes = append(nodes, node)
		_, err = nodes[0].Command("CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(node.port), strconv.Itoa(bus))
		if err != nil {
			return nodes, err
		}
	}
	return nodes, share(nodes, masters)
}

// share gives the masters their slots and the replicas their masters.
func share(nodes []*Redis, masters int) error {
	const slots = 16384
	ids := make([]string, masters)
	for i, master := range nodes[:masters] {
		first, last := i*slots/masters, (i+1)*slots/masters-1
		if _, err := master.Command("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(first), strconv.Itoa(last)); err != nil {
			return err
		}
		id, err := master.Command("CLUSTER", "MYID")
		if err != nil {
			return err
		}
		ids[i] = id
	}
	known := "cluster_known_nodes:" + strconv.Itoa(len(nodes))
	for _, node := range nodes {
		if err := errors.Join(node.WaitFor("cluster_state:ok", "CLUSTER", "INFO"),
			node.WaitFor("cluster_slots_ok:16384", "CLUSTER", "INFO"),
			node.WaitFor(known, "CLUSTER", "INFO")); err != nil {
			return err
		}
	}
	for i, replica := range nodes[masters:] {
		if err := replica.WaitFor("OK", "CLUSTER", "REPLICATE", ids[i%masters]); err != nil {
			return err
		}
		if err := replica.WaitFor("master_link_status:up", "INFO", "replication"); err != nil {
			return err
		}
	}
	return nil
}

// CloseAll stops the servers and removes their data.
func CloseAll(servers []*Redis) error {
	var errs []error
	for _, server := range servers {
		errs = append(errs, server.Close())
	}
	return errors.Join(errs...)
}
