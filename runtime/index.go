package runtime

import (
	"context"
	"iter"
	"slices"
)

// FindBy yields the live sessions whose indexed field has the value, the one used
// last first: all of them are found before. What is set on them is stored by Save;
// they can be destroyed, but not renewed. The default is never indexed and finds
// nothing. An error comes last.
func FindBy[S, T any](ctx context.Context, m *Manager[S], f *Value[T], v T) iter.Seq2[*S, error] {
	return func(yield func(*S, error) bool) {
		list, err := carriers(ctx, m, f, v)
		slices.SortFunc(list, func(a, b *Session) int {
			return b.draft.stored.LastUsed().Compare(a.draft.stored.LastUsed())
		})
		for _, s := range list {
			typed := m.model.wrap(s)
			if !yield(&typed, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// carriers returns the sessions that FindBy yields, up to the first error.
func carriers[S, T any](ctx context.Context, m *Manager[S], f *Value[T], v T) (list []*Session, err error) {
	index, values, err := lookup(m, f, v)
	if err != nil {
		return nil, err
	}
	for _, value := range values {
		for found, err := range index.Find(ctx, value, m.engine.clock.read()) {
			if err != nil {
				return list, err
			}
			if s := m.found(ctx, found); s.draft.carries(&f.Field, value) {
				list = append(list, s)
			}
		}
	}
	return list, nil
}

// RevokeBy ends every live session whose indexed field has the value, but not
// the excepted ones, and returns how many. A request that arrived before and
// signs in with the value afterwards gets [ErrEnded]. The default revokes
// nothing.
func RevokeBy[S, T any](ctx context.Context, m *Manager[S], f *Value[T], v T, except ...*Session) (int, error) {
	index, values, err := lookup(m, f, v)
	if err != nil {
		return 0, err
	}
	var ids []ID
	for _, s := range except {
		ids = append(ids, s.exception(ctx)...)
	}
	bound := m.engine.bound(ctx)
	defer bound.stop()
	revoked := 0
	for _, value := range values {
		var n int
		n, err = index.Revoke(bound, value, m.engine.clock.read(), ids...)
		if revoked += n; err != nil {
			break
		}
	}
	m.engine.tellRevoked(ctx, f.Key, revoked)
	return revoked, err
}

// exception returns the ids that a revocation spares for the session: the one that
// it stands for, if the store has confirmed its token, and the one that it will be
// created under.
func (s *Session) exception(ctx context.Context) []ID {
	s.lock()
	defer s.unlock()
	s.load(ctx)
	if s.reserved == nil {
		id := newID()
		s.reserved = &id
	}
	if !s.hasToken {
		s.id = *s.reserved
	}
	if !s.confirmed {
		return []ID{*s.reserved}
	}
	return []ID{s.id, *s.reserved}
}

// lookup returns the index and what to look for.
func lookup[S, T any](m *Manager[S], f *Value[T], v T) (Indexer, []IndexValue, error) {
	index, ok := Ability[Indexer](m.engine.store)
	if !ok {
		return nil, nil, ErrNoIndex
	}
	value, err := encode(f.Codec, m.engine.format, v)
	if err != nil {
		return nil, nil, &FieldError{Field: f.Key, Err: err}
	}
	if value == f.defaults[m.engine.format] {
		return index, nil, nil
	}
	return index, m.engine.indexValues(&f.Field, value), nil
}

// carries reports whether the value is what is stored of the field: an index may
// be behind, and what stands under an earlier key counts only while there is
// nothing under the present one.
func (d *draft) carries(f *Field, v IndexValue) bool {
	stored, found := d.storedValue(f, f.Key, f.Was)
	return found && sameValue(f, d.format, stored.value, v.Value) && (v.Field == f.Key || !d.has(f, f.Key, ""))
}

func (m *Manager[S]) foundTyped(ctx context.Context, f Found) *S {
	typed := m.model.wrap(m.found(ctx, f))
	return &typed
}

// found makes a session of what a store found. It has no secret: the stored
// proof is what it operates with.
func (m *Manager[S]) found(ctx context.Context, f Found) *Session {
	s := &Session{engine: m.engine, ctx: ctx, arrived: m.engine.clock.sinceEpoch()}
	s.touch(&state{})
	s.identity = identity{id: f.ID, proof: f.Record.Proof, hasToken: true, confirmed: true, found: true}
	s.move(seen, f.Record, nil)
	return s
}
