package runtime

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
)

// Middleware gives every request its session and commits it before the first
// byte of the response, and again at the end if something changed later.
func (m *Manager[S]) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := m.begin(r)
		switch {
		case x == nil:
			next.ServeHTTP(w, r)
		case m.engine.config.Tracer != nil:
			x.serveTraced(w, next)
		default:
			x.serve(w, next)
		}
	})
}

// An Outliving is a [http.ResponseWriter] of a server that may go on with a response
// after the handler has returned, as one on fasthttp does with a stream. The
// Middleware asks it once the handler has returned. If it says yes, it calls end
// when the response is over, once and in any goroutine; until then the session is
// as it is for a handler that streams.
type Outliving interface {
	Outlives(end func()) bool
}

// serve answers a request that has its session.
func (x *exchange) serve(w http.ResponseWriter, next http.Handler) {
	x.handle(w, next)
	if o := outliving(w); o != nil && o.Outlives(x.writer.finish) {
		return
	}
	x.writer.finish()
}

// handle runs the handler. If that panics nothing more of its request is committed.
func (x *exchange) handle(w http.ResponseWriter, next http.Handler) {
	x.writer.open(w)
	returned := false
	defer func() {
		if !returned {
			x.writer.abandon()
		}
	}()
	next.ServeHTTP(x.writer.face(), x.session().request)
	returned = true
}

// ProcessRequest attaches the session to the request's context, for frameworks
// without [http.Handler]. ProcessResponse is its counterpart.
func (m *Manager[S]) ProcessRequest(r *http.Request) *http.Request {
	x := m.begin(r)
	if x == nil {
		return r
	}
	return x.session().request
}

// ProcessResponse commits the session of a request that came from
// ProcessRequest and puts the cookie into w's header. Call it before anything is
// written to w; after an error answer with [StatusOf] it. After [ErrUnbound] w's
// header may have a field by which the page loads itself again.
func (m *Manager[S]) ProcessResponse(w http.ResponseWriter, r *http.Request) error {
	x := m.engine.exchangeOf(r.Context())
	if x == nil {
		return ErrNoMiddleware
	}
	s := x.session()
	if m.engine.config.Tracer != nil {
		defer traceEnd(x.Context, s, 0, nil)
	}
	if (response{s}).pass(phaseClosed, nil, false) {
		return nil
	}
	s.lock()
	defer s.unlock()
	if s.live != nil {
		return nil
	}
	err := response{s}.commit(false)
	responseHeader{s, w.Header()}.send(false)
	if (response{s}).comesAgain() {
		reload(w.Header())
		err = s.refusal
	}
	s.phase = phaseClosed
	return err
}

// begin attaches a session to the request. It returns nil if this manager
// has done so already.
func (m *Manager[S]) begin(r *http.Request) *request[S] {
	x := &request[S]{}
	x.bind(r.Context(), m.engine)
	for outer := x.outer; outer != nil; outer = outer.outer {
		s := outer.session()
		if s.engine == m.engine {
			return nil
		}
		if shared := m.engine.shares(s.engine); s.request != nil && shared != "" {
			panic(fmt.Sprintf("sessions of %s and of %s use the same %s on one request: give one of them another name",
				s.engine.name, m.engine.name, shared))
		}
	}
	s := x.session()
	x.served = *r.WithContext(x)
	s.request, s.arrived, s.brought = &x.served, m.engine.clock.sinceEpoch(), m.engine.carrier.brought(r.Header)
	x.typed = m.model.wrap(s)
	if m.engine.config.Tracer != nil {
		m.trace(&x.exchange, r)
	}
	return x
}

// abandon is the end of a request whose handler has panicked: nothing more of it is
// committed.
func (w *writer) abandon() {
	s := &w.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if !w.hijacked {
		s.phase = phaseClosed
	}
}

// finish is the end of the request: the commit of a handler that wrote nothing,
// or a second one of what it changed after it began to. What a live connection
// changes is committed by its events.
func (w *writer) finish() {
	s := &w.session
	if w.hijacked || (response{s}).pass(phaseClosed, nil, false) {
		return
	}
	late := w.begun
	if !late {
		w.commit(false)
	}
	s.lock()
	defer s.unlock()
	if s.live != nil {
		return
	}
	if late && !w.failed && (s.dirty() || !w.counted) {
		_ = response{s}.commit(w.broken) // reported to OnError
		responseHeader{s, w.under().Header()}.sendCookie()
	}
	s.phase = phaseClosed
}

// request is a context that carries a session: everything that every request
// needs, in one allocation.
type request[S any] struct {
	exchange
	typed  S
	served http.Request // what the handler gets
}

// exchange is the part of a request that does not depend on the session's type.
type exchange struct {
	context.Context
	outer  *exchange // of another manager around this one
	writer writer    // has the session, and commits it
}

// exchangeKey finds the innermost exchange in a context.
type exchangeKey struct{}

// Value answers with the session, or with what the outer context has.
func (x *request[S]) Value(key any) any {
	switch key {
	case (*S)(nil):
		return &x.typed
	case exchangeKey{}:
		return &x.exchange
	case requestKey{}:
		return x.session().request
	}
	return x.Context.Value(key)
}

