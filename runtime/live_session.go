package runtime

import (
	"context"
	"errors"
)

// A liveSession is the session of a handshake or of a live connection. Between two
// events it is unloaded and clean.
type liveSession struct{ *Session }

// loadUsed loads the session of a handshake that the handler has used, so that it
// counts as seen alive. It returns the error of a store that fails, and ErrUnbound.
func (s liveSession) loadUsed() error {
	s.mu.Lock()
	if s.state == nil {
		s.mu.Unlock()
		return nil
	}
	defer s.unlock()
	s.load(s.ctx)
	if s.refusesConnection() {
		return s.refusal
	}
	return nil
}

// refusesConnection reports whether the page had better connect again: nobody knows
// its session, or its browser has not proved that it is on the session's device.
func (s liveSession) refusesConnection() bool {
	return s.sight == outage || errors.Is(s.refusal, ErrUnbound)
}

// handOver takes note that a handshake's connection belongs to the handler. If
// nobody has used the session yet, the first event loads it.
func (s liveSession) handOver() {
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

// goLive turns the session of a handshake, loaded and committed, into that of a
// live connection.
func (s liveSession) goLive() {
	s.live = &connection{ctx: s.ctx, superseded: errors.Is(s.refusal, ErrSuperseded)}
	s.live.proved = s.engine.provedBy(s.brought, s.draft.stored, s.engine.clock.read())
	s.live.saw = s.present()
}

// enter makes the session that of a live connection if no hijacked
// handshake has done so. The request that brought it may be answered already.
func (s liveSession) enter(ctx context.Context) error {
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
	if s.refusesConnection() {
		return s.refusal
	}
	s.goLive()
	return nil
}

// outlive gives the session the connection's context in the place of the request's,
// which ends with the handler.
func (s liveSession) outlive(ctx context.Context) {
	s.lock()
	defer s.unlock()
	s.live.ctx, s.ctx = ctx, ctx
}

// between leaves the session unloaded and clean, as it is outside an event. A
// session without a store has nothing but what it holds, and keeps it.
func (s liveSession) between() {
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
func (s liveSession) unload() {
	to := absent
	if s.hasToken {
		to = unseen
	}
	s.move(to, nil, nil)
}
