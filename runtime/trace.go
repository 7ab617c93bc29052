package runtime

import (
	"context"
	"net/http"
)

// How the tracer is notified. Nothing here runs without one.

// trace begins the trace of a request.
func (m *Manager[S]) trace(x *exchange, r *http.Request) {
	s := x.session()
	s.ctx = m.engine.config.Tracer.Begin(s.ctx, TraceBegin{
		Request: r,
		Session: m.engine.name,
		View:    func(ctx context.Context) (View, error) { return m.view(ctx, s) },
	})
	x.Context = s.ctx
}

// serveTraced is serve, with the end of the trace.
func (x *exchange) serveTraced(w http.ResponseWriter, next http.Handler) {
	a := &answer{ResponseWriter: w, status: http.StatusOK}
	finished := false
	defer func() {
		if finished {
			return
		}
		if !a.begun {
			a.status = 0
		}
		traceEnd(x.Context, x.session(), a.status, ErrPanicked)
	}()
	x.handle(a, next)
	finish := func() {
		x.writer.finish()
		traceEnd(x.Context, x.session(), a.status, nil)
	}
	if o := outliving(w); o == nil || !o.Outlives(finish) {
		finish()
	}
	finished = true
}

// traced is run, with a trace.
func (e liveEvent) traced(ctx context.Context, handle func(context.Context) error) (err error) {
	ctx = e.engine.config.Tracer.Begin(ctx, TraceBegin{Session: e.engine.name})
	err = ErrPanicked
	defer func() { traceEnd(ctx, e.Session, 0, err) }()
	return e.run(ctx, handle)
}

func traceEnd(ctx context.Context, s *Session, status int, err error) {
	s.engine.config.Tracer.End(ctx, TraceEnd{Handle: s.loggedHandle(), Status: status, Err: err})
}

// view shows the session in full.
func (m *Manager[S]) view(ctx context.Context, s *Session) (View, error) {
	s.Passive()
	if err := s.Load(ctx); err != nil || s.IsNew() {
		return View{}, err
	}
	v := View{
		Handle:   s.Handle(),
		Created:  s.CreatedAt(),
		Renewed:  s.RenewedAt(),
		SignedIn: s.SignedInAt(),
		LastUsed: s.LastUsedAt(),
		Expires:  s.ExpiresAt(),
		Bound:    s.Bound(),
	}
	for _, f := range m.model.fields {
		base := f.base()
		shown := FieldView{Key: base.Key, Secret: base.Secret, Index: base.Index, Renew: base.Renew}
		if !base.Secret {
			shown.Value = f.show(s)
		}
		v.Fields = append(v.Fields, shown)
	}
	return v, nil
}

// What the getter of a field returns.

func (f *Value[T]) show(s *Session) any         { return f.Get(s) }
func (f *Counter[T]) show(s *Session) any       { return f.Get(s) }
func (f *List[S, E]) show(s *Session) any       { return f.Slice(s) }
func (f *Map[K, V]) show(s *Session) any        { return f.Snapshot(s) }
func (f *CounterMap[K, V]) show(s *Session) any { return f.Snapshot(s) }
