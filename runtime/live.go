package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// LivelyConnect makes a connection one that is closed as soon as its session
// ends, by whatever and in whatever process, and sent to reconnect when the
// session's token is renewed by somebody else. Call it before the first event,
// and what it returns once the connection is closed. It loads the session to see
// what has happened since the handshake. It returns an error if the store
// cannot be watched; the connection is then to be closed.
func (m *Manager[S]) LivelyConnect(ctx context.Context, conn LivelyCloser, s *Session) (disconnect func(), err error) {
	live := liveSession{s}
	if err := live.enter(ctx); err != nil {
		return nil, err
	}
	live.outlive(ctx)
	if s.engine.store == nil {
		return func() {}, nil
	}
	x, err := m.engine.sockets.connect(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("watch the store for the end of sessions: %w", err)
	}
	s.lock()
	s.live.socket, x.proved = x, s.live.proved
	live.moveSocket()
	superseded := s.live.superseded
	s.unlock()
	x.opened(superseded)
	return x.disconnect, nil
}

// LivelyEvent runs one event of a live connection: with a fresh session, the
// handler, then ProcessLivelyEvent. If the handler fails or panics its changes are
// discarded, except those that it has saved. Events of one connection run one
// after the other. It returns the handler's error, or that of the commit, or that
// of telling the browser. After [ErrEnded] the connection is to be closed, and after
// [ErrUnbound], with which the handler is not called, so that the page connects again.
// [ErrSuperseded] means that another request has signed in: nothing is stored, what the
// handler read were defaults, and the session has the page connect again.
func (m *Manager[S]) LivelyEvent(ctx context.Context, conn LivelyConn, s *Session, handle func(context.Context) error) error {
	event := liveEvent{liveSession{s}, conn}
	if err := event.enter(ctx); err != nil {
		return err
	}
	s.live.events.Lock()
	defer s.live.events.Unlock()
	if ctx = m.carry(ctx, s); m.engine.config.Tracer != nil {
		return event.traced(ctx, handle)
	}
	return event.run(ctx, handle)
}

// ProcessLivelyEvent is the second half of LivelyEvent: it commits what an event
// changed, tells the browser if its cookie has to change, and leaves the session
// unloaded and clean, also when it fails.
func (m *Manager[S]) ProcessLivelyEvent(ctx context.Context, conn LivelyConn, s *Session) error {
	event := liveEvent{liveSession{s}, conn}
	if err := event.enter(ctx); err != nil {
		return err
	}
	return event.commit(ctx)
}

// carry returns a context that carries this session, as that of its handshake
// does.
func (m *Manager[S]) carry(ctx context.Context, s *Session) context.Context {
	if x := m.engine.exchangeOf(ctx); x != nil && x.session() == s {
		return ctx
	}
	typed := m.model.wrap(s)
	return context.WithValue(ctx, (*S)(nil), &typed)
}

// A liveEvent is one event of a live connection on its session.
type liveEvent struct {
	liveSession
	conn LivelyConn
}

// run runs the event.
func (e liveEvent) run(ctx context.Context, handle func(context.Context) error) error {
	e.begin(ctx)
	finished := false
	defer func() {
		if !finished {
			e.discard(ctx)
		}
	}()
	if err := e.proveDevice(ctx); err != nil {
		return err
	}
	if err := handle(ctx); err != nil {
		return err
	}
	finished = true
	return e.commit(ctx)
}

// begin makes the session fresh. What was changed since the last event and not
// saved is lost, with a report.
func (e liveEvent) begin(ctx context.Context) {
	e.lock()
	defer e.unlock()
	for i := range e.draft.pending {
		if p := &e.draft.pending[i]; p.changes() {
			e.report(EventDiscarded, p.field.Key, nil)
		}
	}
	if e.life.changes(e.hasToken) {
		e.report(EventDiscarded, "", nil)
	}
	e.between()
	e.phase, e.ctx, e.err = phaseOpen, ctx, nil
	e.live.socket.begin()
}

