package runtime

import (
	"context"
	"sync"
	"time"
)

// connection is what a session knows of the live connection that it belongs to.
type connection struct {
	events sync.Mutex      // one event at a time
	ctx    context.Context // of the handshake
	saw    Proof           // what the browser presented at the handshake; zero: no live session

	// undelivered says that only a ticket can bring the session's token to the
	// browser.
	undelivered bool
	ticket      secret // to be sent, with cookieSet

	destroyed bool // by the running event

	socket *socket // nil: the connection cannot be closed by the session
}

// ticketLife is how long a ticket can be redeemed.
const ticketLife = 30 * time.Second

// goLive turns the session of a handshake, loaded and committed, into that of a
// live connection.
func (s *Session) goLive() {
	s.live = &connection{ctx: s.ctx}
	if s.confirmed && s.hasToken {
		s.live.saw = s.proof
	}
}

// loadUsed loads the session of a handshake that the handler has used, so that it
// counts as seen alive. It returns the error of a store that fails.
func (s *Session) loadUsed() error {
	s.mu.Lock()
	if s.state == nil {
		s.mu.Unlock()
		return nil
	}
	defer s.unlock()
	s.load(s.ctx)
	if s.sight == outage {
		return s.refusal
	}
	return nil
}

// handOver takes note that a handshake's connection belongs to the handler. If
// nobody has used the session yet, the first event loads it.
func (s *Session) handOver() {
	s.mu.Lock()
	if s.state == nil {
		s.phase = phaseBetween
		s.mu.Unlock()
		return
	}
	defer s.unlock()
	s.goLive()
	s.between()
}

// enterEvents makes the session that of a live connection if no hijacked
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
	if s.phase != phaseBetween {
		s.phase = phaseOpen
	}
	if s.refusal != nil { // a request's ends with it
		s.unload()
	}
	s.load(ctx)
	if s.sight == outage {
		return s.refusal
	}
	s.goLive()
	return nil
}

// between leaves the session unloaded and clean, as it is outside an event. A
// session without a store has nothing but what it holds, and keeps it.
func (s *Session) between() {
	s.drop()
	s.phase, s.ctx, s.arrived = phaseBetween, s.live.ctx, s.engine.clock.sinceEpoch()
	if s.engine.store != nil {
		s.unload()
	}
	s.passive, s.consulted, s.live.destroyed = false, false, false
	s.cookie = cookieKept
	s.reportMisfits()
	s.draft.misfits = nil
}

// unload forgets what was seen and refused, so that the next use loads.
func (s *Session) unload() {
	to := absent
	if s.hasToken {
		to = unseen
	}
	s.move(to, nil, nil)
}

// byTicket reports whether the browser can and has to fetch its cookie with a
// ticket.
func (s *Session) byTicket() bool {
	return s.live != nil && s.phase != phaseBetween && s.engine.config.Cookie.HTTPOnly
}

// newTicket makes the ticket of a delta or a new record.
func (c *connection) newTicket(kind string, now time.Time, sole bool) (*Ticket, secret) {
	t := newSecret()
	return &Ticket{
		Proof: t.ticketProof(kind),
		Ends:  now.Add(ticketLife).Truncate(time.Millisecond),
		Saw:   c.saw,
		Sole:  sole,
	}, t
}

// deliver notes that the browser has to learn the session's token, over a live
// connection by the ticket, nil if none is needed.
func (s *Session) deliver(ticket *Ticket, secret secret) {
	s.cookie = cookieSet
	if ticket != nil {
		s.live.ticket, s.live.undelivered = secret, ticket.Sole
	}
}
