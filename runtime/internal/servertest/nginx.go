package servertest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// An Nginx is a reverse proxy on a free loopback port, with its files in a
// temporary folder.
type Nginx struct {
	dir    string
	port   int
	server *exec.Cmd
	ended  chan struct{} // closed when the server has ended
}

// nginxConfig has the program's defaults for the size of headers. Its arguments
// are the folder, the port and the address of the program behind it. Files in the
// folder's private part are sent only if that program says so.
const nginxConfig = `
daemon off;
master_process off;
pid %[1]s/pid;
error_log %[1]s/log;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	server {
		listen 127.0.0.1:%[2]d;
		location / { proxy_pass http://%[3]s; }
		location /private/ { internal; root %[1]s; }
	}
}
`

// NewNginx starts a proxy in front of the address. The files are what it sends from
// /private/ when that is asked for by X-Accel-Redirect.
func NewNginx(address string, files map[string]string) (*Nginx, error) {
	program, err := nginxProgram()
	if err != nil {
		return nil, err
	}
	n := &Nginx{}
	if n.port, err = freePort(); err != nil {
		return nil, err
	}
	if n.dir, err = os.MkdirTemp("", "duckgen-nginx-"); err != nil {
		return nil, err
	}
	if err = n.write(address, files); err == nil {
		err = n.start(program)
	}
	if err != nil {
		_ = os.RemoveAll(n.dir)
		return nil, err
	}
	return n, nil
}

// nginxProgram finds the program, which is installed where only root looks.
func nginxProgram() (string, error) {
	if testing.Short() {
		return "", ErrShort
	}
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if program, err := exec.LookPath(name); err == nil {
			return program, nil
		}
	}
	return "", fmt.Errorf("%w: nginx", ErrNoProgram)
}

func (n *Nginx) write(address string, files map[string]string) error {
	private := filepath.Join(n.dir, "private")
	if err := os.Mkdir(private, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(private, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(n.config(), fmt.Appendf(nil, nginxConfig, n.dir, n.port, address), 0o644)
}

func (n *Nginx) config() string { return filepath.Join(n.dir, "nginx.conf") }

// start starts the server and returns when it accepts connections.
func (n *Nginx) start(program string) error {
	n.server = exec.Command(program, "-p", n.dir, "-e", n.log(), "-c", n.config())
	n.server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := n.server.Start(); err != nil {
		return err
	}
	server, ended := n.server, make(chan struct{})
	n.ended = ended
	go func() {
		_ = server.Wait() // how it ends is in its log
		close(ended)
	}()
	for deadline := time.Now().Add(startTimeout); ; {
		conn, err := net.Dial("tcp4", n.address())
		if err == nil {
			return conn.Close()
		}
		select {
		case <-n.ended:
			text, _ := os.ReadFile(n.log())
			return fmt.Errorf("nginx ended by itself:\n%s", text)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			n.kill()
			return fmt.Errorf("nginx did not start within %v: %w", startTimeout, err)
		}
	}
}

func (n *Nginx) log() string { return filepath.Join(n.dir, "log") }

func (n *Nginx) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(n.port)) }

// URL returns where the proxy is.
func (n *Nginx) URL() string { return "http://" + n.address() }

func (n *Nginx) kill() {
	_ = n.server.Process.Kill() // it may have ended
	<-n.ended
}

// Close stops the server and removes its files.
func (n *Nginx) Close() error {
	n.kill()
	return os.RemoveAll(n.dir)
}