// proveDevice returns ErrUnbound if the page has to connect again, to prove that it
// is on the session's device: the event does not take place.
func (e liveEvent) proveDevice(ctx context.Context) error {
	e.lock()
	defer e.unlock()
	if !e.live.isUnproved(e.engine.clock.read()) {
		return nil
	}
	e.load(ctx)
	if errors.Is(e.refusal, ErrUnbound) {
		return e.refusal
	}
	return nil
}

// commit ends an event whose handler has succeeded.
func (e liveEvent) commit(ctx context.Context) (err error) {
	told := e.end(ctx, func() {
		err = e.hookCommit()
		if err == nil && e.wasBlind() {
			err = e.refusal
		}
	})
	if err == nil {
		err = told
	}
	return err
}

// wasBlind reports whether the handler saw defaults in the place of a session that is
// no longer the connection's. A session that could not be loaded counts by the
// configuration, as in a request.
func (e liveEvent) wasBlind() bool {
	return errors.Is(e.refusal, ErrEnded) || errors.Is(e.refusal, ErrSuperseded) ||
		e.sight == outage && e.engine.config.FailClosed
}

// discard ends an event whose handler has failed. What that has saved is stored,
// so the browser learns of it.
func (e liveEvent) discard(ctx context.Context) {
	if err := e.end(ctx, e.drop); err != nil {
		e.engine.fault(ctx, "notify", e.loggedHandle(), err)
	}
}

// end commits or drops, tells the browser, and lets the socket judge what it
// heard meanwhile. It returns the error of telling.
func (e liveEvent) end(ctx context.Context, settle func()) error {
	e.lock()
	e.phase = phaseOpen // after ProcessLivelyEvent alone its changes were made between events
	socket := e.live.socket
	socket.begin()
	settle()
	tell, met := e.delivery(), e.refusal
	e.moveSocket()
	e.between()
	e.unlock()
	err := tell(ctx, e.conn)
	if err != nil {
		err = fmt.Errorf("tell the browser of its session cookie: %w", err)
	}
	socket.finish(met)
	return err
}

// moveSocket tells the connection's socket which session it now belongs to.
func (s liveSession) moveSocket() {
	var id ID
	if s.hasToken {
		id = s.id
	}
	var expires time.Time
	if s.draft.stored != nil {
		expires = s.draft.stored.Expires
	}
	s.live.socket.moved(id, s.present(), expires, s.live.destroyed)
}

// delivery returns what tells the browser of its new cookie.
func (s liveSession) delivery() func(context.Context, LivelyConn) error {
	config := &s.engine.config
	switch {
	case s.cookie == cookieKept:
		return func(context.Context, LivelyConn) error { return nil }
	case s.engine.byScript():
		code := config.Cookie.script("", new(time.Unix(0, 0)))
		if s.cookie == cookieSet {
			code = config.Cookie.script(s.token().text(), s.cookieEnds)
		}
		return func(ctx context.Context, conn LivelyConn) error { return conn.ExecuteJS(ctx, code) }
	}
	url := config.SyncPath
	if s.cookie == cookieSet {
		url += "?" + ticketParam + "=" + token{s.id, s.live.ticket}.text()
	}
	return func(ctx context.Context, conn LivelyConn) error { return conn.SyncBrowserState(ctx, url) }
}

// script sets the cookie by script, in the form that a Set-Cookie header has. Without
// an end it ends with the browser's own session.
func (c *Cookie) script(value string, ends *time.Time) string {
	parts := []string{c.Name + "=" + value}
	if ends != nil {
		parts = append(parts, "expires="+ends.UTC().Format(http.TimeFormat))
	}
	parts = append(parts, "path="+c.Path)
	if c.Domain != "" {
		parts = append(parts, "domain="+c.Domain)
	}
	parts = append(parts, "SameSite="+sameSiteName(c.SameSite))
	if c.Secure {
		parts = append(parts, "Secure")
	}
	if c.Partitioned {
		parts = append(parts, "Partitioned")
	}
	quoted, _ := json.Marshal(strings.Join(parts, "; ")) // a string always marshals
	return "document.cookie = " + string(quoted) + ";"
}

func sameSiteName(mode http.SameSite) string {
	switch mode {
	case http.SameSiteStrictMode:
		return "Strict"
	case http.SameSiteNoneMode:
		return "None"
	default:
		return "Lax"
	}
}
