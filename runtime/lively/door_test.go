package lively_test

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// A door is the address of a program that is started again and again. Nobody else can
// take it in between; who comes then is turned away.
type door struct {
	net.Listener
	mu     sync.Mutex
	inside *cuttingListener // of the last program
}

func newDoor(t *testing.T) *door {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{Listener: listener}
	var serving sync.WaitGroup
	serving.Go(d.serve)
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return d
}

func (d *door) serve() {
	for {
		conn, err := d.Accept()
		if err != nil {
			return
		}
		d.lead(conn)
	}
}

// lead takes a connection to the program, if there is one.
func (d *door) lead(conn net.Conn) {
	d.mu.Lock()
	inside := d.inside
	d.mu.Unlock()
	if inside == nil || !inside.take(conn) {
		_ = conn.Close()
	}
}

// open returns what the next program listens to.
func (d *door) open() *cuttingListener {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inside = &cuttingListener{door: d, arrived: make(chan *silentConn), closed: make(chan struct{})}
	return d.inside
}

// A cuttingListener can cut its connections, as the end of a process does, and have
// them fall silent, as the end of a network does.
type cuttingListener struct {
	door    *door
	arrived chan *silentConn
	closed  chan struct{}
	closing sync.Once

	mu    sync.Mutex
	conns []*silentConn
}

// take reports whether the program takes the connection.
func (l *cuttingListener) take(conn net.Conn) bool {
	c := &silentConn{Conn: conn}
	select {
	case l.arrived <- c:
		return true
	case <-l.closed:
		return false
	}
}

func (l *cuttingListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.arrived:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.conns = append(l.conns, conn)
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *cuttingListener) Close() error {
	l.closing.Do(func() { close(l.closed) })
	return nil
}

func (l *cuttingListener) Addr() net.Addr { return l.door.Addr() }

// each does something to all connections that there are.
func (l *cuttingListener) each(do func(*silentConn)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		do(c)
	}
	l.conns = nil
}

func (l *cuttingListener) cut() { l.each(func(c *silentConn) { _ = c.Close() }) }

func (l *cuttingListener) silence() { l.each(func(c *silentConn) { c.silent.Store(true) }) }

// A silentConn drops what passes through it once it is silent.
type silentConn struct {
	net.Conn
	silent atomic.Bool
}

func (c *silentConn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err != nil || !c.silent.Load() {
			return n, err
		}
	}
}

func (c *silentConn) Write(b []byte) (int, error) {
	if c.silent.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}
