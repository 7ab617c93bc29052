package runtime

import (
	"context"
	"iter"
)

// FindBy yields the live sessions whose indexed field has the value, in no
// particular order. What is set on them is stored by Save; they can be
// destroyed, but not renewed. The default is never indexed and finds nothing.
// The first error ends the iteration.
func FindBy[S, T any](ctx context.Context, m *Manager[S], f *Value[T], v T) iter.Seq2[*S, error] {
	return func(yield func(*S, error) bool) {
		index, values, err := lookup(m, f, v)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, value := range values {
			for found, err := range index.Find(ctx, value, m.clock.read()) {
				if err != nil {
					yield(nil, err)
					return
				}
				s := m.found(ctx, found)
				if !s.draft.carries(&f.Field, value) {
					continue
				}
				typed := m.model.wrap(s)
				if !yield(&typed, nil) {
					return
				}
			}
		}
	}
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
	bound := m.bound(ctx)
	defer bound.stop()
	revoked := 0
	for _, value := range values {
		var n int
		n, err = index.Revoke(bound, value, m.clock.read(), ids...)
		if revoked += n; err != nil {
			break
		}
	}
	if revoked > 0 && m.hearsOfLife(ctx) {
		m.config.OnEvent(ctx, Event{Kind: EventRevoked, Session: m.name, Field: f.Key, Count: revoked})
	}
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

// A respeller is a codec of values that other types, which the field may have had
// before, encode differently: an index compares encodings.
type respeller[T any] interface {
	// Others returns the other encodings of v.
	Others(f Format, v T) []string
}

// lookup returns the index and what to look for: the value, in every encoding that
// the field may have given it, under its key and under its earlier one.
func lookup[S, T any](m *Manager[S], f *Value[T], v T) (Indexer, []IndexValue, error) {
	index, ok := ability[Indexer](m.store)
	if !ok {
		return nil, nil, ErrNoIndex
	}
	value, err := encode(f.Codec, m.format, v)
	if err != nil {
		return nil, nil, &FieldError{Field: f.Key, Err: err}
	}
	if value == f.defaults[m.format] {
		return index, nil, nil
	}
	spellings := []string{value}
	if c, ok := f.Codec.(respeller[T]); ok {
		spellings = append(spellings, c.Others(m.format, v)...)
	}
	var values []IndexValue
	for _, value := range spellings {
		values = append(values, IndexValue{m.kind, f.Key, value})
		if f.Was != "" {
			values = append(values, IndexValue{m.kind, f.Was, value})
		}
	}
	return index, values, nil
}

// carries reports whether the value is what is stored of the field: an index may
// be behind, and what stands under an earlier key counts only while there is
// nothing under the present one.
func (d *draft) carries(f *Field, v IndexValue) bool {
	stored, found := d.storedValue(f, f.Key, f.Was)
	return found && f.same(d.format, stored, v.Value) && (v.Field == f.Key || !d.has(f.Key, ""))
}

// found makes a session of what an index found. It has no secret: the stored
// proof is what it operates with.
func (m *Manager[S]) found(ctx context.Context, f Found) *Session {
	s := &Session{engine: m.engine, ctx: ctx, arrived: m.clock.sinceEpoch()}
	s.touch(&state{})
	s.identity = identity{id: f.ID, proof: f.Record.Proof, hasToken: true, confirmed: true, found: true}
	s.move(seen, f.Record, nil)
	return s
}
