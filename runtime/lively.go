package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A LivelyConn is all that a live connection must offer to a session.
type LivelyConn interface {
	// ExecuteJS runs script in the page (opcode 101).
	ExecuteJS(ctx context.Context, code string) error

	// SyncBrowserState makes the page fetch url, of its own origin and with
	// credentials, so that the answer's cookies reach the browser (opcode 170).
	SyncBrowserState(ctx context.Context, url string) error
}

// ticketLife is how long a ticket can be redeemed.
const ticketLife = 30 * time.Second

// live is what a session knows of its live connection.
type live struct {
	events sync.Mutex      // one event at a time
	ctx    context.Context // of the handshake
	saw    Proof           // what the browser presented at the handshake; zero: no live session

	// undelivered says that only a ticket can bring the session's token to the
	// browser.
	undelivered bool
	ticket      secret // to be sent, with cookieSet

	socket *socket // nil: the connection cannot be closed by the session
}

// goLive turns the session of a handshake, loaded and committed, into that of a
// live connection.
func (s *Session) goLive() {
	s.live = &live{ctx: s.ctx}
	if s.alive && s.known {
		s.live.saw = s.proof
	}
}

// between leaves the session unloaded and clean, as it is outside an event. A
// session without a store has nothing but what it holds, and keeps it.
func (s *Session) between() {
	s.drop()
	s.phase, s.ctx, s.arrived = phaseBetween, s.live.ctx, s.engine.clock.sinceEpoch()
	if s.engine.store != nil {
		s.record, s.loaded = nil, false
	}
	s.read, s.blocked, s.outage = false, nil, false
	s.cookie = cookieKept
	s.misfits = nil
}

// LivelyEvent runs one event of a live connection: with a fresh session, the
// handler, then ProcessLivelyEvent. Where the handler fails or panics its
// changes are discarded, but for those that it has saved. Events of one connection
// run one after the other. It returns the handler's error, or that of the commit,
// or that of telling the browser; after [ErrEnded] the connection is to be closed.
func (m *Manager[S]) LivelyEvent(ctx context.Context, conn LivelyConn, s *Session, handle func(context.Context) error) error {
	if err := s.enterEvents(ctx); err != nil {
		return err
	}
	s.live.events.Lock()
	defer s.live.events.Unlock()
	ctx = m.carry(ctx, s)
	s.beginEvent(ctx)
	finished := false
	defer func() {
		if !finished {
			s.discard(ctx, conn)
		}
	}()
	if err := handle(ctx); err != nil {
		return err
	}
	finished = true
	return s.endEvent(ctx, conn)
}

// ProcessLivelyEvent is the second half of LivelyEvent: it commits what an event
// changed, tells the browser where its cookie has to change, and leaves the
// session unloaded and clean, also when it fails.
func (m *Manager[S]) ProcessLivelyEvent(ctx context.Context, conn LivelyConn, s *Session) error {
	if err := s.enterEvents(ctx); err != nil {
		return err
	}
	return s.endEvent(ctx, conn)
}

// carry returns a context that carries this session, as that of its handshake
// does.
func (m *Manager[S]) carry(ctx context.Context, s *Session) context.Context {
	if x := m.exchangeOf(ctx); x != nil && &x.session == s {
		return ctx
	}
	typed := m.model.wrap(s)
	return context.WithValue(ctx, (*S)(nil), &typed)
}

// enterEvents makes the session that of a live connection where no hijacked
// handshake has done so. The request that brought it may be answered already.
func (s *Session) enterEvents(ctx context.Context) error {
	s.lock()
	defer s.unlock()
	if s.phase == phaseOutside {
		return s.fail(ErrNoMiddleware)
	}
	if s.live != nil {
		return nil
	}
	s.phase, s.blocked, s.outage = phaseOpen, nil, false
	s.load(ctx)
	if s.outage {
		return s.blocked
	}
	s.goLive()
	return nil
}

func (s *Session) beginEvent(ctx context.Context) {
	s.lock()
	defer s.unlock()
	for i := range s.pending {
		s.report(EventDiscarded, s.pending[i].field.Key, nil)
	}
	if s.doomed != nil || s.known && (s.renew || s.expiry != nil) {
		s.report(EventDiscarded, "", nil)
	}
	s.between()
	s.phase, s.ctx, s.err = phaseOpen, ctx, nil
	s.live.socket.begin()
}

// discard ends an event whose handler failed. What it has saved is stored, so
// the browser learns of that.
func (s *Session) discard(ctx context.Context, conn LivelyConn) {
	s.lock()
	s.drop()
	tell, met, socket := s.delivery(), s.blocked, s.live.socket
	socket.moved(s)
	s.between()
	s.unlock()
	if err := tell(ctx, conn); err != nil {
		s.engine.config.OnError(ctx, fmt.Errorf("tell the browser of its session cookie: %w", err))
	}
	socket.finish(met)
}

func (s *Session) endEvent(ctx context.Context, conn LivelyConn) error {
	s.lock()
	s.phase = phaseOpen // without LivelyEvent its changes were made between events
	socket := s.live.socket
	socket.begin()
	err := s.hookCommit()
	if err == nil && (errors.Is(s.blocked, ErrEnded) || s.outage && s.engine.config.FailClosed) {
		err = s.blocked
	}
	tell, met := s.delivery(), s.blocked
	socket.moved(s)
	s.between()
	s.unlock()
	if failed := tell(ctx, conn); err == nil {
		err = failed
	}
	socket.finish(met)
	return err
}

// delivery returns what tells the browser of its new cookie.
func (s *Session) delivery() func(context.Context, LivelyConn) error {
	config := &s.engine.config
	change := s.cookie
	switch {
	case change == cookieKept:
		return func(context.Context, LivelyConn) error { return nil }
	case !config.Cookie.HTTPOnly:
		code := s.cookieScript(change)
		return func(ctx context.Context, conn LivelyConn) error { return conn.ExecuteJS(ctx, code) }
	}
	url := config.SyncPath
	if change == cookieSet {
		url += "?" + ticketParam + "=" + token{s.id, s.live.ticket}.text()
	}
	return func(ctx context.Context, conn LivelyConn) error { return conn.SyncBrowserState(ctx, url) }
}

// byTicket reports whether the browser can and has to fetch its cookie with a
// ticket.
func (s *Session) byTicket() bool {
	return s.live != nil && s.phase != phaseBetween && s.engine.config.Cookie.HTTPOnly
}

// newTicket makes the ticket of a delta or a new record.
func (s *Session) newTicket(now time.Time, sole bool) (*Ticket, secret) {
	t := newSecret()
	return &Ticket{
		Proof: t.ticketProof(s.engine.kind),
		Ends:  now.Add(ticketLife).Truncate(time.Millisecond),
		Saw:   s.live.saw,
		Sole:  sole,
	}, t
}

// ticketProof differs from the proof of a token's secret, so that a ticket opens
// nothing as a cookie.
func (s secret) ticketProof(kind string) Proof { return s.proof(kind + " ticket") }

// cookieScript sets or removes the cookie by script, in the form that a
// Set-Cookie header has.
func (s *Session) cookieScript(change cookieChange) string {
	c := &s.engine.config.Cookie
	value, expires := "", time.Unix(0, 0)
	if change == cookieSet {
		value, expires = s.token().text(), s.cookieEnds
	}
	parts := []string{c.Name + "=" + value}
	if !c.BrowserClose || change == cookieCleared {
		parts = append(parts, "expires="+expires.UTC().Format(http.TimeFormat))
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
