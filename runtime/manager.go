package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Manager makes the sessions of one type and keeps them in one store. It is
// safe for concurrent use.
type Manager[S any] struct {
	model  *Model[S]
	engine *engine
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
	weak := config.Keys.passPhrases()
	config.Keys = nil // the ring has what it needs of them
	config.notifyTracer()
	e := &engine{
		kind:   config.kindOf(model.kind),
		name:   model.name,
		config: config,
		device: config.BoundCookie(),
		store:  store,
		clock:  newClock(config.Now),
		server: serverClock(store),
		ring:   ring,

		renewing: model.renewing,
		limited:  model.limited,

		logsEvents: config.logsEvents(),
	}
	e.carrier = e.config.carrier()
	if f, ok := Ability[Formatter](store); ok {
		e.format = f.Format()
	}
	_, e.judges = Ability[Judge](store)
	_, e.atOnce = store.(Judge)
	e.sockets = newSockets(store, e.clock, config.Grace, config.Timeout, e.proveAgain, func(ctx context.Context, id ID, err error) {
		e.fault(ctx, "check", id.String(), err)
	})
	e.warn(weak)
	return &Manager[S]{model: model, engine: e}, nil
}

// serverClock returns the clock of the server that the store is on.
func serverClock(store Store) Clocked {
	if c, ok := Ability[Clocked](store); ok {
		return c
	}
	return sameClock{}
}

// sameClock is that of a store which judges by the program's clock.
type sameClock struct{}

func (sameClock) Ahead() time.Duration { return 0 }

func (sameClock) Measure(context.Context, time.Time) error { return nil }

func (m *Model[S]) check(store Store, config *Config, problems []Problem) (*keyRing, error) {
	var errs []error
	for _, p := range problems {
		errs = append(errs, p)
	}
	if _, ok := Ability[Limiter](store); store != nil && !ok && len(m.limited) > 0 {
		errs = append(errs, fmt.Errorf("field %q has a limit: %w", m.limited[0].Key, ErrNoLimit))
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
	return newKeyRing(config.kindOf(m.kind), config.Keys)
}
