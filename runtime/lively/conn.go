package lively

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
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
	base    context.Context // of the handshake
	out     queue
	in      inbox
	page    *pageState // nil: its events are not numbered

	closing  sync.Once
	pinging  *time.Timer
	heard    atomic.Int64 // when the last frame came, in Unix nanoseconds
	lastRead atomic.Int64 // the same, without heartbeats

	mu      sync.Mutex
	scripts map[string]chan result // by uid; nil until there is one
	uids    uint64
	abort   context.CancelFunc // of the event that runs, or ran last
	isCut   bool
}

func newConn(ctx context.Context, ws *websocket.Conn, config *Config, dispatch func(frame any, at time.Time)) *Conn {
	c := &Conn{config: config, dialect: newDialect(config), ws: ws, base: ctx}
	c.ctx, c.cancel = context.WithCancel(ctx)
	c.out.limit, c.out.write = config.QueueBytes, c.write
	c.in.limit, c.in.limitBytes = config.QueueEvents, config.EventBytes
	c.in.run = func(a arrival) {
		if frame, ok := c.decode(a.frame); ok {
			dispatch(frame, a.at)
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

// beginEvent returns the context of an event, which goes on when the connection
// breaks, and what releases it.
func (c *Conn) beginEvent() (ctx context.Context, release context.CancelFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx, c.abort = context.WithTimeout(context.WithValue(c.base, duringEvent{}, c), c.config.EventTime)
	if c.isCut {
		c.abort()
	}
	return ctx, c.abort
}

// cut ends the connection and the event that runs.
func (c *Conn) cut() {
	c.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isCut = true
	if c.abort != nil {
		c.abort()
	}
}

func (c *Conn) wasCut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isCut
}

// duringEvent marks the context of an event with its connection.
type duringEvent struct{}

// greet joins the connection to the page, once nothing runs any more of the one
// that the page had before, and settles what has become of the events of that. Then
// the page is told which were taken up, and sends others.
func (c *Conn) greet(before *Conn, g *greeting, known bool) {
	if before != nil {
		before.in.stop()
		before.cancel()
		before.in.wait()
	}
	if url, ok := c.page.unfetched(g.fetched); ok {
		_ = c.out.put(c.ctx, encodeFetch(url))
		go c.close(closeReconnect, "a cookie is to be fetched")
		return
	}
	answers, taken := c.page.since(g.answered)
	for _, a := range answers {
		_ = c.out.put(c.ctx, encodeAnswer(a)) // what fails closes the connection
	}
	_ = c.out.put(c.ctx, c.encodeTaken(taken, known))
}

func (c *Conn) encodeTaken(number uint64, known bool) []byte {
	return encodeTaken(number, known, c.config.QueueEvents, c.config.EventBytes)
}

// answer tells the page what has become of an event, now or when it comes back.
func (c *Conn) answer(number uint64, outcome Outcome) {
	if c.page == nil {
		return
	}
	a := answer{number, outcome}
	c.page.answer(a)
	_ = c.out.put(c.ctx, encodeAnswer(a))
}

// send sends a frame. An event of a page that will come back does not fail
// because its connection has broken: what it sends is left out.
func (c *Conn) send(ctx context.Context, frame []byte) error {
	err := c.out.put(ctx, frame)
	if c.page != nil && errors.Is(err, ErrClosed) && ctx.Value(duringEvent{}) == c {
		return nil
	}
	return err
}

// Patch changes the page. If the connection breaks while the event runs whose
// context that is, the patches are left out, which is not an error: the page that
// comes back gets its data-live-load.
func (c *Conn) Patch(ctx context.Context, patches ...Patch) error {
	return c.send(ctx, encodePatches(c.dialect, patches))
}

// Navigate shows another page, or a part of it.
func (c *Conn) Navigate(ctx context.Context, p Page) error {
	return c.send(ctx, encodePage(c.dialect, p))
}

// Unknown tells the page that its component is none of this program's. With
// reload the page loads itself again.
func (c *Conn) Unknown(ctx context.Context, component string, reload bool) error {
	return c.send(ctx, c.dialect.unknown(component, reload))
}

// unhandled answers an event that has no handler.
func (c *Conn) unhandled(ctx context.Context, e Event) error {
	if !c.dialect.reloads(e) {
		return nil
	}
	return c.Unknown(ctx, e.Component, true)
}

// SyncBrowserState implements [runtime.LivelyConn]. It returns once the frame is
// on its way, not when the page has fetched. A page that comes back without having
// had the frame gets it again.
func (c *Conn) SyncBrowserState(ctx context.Context, url string) error {
	if c.page != nil {
		c.page.toFetch(url)
	}
	return c.send(ctx, c.dialect.fetch(url))
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

// close lets the frames before it through and closes. A page that is to connect
// again gets the answer of the event that runs before. Only the first call does
// anything; it returns when the connection is closed.
func (c *Conn) close(code websocket.StatusCode, reason string) {
	c.closing.Do(func() {
		c.in.stop()
		if code == closeReconnect {
			c.in.wait()
		}
		ctx, cancel := context.WithTimeout(c.ctx, c.config.WriteTime)
		defer cancel()
		c.leavePage(ctx)
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
	frame, after := c.dialect.farewell(code)
	if frame == nil {
		return
	}
	c.linger(after)
	if c.out.put(ctx, frame) == nil {
		c.linger(leaving)
	}
}

// linger waits, but not beyond the end of the connection.
func (c *Conn) linger(d time.Duration) {
	select {
	case <-c.ctx.Done():
	case <-time.After(d):
	}
}

// leavePage takes up no more events of the page, and tells it so.
func (c *Conn) leavePage(ctx context.Context) {
	if c.page == nil {
		return
	}
	c.page.leave(c)
	_, taken := c.page.since(math.MaxInt64)
	_ = c.out.put(ctx, c.encodeTaken(taken, true)) // the page may be gone
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
	before := c.heard.Load()
	// While events wait for room nobody reads the answer.
	if err := c.ws.Ping(ctx); err != nil && !c.in.isFull() && c.heard.Load() == before {
		_ = c.ws.CloseNow()
		return
	}
	c.pinging.Reset(c.config.PingEvery)
}

// An exit is what there is to do at the end of a connection, the last first.
type exit []func()

func (x *exit) push(f func()) { *x = append(*x, f) }

func (x exit) run() {
	for _, f := range slices.Backward(x) {
		f()
	}
}

// serve reads until the connection ends.
func (c *Conn) serve(ends exit) {
	defer ends.run()
	c.read()
}

// read hands every frame on until the connection ends.
func (c *Conn) read() {
	for {
		kind, b, err := c.ws.Read(c.ctx)
		if err != nil {
			return
		}
		c.heard.Store(time.Now().UnixNano())
		if kind != websocket.MessageBinary {
			c.close(websocket.StatusUnsupportedData, "frames are binary")
			return
		}
		opcode := opcodeOf(b)
		if opcode == opHeartbeat && c.page != nil {
			c.out.putIdle(encodeHeartbeat())
			continue
		}
		c.lastRead.Store(time.Now().UnixNano())
		if opcode != opResult {
			c.in.put(b)
			c.heard.Store(time.Now().UnixNano())
		} else if frame, ok := c.decode(b); ok {
			c.answered(frame.(result))
		}
	}
}

// decode decodes a frame. It begins to close the connection if that is none.
func (c *Conn) decode(b []byte) (frame any, ok bool) {
	decode := c.dialect.decode
	if c.page != nil {
		decode = decodeNumbered
	}
	frame, err := decode(b, c.config.ReadElements)
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
	if c.page != nil {
		c.page.leave(c)
		defer c.page.ended(c)
	}
	c.out.refuse(ErrClosed)
	c.cancel()
	c.pinging.Stop()
	_ = c.ws.CloseNow() // closed already, mostly
	c.in.wait()
}
