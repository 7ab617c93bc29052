package lively

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/duckgen/duckgen/runtime"
)

// ErrClosed is what a connection answers once it is closed or about to be.
var ErrClosed = errors.New("the live connection is closed")

// A ScriptError says why a script of [Conn.Run] has no result: the page does not
// run scripts, or the script has thrown an error.
type ScriptError struct{ Message string }

func (e *ScriptError) Error() string { return "script in the page: " + e.Message }

// A Conn is one live connection. It is a [runtime.LivelyConn]. Its methods are
// safe for concurrent use, also outside events. Those that send wait while the
// page is slow to read, until their context is done; a page that reads nothing
// for [Config.WriteTime] is disconnected.
type Conn struct {
	config  *Config
	dialect dialect
	ws      *websocket.Conn
	ctx     context.Context // ends with the connection
	cancel  context.CancelFunc
	out     queue
	in      inbox

	closing  sync.Once
	pinging  *time.Timer
	lastRead atomic.Int64 // Unix nanoseconds

	mu      sync.Mutex
	scripts map[string]chan result // by uid; nil until there is one
	uids    uint64
}

func newConn(ctx context.Context, ws *websocket.Conn, config *Config, dispatch func(frame any)) *Conn {
	c := &Conn{config: config, dialect: newDialect(config), ws: ws}
	c.ctx, c.cancel = context.WithCancel(ctx)
	c.out.limit, c.out.write = config.QueueBytes, c.write
	c.in.limit, c.in.limitBytes = config.QueueEvents, config.EventBytes
	c.in.run = func(frame []byte) {
		if frame, ok := c.decode(frame); ok {
			dispatch(frame)
		}
	}
	ws.SetReadLimit(config.ReadLimit)
	c.lastRead.Store(time.Now().UnixNano())
	c.pinging = time.AfterFunc(time.Hour, c.ping) // which uses the timer
	c.pinging.Reset(config.PingEvery)
	return c
}

// Context ends with the connection. It carries what the handshake's carried.
func (c *Conn) Context() context.Context { return c.ctx }

// Patch changes the page.
func (c *Conn) Patch(ctx context.Context, patches ...Patch) error {
	return c.out.put(ctx, encodePatches(c.dialect, patches))
}

// Navigate shows another page, or a part of it.
func (c *Conn) Navigate(ctx context.Context, p Page) error {
	return c.out.put(ctx, encodePage(c.dialect, p))
}

// Unknown tells the page that its component is none of this program's. With
// reload the page loads itself again.
func (c *Conn) Unknown(ctx context.Context, component string, reload bool) error {
	return c.out.put(ctx, c.dialect.unknown(component, reload))
}

// unhandled answers an event that has no handler.
func (c *Conn) unhandled(ctx context.Context, e Event) error {
	if !c.dialect.reloads(e) {
		return nil
	}
	return c.Unknown(ctx, e.Component, true)
}

// SyncBrowserState implements [runtime.LivelyConn]. It returns once the frame is
// on its way, not when the page has fetched.
func (c *Conn) SyncBrowserState(ctx context.Context, url string) error {
	return c.out.put(ctx, encodeFetch(url))
}

// ExecuteJS implements [runtime.LivelyConn]. It returns once the script has run,
// with a [ScriptError] where it has not.
func (c *Conn) ExecuteJS(ctx context.Context, code string) error {
	_, err := c.Run(ctx, code, "")
	return err
}

// Run runs a script in the page and returns the value of the variable, nil
// without one. A page runs scripts only where it says so with
// data-live-script="allow" and its Content-Security-Policy has 'unsafe-eval'.
// It waits until ctx is done, for [Config.ScriptTime] at most.
func (c *Conn) Run(ctx context.Context, code, variable string) (any, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.config.ScriptTime,
		fmt.Errorf("no result of a script within %v", c.config.ScriptTime))
	defer cancel()
	uid, answer := c.expect()
	defer c.forget(uid)
	if err := c.out.put(ctx, encodeScript(code, variable, c.config.ScriptTime.Milliseconds(), uid)); err != nil {
		return nil, err
	}
	select {
	case r := <-answer:
		if r.fault != "" {
			return nil, &ScriptError{r.fault}
		}
		return r.value, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.ctx.Done():
		return nil, ErrClosed
	}
}

