package runtime

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"time"
)

// Generated1 is the form of generated code that this runtime serves. Generated
// code refers to it, so that a mismatch is a readable compile error.
const Generated1 = true

// A Model is what generated code says about one session type.
type Model[S any] struct {
	kind    string
	name    string
	wrap    func(*Session) S
	secrets []string // keys of secret fields
	outside *engine  // of sessions that have no manager
}

// NewModel describes a session type: its kind, how a session becomes the
// generated type, and its fields. It is called once, by generated code.
func NewModel[S any](kind string, wrap func(*Session) S, fields ...typedField) *Model[S] {
	m := &Model[S]{kind: kind, name: path.Base(kind), wrap: wrap}
	for _, f := range fields {
		f.prepare()
		base := f.base()
		base.elements, base.wasElements = base.Key+":", base.Was+":"
		if base.Secret {
			m.secrets = append(m.secrets, base.Key)
		}
	}
	config, _ := Configure()
	m.outside = &engine{kind: m.kind, name: m.name, config: config, clock: newClock(config.Now)}
	return m
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
	x.typed = m.wrap(&x.session)
	x.bind(ctx, m.outside)
	s := &x.session
	s.lock()
	s.loaded, s.alive = true, true
	t := token{id: newID(), secret: newSecret()}
	s.hold(t, t.secret.proof(m.kind))
	s.unlock()
	fill(s)
	s.lock()
	defer s.unlock()
	_ = s.commit(ctx, s.takeCommitment()) // Err tells
	return x, &x.typed
}

// engine is what all sessions of one manager share. It is never changed.
type engine struct {
	kind   string
	name   string
	config Config
	cookie cookieForm
	store  Store // nil: sessions without one
	format Format
	clock  *clock
	ring   *keyRing

	sockets *sockets // nil without a store
}

// expires returns when a session used now ends.
func (e *engine) expires(now, deadline time.Time) time.Time {
	if end := e.idleEnd(now); !end.IsZero() {
		return earliest(deadline, end)
	}
	return deadline
}

// idleEnd returns when the idle limit ends a session used now, zero without one.
func (e *engine) idleEnd(now time.Time) time.Time {
	if e.config.Idle == 0 {
		return time.Time{}
	}
	return now.Add(e.config.Idle).Truncate(time.Millisecond)
}

// A Manager makes the sessions of one type and keeps them in one store. It is
// safe for concurrent use.
type Manager[S any] struct {
	model *Model[S]
	*engine
}

// NewManager returns the manager of a program's sessions. The functions
// configure in order, defaults first; nil is skipped. The error joins everything
// that is wrong with the result, each [Problem] of the configuration.
func NewManager[S any](model *Model[S], store Store, defaults func(*Config), configure ...func(*Config)) (*Manager[S], error) {
	config, problems := Configure(append([]func(*Config){defaults}, configure...)...)
	ring, err := model.check(store, &config, problems)
	if err != nil {
		return nil, fmt.Errorf("sessions of %s: %w", model.name, err)
	}
	e := &engine{
		kind:   model.kind,
		name:   model.name,
		config: config,
		cookie: config.Cookie.form(),
		store:  store,
		clock:  newClock(config.Now),
		ring:   ring,
	}
	if f, ok := ability[Formatter](store); ok {
		e.format = f.Format()
	}
	e.sockets = newSockets(e)
	return &Manager[S]{model, e}, nil
}

func (m *Model[S]) check(store Store, config *Config, problems []Problem) (*keyRing, error) {
	var errs []error
	for _, p := range problems {
		errs = append(errs, p)
	}
	if store == nil {
		errs = append(errs, errors.New("no store: open one, such as memstore.New()"))
	}
	if len(m.secrets) > 0 && len(config.Keys) == 0 {
		errs = append(errs, fmt.Errorf(
			"field %q is secret, but Config.Keys is empty: make a key of 32 random bytes (openssl rand -base64 32), "+
				"keep it with the program's other secrets and put its bytes there", m.secrets[0]))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return newKeyRing(config.Keys)
}

// request is a context that carries a session: everything that every request
// needs, in one allocation.
type request[S any] struct {
	exchange
	typed S
}

// exchange is the part of a request that does not depend on the session's type.
type exchange struct {
	context.Context
	outer   *exchange // of another manager around this one
	session Session
	writer  writer // commits the session
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
	}
	return x.Context.Value(key)
}

// Format names the session's type. Without it a context that is printed would
// show the bytes of the token.
func (x *exchange) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%v with %s", x.Context, x.session.engine.name)
}

func (x *exchange) bind(ctx context.Context, e *engine) {
	x.Context = ctx
	x.outer, _ = ctx.Value(exchangeKey{}).(*exchange)
	x.session.engine, x.session.ctx, x.session.arrived = e, ctx, e.clock.sinceEpoch()
}

// begin attaches a session to the request. It returns nil where this manager
// has done so already.
func (m *Manager[S]) begin(r *http.Request) *request[S] {
	x := &request[S]{}
	x.bind(r.Context(), m.engine)
	for outer := x.outer; outer != nil; outer = outer.outer {
		if outer.session.engine == m.engine {
			return nil
		}
		if outer.session.request != nil && outer.session.engine.config.Cookie.Name == m.config.Cookie.Name {
			panic(fmt.Sprintf("sessions of %s and of %s use the same cookie %q on one request: give one of them another name",
				outer.session.engine.name, m.name, m.config.Cookie.Name))
		}
	}
	x.session.request = r
	x.typed = m.model.wrap(&x.session)
	return x
}

// exchangeOf returns this manager's exchange in the context, nil for none.
func (e *engine) exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	for x != nil && x.session.engine != e {
		x = x.outer
	}
	return x
}
