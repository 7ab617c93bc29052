package lively

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

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
// when it returns nil; an error or a panic discards that. The context ends after
// [Config.EventTime] and at the end of [Endpoint.Shutdown], but not because the
// connection breaks.
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

	pages *pages

	mu        sync.Mutex
	conns     map[*Conn]bool
	entered   int   // connections, also those in a handshake
	bySession count // the same, by handle; empty: without a session
	byAddress count
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
		pages:    newPages(config.Pages, config.QueueEvents),
		conns:    map[*Conn]bool{},

		bySession: count{},
		byAddress: count{},
	}
}

// Handle registers the handler of the events with a name, before the endpoint
// serves. An event without a handler is of a page that another version of the
// program has made: the page is told to load itself again.
func (e *Endpoint[S]) Handle(event string, handle Handler[S]) { e.handlers[event] = handle }

// HandleNavigation registers what answers navigation, before the endpoint serves.
// Without it the browser loads the page that is wanted.
func (e *Endpoint[S]) HandleNavigation(handle NavigationHandler[S]) { e.navigate = handle }

// ServeHTTP makes the handshake. The connection goes on once it has returned, with the
// values of the request's context.
func (e *Endpoint[S]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.refusesOrigin(w, r) {
		return
	}
	greeting, err := greetingOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var ends exit // unless the connection goes on
	defer func() { ends.run() }()
	if !e.enter() {
		comeBack(w, http.StatusServiceUnavailable)
		return
	}
	ends.push(e.leave)
	s := e.from(r.Context())
	load(r.Context(), s)
	leave, ok := e.enterAs(handleOf(s), e.config.Address(r))
	if !ok {
		comeBack(w, http.StatusTooManyRequests)
		return
	}
	ends.push(leave)
	// The origin has been checked, more exactly than Accept does.
	ws, err := websocket.Accept(slim(w), r, &websocket.AcceptOptions{InsecureSkipVerify: true, Subprotocols: []string{subprotocol}})
	if err != nil {
		return // answered
	}
	var c *Conn
	c = newConn(context.WithoutCancel(r.Context()), ws, &e.config, func(frame any, at time.Time) { e.dispatch(c, frame, at, s) })
	greet := e.join(c, greeting)
	ends.push(c.end)
	disconnect, err := e.sessions.LivelyConnect(c.ctx, c, s)
	if err != nil {
		e.config.OnError(r.Context(), fmt.Errorf("open a live connection: %w", err))
		c.close(closeBusy, "try again later")
		return
	}
	ends.push(disconnect)
	if !e.add(c) {
		c.close(closeReconnect, "the server restarts")
		return
	}
	ends.push(func() { e.remove(c) })
	if greet != nil {
		c.in.begin(greet)
	}
	// The request, its buffers and the stack that the handshake needed are let go.
	go c.serve(ends)
	ends = nil
}

// join joins the connection to its page, if that has an id, and returns what comes
// before its first event.
func (e *Endpoint[S]) join(c *Conn, g *greeting) (greet func()) {
	if g == nil {
		return nil
	}
	page, before, known := e.pages.join(g, c)
	c.page = page
	return func() { c.greet(before, g, known) }
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

// enterAs counts a connection of a session and of an address, unless one of them
// has too many. Connections without a stored session are none of any.
func (e *Endpoint[S]) enterAs(handle, address string) (leave func(), ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.bySession.add(handle, e.config.SessionConnections) {
		return nil, false
	}
	if !e.byAddress.add(address, e.config.AddressConnections) {
		e.bySession.remove(handle)
		return nil, false
	}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.bySession.remove(handle)
		e.byAddress.remove(address)
	}, true
}

// A count says how many there are by name. Those without a name do not count.
type count map[string]int

// add reports false if there were more than the limit then; 0 is none.
func (n count) add(name string, limit int) bool {
	if name == "" {
		return true
	}
	if limit > 0 && n[name] >= limit {
		return false
	}
	n[name]++
	return true
}

func (n count) remove(name string) {
	if n[name]--; n[name] <= 0 {
		delete(n, name)
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
		go c.close(closeReconnect, "the server restarts")
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
		c.cut()
	}
}
