// Package faultproxy stands on loopback between a program under test and its
// servers. It counts what goes over the wire, and harms one call at a chosen
// place: it cuts the connection, or holds it, after so many bytes of the request
// or of the reply.
package faultproxy

import (
	"errors"
	"net"
	"sync"
	"testing"
)

// A Call is one round trip: what the program sent until the server answered, and
// that answer, in bytes.
type Call struct{ Sent, Received int }

// All lets all bytes through.
const All = -1

// A Fault harms one call. What is not to come through is not sent on, so the
// server never sees it.
type Fault struct {
	Call     int  // which of the calls from now on, from 1
	Sent     int  // bytes of the request that reach the server; All reach it unless it is a number
	Received int  // bytes of the reply that reach the program, where all of the request was sent
	Hold     bool // the connection is held instead of cut, until Release
}

// A Proxy forwards connections to servers. It is safe for concurrent use, but a
// fault makes sense only where calls come one after the other.
type Proxy struct {
	isCall    func(sent []byte) bool
	listeners sync.WaitGroup

	mu     sync.Mutex
	closed bool
	fronts map[string]string // the proxy's address by the server's
	open   map[*conn]bool
	ends   []func() error
	calls  []*Call
	fault  *armed        // nil: none
	held   chan struct{} // closed by Release
}

// New returns a proxy that goes with the test. Of what a program sends, isCall
// tells requests from other traffic, such as the greetings of a new connection,
// by their first bytes.
func New(t testing.TB, isCall func(sent []byte) bool) *Proxy {
	p := &Proxy{isCall: isCall, fronts: map[string]string{}, open: map[*conn]bool{}, held: make(chan struct{})}
	t.Cleanup(p.close)
	return p
}

// Address returns where the proxy listens for connections to the server.
func (p *Proxy) Address(server string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if front, ok := p.fronts[server]; ok {
		return front, nil
	}
	if p.closed {
		return "", net.ErrClosed
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	p.fronts[server] = listener.Addr().String()
	p.ends = append(p.ends, listener.Close)
	p.listeners.Go(func() { p.accept(listener, server) })
	return p.fronts[server], nil
}

func (p *Proxy) accept(listener net.Listener, server string) {
	for {
		program, err := listener.Accept()
		if err != nil {
			return
		}
		p.listeners.Go(func() { p.serve(program, server) })
	}
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closed = true
	for _, end := range p.ends {
		_ = end() // nothing is left to be told
	}
	for c := range p.open {
		c.cut()
	}
	p.release()
	p.mu.Unlock()
	p.listeners.Wait()
}

// Calls returns the calls since the last time or since Arm, and forgets them.
func (p *Proxy) Calls() (calls []Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, call := range p.calls {
		calls = append(calls, *call)
	}
	p.calls = nil
	return calls
}

// armed is a fault that has not struck.
type armed struct {
	Fault
	struck chan struct{} // closed when it has
}

// Arm sets the fault, forgets the calls so far, and returns a channel that is
// closed when the fault has struck. It strikes once.
func (p *Proxy) Arm(f Fault) (struck <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls, p.fault = nil, &armed{f, make(chan struct{})}
	return p.fault.struck
}

// Release lets the connections go on that are held.
func (p *Proxy) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release()
	p.held = make(chan struct{})
}

func (p *Proxy) release() { close(p.held) }

// CutAll cuts all connections, whatever goes over them.
func (p *Proxy) CutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		c.cut()
	}
}

// A conn is a connection of the program and the one to its server.
type conn struct {
	proxy           *Proxy
	program, server net.Conn

	// Behind the lock of the proxy.
	asking bool   // the last bytes came from the program
	call   *Call  // what is under way; nil for other traffic
	fault  *armed // what is to befall it
}

func (p *Proxy) serve(program net.Conn, address string) {
	server, err := net.Dial("tcp4", address)
	if err != nil {
		_ = program.Close() // as the server itself would refuse it
		return
	}
	c := &conn{proxy: p, program: program, server: server}
	p.mu.Lock()
	p.open[c] = true
	if p.closed {
		c.cut()
	}
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { c.pump(program, server, c.asked) })
	both.Go(func() { c.pump(server, program, c.answered) })
	both.Wait()
	p.mu.Lock()
	delete(p.open, c)
	p.mu.Unlock()
}

func (c *conn) cut() { _ = errors.Join(c.program.Close(), c.server.Close()) }

// pump forwards what comes, as far as the verdict lets it through, and cuts the
// connection when one side is over.
func (c *conn) pump(from, to net.Conn, judge func([]byte) verdict) {
	defer c.cut()
	bytes := make([]byte, 64<<10)
	for {
		n, err := from.Read(bytes)
		if n > 0 && !c.forward(to, bytes[:n], judge(bytes[:n])) {
			return
		}
		if err != nil {
			return
		}
	}
}

// A verdict is what becomes of some bytes.
type verdict struct {
	pass   int             // bytes to let through first
	struck chan<- struct{} // nil: that is all; else closed when the fault strikes
	held   <-chan struct{} // nil: the fault cuts; else it holds until this is closed
}

func (c *conn) forward(to net.Conn, bytes []byte, v verdict) bool {
	if _, err := to.Write(bytes[:v.pass]); err != nil {
		return false
	}
	if v.struck == nil {
		return true
	}
	close(v.struck)
	if v.held == nil {
		return false
	}
	<-v.held
	_, err := to.Write(bytes[v.pass:])
	return err == nil
}

// asked notes a request, or more of one.
func (c *conn) asked(bytes []byte) verdict {
	p := c.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	if !c.asking {
		c.asking = true
		c.begin(p.isCall(bytes))
	}
	if c.call == nil {
		return verdict{pass: len(bytes)}
	}
	before := c.call.Sent
	c.call.Sent += len(bytes)
	if f := c.fault; f != nil && f.Sent != All && c.call.Sent >= f.Sent {
		return c.strike(f.Sent - before)
	}
	return verdict{pass: len(bytes)}
}

// begin begins a call, or something else.
func (c *conn) begin(isCall bool) {
	p := c.proxy
	c.call, c.fault = nil, nil
	if !isCall {
		return
	}
	c.call = &Call{}
	p.calls = append(p.calls, c.call)
	if p.fault != nil && p.fault.Call == len(p.calls) {
		c.fault, p.fault = p.fault, nil
	}
}

// answered notes a reply, or more of one.
func (c *conn) answered(bytes []byte) verdict {
	p := c.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	c.asking = false
	if c.call == nil {
		return verdict{pass: len(bytes)}
	}
	before := c.call.Received
	c.call.Received += len(bytes)
	if f := c.fault; f != nil && c.call.Received > f.Received {
		return c.strike(f.Received - before)
	}
	return verdict{pass: len(bytes)}
}

// strike uses the fault up.
func (c *conn) strike(pass int) verdict {
	v := verdict{pass: pass, struck: c.fault.struck}
	if c.fault.Hold {
		v.held = c.proxy.held
	}
	c.fault = nil
	return v
}
