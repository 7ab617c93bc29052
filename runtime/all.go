package runtime

import (
	"context"
	"encoding/hex"
	"iter"
)

// All yields every live session of the manager, in no particular order. What may be
// done with them is what may be done with those that [FindBy] yields. The first error
// ends the iteration.
func (m *Manager[S]) All(ctx context.Context) iter.Seq2[*S, error] {
	return func(yield func(*S, error) bool) {
		list, ok := Ability[Lister](m.engine.store)
		if !ok {
			yield(nil, ErrNoList)
			return
		}
		for found, err := range list.All(ctx, m.engine.kind, m.engine.clock.read()) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(m.foundTyped(ctx, found), nil) {
				return
			}
		}
	}
}

// Find returns the live session that has the handle, [ErrNotFound] if there is none
// or it is not of this manager. What may be done with it is what may be done with
// those that [FindBy] yields.
func (m *Manager[S]) Find(ctx context.Context, handle string) (*S, error) {
	list, ok := Ability[Lister](m.engine.store)
	if !ok {
		return nil, ErrNoList
	}
	id, ok := parseID(handle)
	if !ok {
		return nil, ErrNotFound
	}
	bound := m.engine.bound(ctx)
	defer bound.stop()
	r, err := list.ByID(bound, m.engine.kind, id, m.engine.clock.read())
	if err != nil {
		return nil, err
	}
	return m.foundTyped(ctx, Found{id, r}), nil
}

// parseID reads what [ID.String] writes.
func parseID(text string) (id ID, ok bool) {
	if len(text) != hex.EncodedLen(len(id)) {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(text))
	return id, err == nil && id.String() == text
}

// RevokeAll ends every live session of the manager, and returns how many. A request
// that arrived before and would begin a session afterwards gets [ErrEnded].
func (m *Manager[S]) RevokeAll(ctx context.Context) (int, error) {
	list, ok := Ability[Lister](m.engine.store)
	if !ok {
		return 0, ErrNoList
	}
	n, err := list.RevokeAll(ctx, m.engine.kind, m.engine.clock.read())
	m.engine.tellRevoked(ctx, "", n)
	return n, err
}

// Ping returns an error if the store does not serve loads, within [Config].Timeout.
func (m *Manager[S]) Ping(ctx context.Context) error {
	bound := m.engine.bound(ctx)
	defer bound.stop()
	if pinger, ok := Ability[Pinger](m.engine.store); ok {
		return pinger.Ping(bound)
	}
	_, err := m.engine.store.Load(bound, Key{Now: m.engine.clock.read()})
	if isGone(err) {
		return nil
	}
	return err
}
