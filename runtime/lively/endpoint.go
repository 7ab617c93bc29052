package lively

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"

	"github.com/coder/websocket"

	"github.com/duckgen/duckgen/runtime"
)

// Sessions are what an endpoint needs of the generated sessions of type S.
type Sessions[S any] interface {
	CheckOrigin(r *http.Request) error
	LivelyConnect(ctx context.Context, conn runtime.LivelyCloser, s *S) (disconnect func(), err error)
	LivelyEvent(ctx context.Context, conn runtime.LivelyConn, s *S, handle func(context.Context) error) error
}

// A Handler handles the events of one name. Events of one connection come one
// after the other. The session is fresh, and what the handler changes is stored
// when it returns nil; an error or a panic discards that. The context ends with
// the connection, and after [Config.EventTime].
type Handler[S any] func(ctx context.Context, c *Conn, e Event, s *S) error

// A NavigationHandler shows a page the next one, with [Conn.Navigate]. Where it
// returns an error or panics the browser loads that page.
type NavigationHandler[S any] func(ctx context.Context, c *Conn, n Navigation, s *S) error

// An Endpoint serves live connections. Mount it behind the middleware of its
// sessions. It is safe for concurrent use once its handlers are registered.
type Endpoint[S any] struct {
	sessions Sessions[S]
	from     func(context.Context) *S
	config   Config
	handlers map[string]Handler[S]
	navigate NavigationHandler[S]
	uploads  map[string]receiver[S]

	mu        sync.Mutex
	conns     map[*Conn]bool
	entered   int            // connections, also those in a handshake
	bySession map[string]int // the same, by handle; empty: without a session
	closed    bool
	open      sync.WaitGroup
}

// New returns an endpoint for pages whose visitors have sessions of the manager;
// from finds the session of a request. It panics on a configuration that cannot
// be meant, saying what is wrong with it.
func New[S any](sessions Sessions[S], from func(context.Context) *S, configure ...func(*Config)) *Endpoint[S] {
	config := defaultConfig()
	for _, f := range configure {
		f(&config)
	}
	if err := config.validate(); err != nil {
		panic(fmt.Sprintf("lively: %v", err))
	}
	return &Endpoint[S]{
		sessions: sessions,
		from:     from,
		config:   config,
		handlers: map[string]Handler[S]{},
		uploads:  map[string]receiver[S]{},
		conns:    map[*Conn]bool{},

		bySession: map[string]int{},
	}
}

// Handle registers the handler of the events with a name, before the endpoint
// serves. An event without a handler is of a page that another version of the
// program has made: the page is told to load itself again.
func (e *Endpoint[S]) Handle(event string, handle Handler[S]) { e.handlers[event] = handle }

// HandleNavigation registers what answers navigation, before the endpoint serves.
// Without it the browser loads the page that is wanted.
func (e *Endpoint[S]) HandleNavigation(handle NavigationHandler[S]) { e.navigate = handle }

// ServeHTTP makes the handshake and serves the connection until it ends.
func (e *Endpoint[S]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.refusesOrigin(w, r) {
		return
	}
	if !e.enter() {
		comeBack(w, http.StatusServiceUnavailable)
		return
	}
	defer e.leave()
	s := e.from(r.Context())
	load(r.Context(), s)
	handle := handleOf(s)
	if !e.enterSession(handle) {
		comeBack(w, http.StatusTooManyRequests)
		return
	}
	defer e.leaveSession(handle)
	// The origin has been checked, more exactly than Accept does.
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // answered
	}
	var c *Conn
	c = newConn(r.Context(), ws, &e.config, func(frame any) { e.dispatch(c, frame, s) })
	defer c.end()
	disconnect, err := e.sessions.LivelyConnect(c.ctx, c, s)
	if err != nil {
		e.config.OnError(r.Context(), fmt.Errorf("open a live connection: %w", err))
		c.close(closeBusy, "try again later")
		return
	}
	defer disconnect()
	if !e.add(c) {
		c.close(closeReconnect, "the server restarts")
		return
	}
	defer e.remove(c)
	c.read()
}

// refusesOrigin answers a page that may not use the endpoint.
func (e *Endpoint[S]) refusesOrigin(w http.ResponseWriter, r *http.Request) bool {
	err := e.sessions.CheckOrigin(r)
	if err != nil {
		e.config.OnError(r.Context(), err)
		http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
	}
	return err != nil
}

