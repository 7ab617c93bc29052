package runtime

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// A Binder binds the sessions of one manager to the devices of their browsers, as
// package dbsc asks it to. It is safe for concurrent use.
type Binder struct{ engine *engine }

// Binder returns what the generated BindHandler is made of.
func (m *Manager[S]) Binder() Binder { return Binder{m.engine} }

// Path returns the path at which the handler is mounted.
func (b Binder) Path() string { return b.engine.config.BindPath }

// Open returns the device of the session that a request presents, with its cookie.
// It is no use of the session. Errors: those of [Store.Load]; ErrNotFound also if the
// request has no one cookie of the session.
func (b Binder) Open(ctx context.Context, r *http.Request) (*Device, error) {
	e := b.engine
	bound := e.bound(ctx)
	defer bound.stop()
	held, err := e.held(bound, r)
	if err != nil {
		return nil, err
	}
	if held == nil {
		return nil, ErrNotFound
	}
	d := &Device{engine: e, request: r, identity: held.identity(e.kind)}
	err = d.load(bound)
	if errors.Is(err, ErrReused) {
		b.Report(ctx, EventReused, d, nil)
	}
	return d, err
}

// Report reports what is worth counting about a device, nil if it is of no session.
func (b Binder) Report(ctx context.Context, kind EventKind, d *Device, err error) {
	e := Event{Kind: kind, Session: b.engine.name, Err: err}
	if d != nil {
		e.Handle = d.Session()
	}
	b.engine.config.OnEvent(ctx, e)
}

// Fail reports that a device could not be served.
func (b Binder) Fail(ctx context.Context, d *Device, err error) {
	handle := ""
	if d != nil {
		handle = d.Session()
	}
	b.engine.fault(ctx, "bind", handle, err)
}

// A Device is what a session knows of the browser that presents it. It is used by one
// goroutine.
type Device struct {
	engine   *engine
	request  *http.Request
	identity identity
	entries  Entries
	binding  binding
}

// Session returns the handle of the session, by which the browser names it.
func (d *Device) Session() string { return d.identity.handle() }

// Key returns the public key that the device has registered, in PKIX form; empty if
// it was only invited to, or not at all.
func (d *Device) Key() []byte { return []byte(d.binding.key) }

// Challenge returns what the device has to sign next, empty if there is nothing that
// is fresh enough.
func (d *Device) Challenge() string {
	if d.binding.challenged.IsZero() || d.moment().Sub(d.binding.challenged) >= d.challengeLife() {
		return ""
	}
	return d.binding.challenge.text()
}

// challengeLife is longer than the bound cookie lives: the browser has a challenge at
// hand when it refreshes that.
func (d *Device) challengeLife() time.Duration { return 2 * d.engine.config.BoundAge }

// Renew registers the key, nil to keep the one that there is, and makes the next
// bound cookie and the next challenge. The bound cookie that the request brings stays
// good until it ends: others are under way with it. If somebody else has done so
// since Open, it is [ErrConflict].
func (d *Device) Renew(ctx context.Context, key []byte) (*http.Cookie, error) {
	now := d.moment()
	t := newBoundToken(now.Add(d.engine.config.BoundAge))
	next := d.binding
	next.previous = d.binding.cookie
	if brought, ok := d.engine.broughtBound(joined(d.request.Header["Cookie"], "; "), now); ok && d.binding.knows(brought.hash(d.engine.kind)) {
		next.previous = brought.hash(d.engine.kind)
	}
	next.cookie = t.hash(d.engine.kind)
	if key != nil {
		next.key = string(key)
	} else {
		next.shown(now, d.engine.config.Grace) // it has had the answer to its registration
	}
	next.challenge, next.challenged = newChallenge(), now
	if err := d.store(ctx, next, next.replaceCookie(d.engine.format, d.entries)); err != nil {
		return nil, err
	}
	return d.engine.device.boundLine(t.text(), d.engine.config.BoundAge), nil
}

// Rechallenge makes a fresh challenge. Errors: as of Renew.
func (d *Device) Rechallenge(ctx context.Context) error {
	next := d.binding
	next.challenge, next.challenged = newChallenge(), d.moment()
	return d.store(ctx, next)
}

// Reload sees what others have stored since Open.
func (d *Device) Reload(ctx context.Context) error {
	bound := d.engine.bound(ctx)
	defer bound.stop()
	return d.load(bound)
}

func (d *Device) load(ctx context.Context) error {
	record, err := d.engine.store.Load(ctx, d.key())
	if err != nil {
		return err
	}
	d.entries = record.Entries
	d.binding = readBinding(d.engine.format, record.Entries)
	return nil
}

func (d *Device) store(ctx context.Context, next binding, more ...Op) error {
	bound := d.engine.bound(ctx)
	defer bound.stop()
	delta := Delta{Ops: append([]Op{next.replaceDevice(d.engine.format, d.entries)}, more...)}
	if _, err := d.engine.store.Update(bound, d.key(), &delta); err != nil {
		return err
	}
	d.binding = next
	d.entries, _, _ = d.entries.apply(&delta)
	return nil
}

func (d *Device) key() Key {
	i := &d.identity
	return Key{ID: i.id, Proof: i.present(), Family: i.presentFamily(), Now: d.now()}
}

func (d *Device) now() time.Time { return d.engine.clock.read() }

// moment is now by the clock that bindings have their times of.
func (d *Device) moment() time.Time { return d.engine.byStore(d.now()) }
