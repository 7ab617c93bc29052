package runtime

import (
	"fmt"
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
		case m.config.Tracer != nil:
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
	if o, ok := offered[Outliving](w); ok && o.Outlives(x.writer.finish) {
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
	x := m.exchangeOf(r.Context())
	if x == nil {
		return ErrNoMiddleware
	}
	s := x.session()
	if m.config.Tracer != nil {
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
		if shared := m.shares(s.engine); s.request != nil && shared != "" {
			panic(fmt.Sprintf("sessions of %s and of %s use the same %s on one request: give one of them another name",
				s.engine.name, m.name, shared))
		}
	}
	s := x.session()
	s.request, s.arrived, s.brought = r.WithContext(x), m.clock.sinceEpoch(), m.carrier.brought(r.Header)
	x.typed = m.model.wrap(s)
	if m.config.Tracer != nil {
		m.trace(&x.exchange, r)
	}
	return x
}