// load loads the session of a handshake. If that fails the middleware answers the
// upgrade with 503, and the page comes back later.
func load[S any](ctx context.Context, s *S) {
	if l, ok := any(s).(interface{ Load(context.Context) error }); ok {
		_ = l.Load(ctx) // reported to the OnError of the sessions
	}
}

// handleOf names the session of a connection, if there is a stored one.
func handleOf[S any](s *S) string {
	if h, ok := any(s).(interface{ Handle() string }); ok {
		return h.Handle()
	}
	return ""
}

// comeBack refuses a handshake. Clients try again later.
func comeBack(w http.ResponseWriter, status int) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, http.StatusText(status), status)
}

// enter counts a connection, unless the endpoint is full or shut down.
func (e *Endpoint[S]) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.config.Connections > 0 && e.entered >= e.config.Connections {
		return false
	}
	e.entered++
	e.open.Add(1)
	return true
}

func (e *Endpoint[S]) leave() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.entered--
	e.open.Done()
}

// enterSession counts a connection of a session, unless that has too many.
// Connections without a stored session are none of any.
func (e *Endpoint[S]) enterSession(handle string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if limit := e.config.SessionConnections; handle != "" && limit > 0 && e.bySession[handle] >= limit {
		return false
	}
	e.bySession[handle]++
	return true
}

func (e *Endpoint[S]) leaveSession(handle string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.bySession[handle]--; e.bySession[handle] == 0 {
		delete(e.bySession, handle)
	}
}

func (e *Endpoint[S]) add(c *Conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.conns[c] = true
	}
	return !e.closed
}

// Len returns the number of open connections.
func (e *Endpoint[S]) Len() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.conns)
}

func (e *Endpoint[S]) remove(c *Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.conns, c)
}

// Shutdown refuses new connections, lets the events that run finish, and tells
// the pages to connect again, which another process may answer. It returns when
// all connections are closed, or cuts off those that are left once ctx is done.
// [http.Server.Shutdown] knows nothing of them: call it first, this afterwards.
func (e *Endpoint[S]) Shutdown(ctx context.Context) error {
	e.mu.Lock()
	e.closed = true
	for c := range e.conns {
		go func() {
			c.in.stop()
			c.in.wait()
			c.close(closeReconnect, "the server restarts")
		}()
	}
	e.mu.Unlock()
	done := make(chan struct{})
	go func() {
		e.open.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		e.cutOff()
		return context.Cause(ctx)
	}
}

func (e *Endpoint[S]) cutOff() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.conns {
		c.cancel()
	}
}

// dispatch runs one event or navigation. What fails is reported and, but for a
// panic, leaves the connection as it is.
func (e *Endpoint[S]) dispatch(c *Conn, frame any, s *S) {
	defer func() {
		if r := recover(); r != nil {
			e.config.OnError(c.ctx, fmt.Errorf("panic in the handler of %s: %v\n%s", label(frame), r, debug.Stack()))
			go c.close(websocket.StatusInternalError, "internal error")
		}
	}()
	ctx, cancel := context.WithTimeout(c.ctx, e.config.EventTime)
	defer cancel()
	var err error
	switch frame := frame.(type) {
	case Event:
		err = e.event(ctx, c, frame, s)
	case Navigation:
		err = e.navigation(ctx, c, frame, s)
	}
	if err != nil && !errors.Is(err, ErrClosed) && c.ctx.Err() == nil {
		e.config.OnError(ctx, fmt.Errorf("%s: %w", label(frame), err))
	}
}

func (e *Endpoint[S]) event(ctx context.Context, c *Conn, event Event, s *S) error {
	handle := e.handlers[event.Name]
	if handle == nil {
		return c.unhandled(ctx, event)
	}
	return e.sessions.LivelyEvent(ctx, c, s, func(ctx context.Context) error { return handle(ctx, c, event, s) })
}

func (e *Endpoint[S]) navigation(ctx context.Context, c *Conn, n Navigation, s *S) error {
	load := Page{Path: n.Path, Reload: true}
	if e.navigate == nil {
		return c.Navigate(ctx, load)
	}
	err := e.sessions.LivelyEvent(ctx, c, s, func(ctx context.Context) error { return e.navigate(ctx, c, n, s) })
	if err != nil {
		// The event's time may be over, not the connection's. A page whose connection
		// is closed loads what it wanted by itself.
		_ = c.Navigate(c.ctx, load)
	}
	return err
}

// label names a frame for a log.
func label(frame any) string {
	if event, ok := frame.(Event); ok {
		return fmt.Sprintf("event %q", event.Name)
	}
	return "navigation"
}