func (c *Conn) expect() (uid string, answer <-chan result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.uids++
	uid = strconv.FormatUint(c.uids, 10)
	ch := make(chan result, 1)
	if c.scripts == nil {
		c.scripts = map[string]chan result{}
	}
	c.scripts[uid] = ch
	return uid, ch
}

func (c *Conn) forget(uid string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.scripts, uid)
}

// answered hands a result to who waits for it. One that nobody waits for is
// dropped: it came too late.
func (c *Conn) answered(r result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ch, ok := c.scripts[r.uid]; ok {
		delete(c.scripts, r.uid)
		ch <- r
	}
}

// CloseLively implements [runtime.LivelyCloser].
func (c *Conn) CloseLively(end runtime.LivelyEnd) {
	code := closeEnded
	if end == runtime.LivelyReconnect {
		code = closeReconnect
	}
	go c.close(code, end.String())
}

// The codes that the browser client acts on.
const (
	closeEnded     = websocket.StatusPolicyViolation // 1008: the session has ended
	closeReconnect = websocket.StatusServiceRestart  // 1012: connect again, soon
	closeIdle      = websocket.StatusGoingAway       // 1001: connect again when the visitor is back
	closeBusy      = websocket.StatusTryAgainLater   // 1013: connect again, later
)

// close lets the frames before it through and closes. Only the first call does
// anything; it returns when the connection is closed.
func (c *Conn) close(code websocket.StatusCode, reason string) {
	c.closing.Do(func() {
		c.in.stop()
		ctx, cancel := context.WithTimeout(c.ctx, c.config.WriteTime)
		defer cancel()
		c.sendOff(ctx, code)
		c.out.refuse(ErrClosed)
		c.out.flush(ctx)
		_ = c.ws.Close(code, reason) // the page may be gone
	})
}

// leaving is how long a page may take to close its connection as it was told.
const leaving = 3 * time.Second

// sendOff has a page close the connection whose client does not act on the code.
func (c *Conn) sendOff(ctx context.Context, code websocket.StatusCode) {
	frame := c.dialect.farewell(code)
	if frame == nil || c.out.put(ctx, frame) != nil {
		return
	}
	select {
	case <-c.ctx.Done():
	case <-time.After(leaving):
	}
}

func (c *Conn) write(frame []byte) error {
	ctx, cancel := context.WithTimeout(c.ctx, c.config.WriteTime)
	defer cancel()
	if err := c.ws.Write(ctx, websocket.MessageBinary, frame); err != nil {
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return nil
}

// ping finds out whether the page is still there, and whether anybody is.
func (c *Conn) ping() {
	if idle := time.Since(time.Unix(0, c.lastRead.Load())); c.config.Idle > 0 && idle >= c.config.Idle {
		c.close(closeIdle, "idle")
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.config.PongWithin)
	defer cancel()
	if err := c.ws.Ping(ctx); err != nil {
		_ = c.ws.CloseNow()
		return
	}
	c.pinging.Reset(c.config.PingEvery)
}

// read hands every frame on until the connection ends.
func (c *Conn) read() {
	for {
		kind, b, err := c.ws.Read(c.ctx)
		if err != nil {
			return
		}
		c.lastRead.Store(time.Now().UnixNano())
		if kind != websocket.MessageBinary {
			c.close(websocket.StatusUnsupportedData, "frames are binary")
			return
		}
		if opcodeOf(b) == opResult {
			if frame, ok := c.decode(b); ok {
				c.answered(frame.(result))
			}
			continue
		}
		if !c.in.put(b) {
			c.close(closeBusy, "too many events wait")
			return
		}
	}
}

// decode decodes a frame. It begins to close the connection if that is none.
func (c *Conn) decode(b []byte) (frame any, ok bool) {
	frame, err := c.dialect.decode(b, c.config.ReadElements)
	var bad *frameError
	if errors.As(err, &bad) {
		go c.close(bad.code, bad.reason)
		return nil, false
	}
	return frame, true
}

// end releases what the connection has, and waits for the event that runs.
func (c *Conn) end() {
	c.in.stop()
	c.out.refuse(ErrClosed)
	c.cancel()
	c.pinging.Stop()
	_ = c.ws.CloseNow() // closed already, mostly
	c.in.wait()
}