func (x *exchange) session() *Session { return &x.writer.session }

// Format names the session's type. Without it a context that is printed would
// show the bytes of the token.
func (x *exchange) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%v with %s", x.Context, x.session().engine.name)
}

func (x *exchange) bind(ctx context.Context, e *engine) {
	x.Context = ctx
	x.outer, _ = ctx.Value(exchangeKey{}).(*exchange)
	s := x.session()
	s.engine, s.ctx = e, ctx
}

// exchangeOf returns this manager's exchange in the context, nil for none.
func (e *engine) exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	for x != nil && x.session().engine != e {
		x = x.outer
	}
	return x
}

// From returns the session that the context carries. Without a middleware it
// is one that reads as defaults, says so in Err, and panics when written to.
func (m *Model[S]) From(ctx context.Context) *S {
	if s, ok := ctx.Value((*S)(nil)).(*S); ok {
		return s
	}
	s := m.wrap(&Session{engine: m.outside, phase: phaseOutside, ctx: ctx})
	return &s
}

// With returns a context that carries a loaded, clean session without a store,
// filled by fill, for tests of handlers.
func (m *Model[S]) With(ctx context.Context, fill func(*Session)) (context.Context, *S) {
	x := &request[S]{}
	s := x.session()
	x.typed = m.wrap(s)
	x.bind(ctx, m.outside)
	s.arrived = m.outside.clock.sinceEpoch()
	s.lock()
	s.identity = newToken().identity(m.kind)
	s.confirmed = true
	s.unlock()
	fill(s)
	s.lock()
	defer s.unlock()
	c := commit{s, s.takeRoom()}
	if c.dirty() {
		_ = c.run(ctx) // Err reports
	} else {
		_ = c.storeLocally()
	}
	s.renewed = false
	return x, &x.typed
}

// open makes this the writer of a response. Most of them begin with an empty
// header, which costs nothing to keep.
func (w *writer) open(under http.ResponseWriter) {
	w.session.response = under
	if h := under.Header(); len(h) > 0 {
		w.given = h.Clone()
	}
}

// What the server's writer can do besides writing.
const flushes, hijacks, reads = 1, 2, 4

// face returns the writer with those optional methods that the server's writer
// has, directly or behind Unwrap.
func (w *writer) face() http.ResponseWriter {
	switch abilities(w.session.response) {
	case flushes:
		return flusher{w}
	case hijacks:
		return hijacker{w}
	case reads:
		return reader{w}
	case flushes | hijacks:
		return flushHijacker{flusher{w}}
	case flushes | reads:
		return flushReader{flusher{w}}
	case hijacks | reads:
		return hijackReader{hijacker{w}}
	case flushes | hijacks | reads:
		return flushHijackReader{flushHijacker{flusher{w}}}
	default:
		return w
	}
}

// abilities returns what w can do by itself, or with a writer that it wraps.
func abilities(w http.ResponseWriter) (able int) {
	if _, ok := w.(io.ReaderFrom); ok { // which Unwrap does not lead to
		able = reads
	}
	for u := range unwrapped(w) {
		if _, ok := u.(http.Flusher); ok {
			able |= flushes
		}
		if _, ok := u.(interface{ FlushError() error }); ok {
			able |= flushes
		}
		if _, ok := u.(http.Hijacker); ok {
			able |= hijacks
		}
	}
	return able
}

// The faces are one pointer each, so that choosing one allocates nothing.
type (
	flusher           struct{ *writer }
	hijacker          struct{ *writer }
	reader            struct{ *writer }
	flushHijacker     struct{ flusher }
	flushReader       struct{ flusher }
	hijackReader      struct{ hijacker }
	flushHijackReader struct{ flushHijacker }
)

func (w flusher) Flush()                                             { _ = w.flush() }
func (w flusher) FlushError() error                                  { return w.flush() }
func (w hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error)      { return w.hijack() }
func (w flushHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.hijack() }
func (w reader) ReadFrom(r io.Reader) (int64, error)                 { return w.readFrom(r) }
func (w flushReader) ReadFrom(r io.Reader) (int64, error)            { return w.readFrom(r) }
func (w hijackReader) ReadFrom(r io.Reader) (int64, error)           { return w.readFrom(r) }
func (w flushHijackReader) ReadFrom(r io.Reader) (int64, error)      { return w.readFrom(r) }

// outliving returns the first Outliving in the chain, nil if there is none.
func outliving(w http.ResponseWriter) Outliving {
	for u := range unwrapped(w) {
		if o, ok := u.(Outliving); ok {
			return o
		}
	}
	return nil
}

// unwrapped returns the chain of w and of what it wraps. It follows Unwrap as
// [http.ResponseController] does.
func unwrapped(w http.ResponseWriter) iter.Seq[http.ResponseWriter] {
	return func(yield func(http.ResponseWriter) bool) {
		for yield(w) {
			u, ok := w.(interface{ Unwrap() http.ResponseWriter })
			if !ok {
				return
			}
			w = u.Unwrap()
		}
	}
}
