package redisstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

// Load implements [runtime.Store]. It writes only where the first presentation
// of a renewed token, or the end of a reused one, has to be recorded.
func (s *Store) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	o, err := s.offset(ctx, key.Now)
	if err != nil {
		return nil, err
	}
	if s.cache != nil && !key.Held && !key.Live {
		return s.loadCached(ctx, key, o)
	}
	return s.load(ctx, key, o)
}

// loadCached asks the server where a cached record does not admit the key: the
// record may be older than the token.
func (s *Store) loadCached(ctx context.Context, key runtime.Key, o offset) (*runtime.Record, error) {
	if cached := serverclock.Move(s.cache.get(key.ID), -o.shown); cached != nil {
		if next, err := cached.Read(key); err == nil && next == cached {
			s.cache.hits.Add(1)
			return cached, nil
		}
	}
	s.cache.misses.Add(1)
	place := s.cache.begin(key.ID)
	if place == nil {
		return s.load(ctx, key, o)
	}
	stored, err := s.fetch(ctx, s.cache.client, key.ID)
	s.cache.fill(place, stored)
	if err != nil {
		return nil, err
	}
	return s.judge(ctx, key, o, stored)
}

func (s *Store) load(ctx context.Context, key runtime.Key, o offset) (*runtime.Record, error) {
	stored, err := s.fetch(ctx, s.client, key.ID)
	if err != nil {
		return nil, err
	}
	return s.judge(ctx, key, o, stored)
}

// judge returns what the key may see of the stored record. The program's clock is
// good enough to admit a mere read. The server has the last word where it refuses,
// and where something has to be recorded.
func (s *Store) judge(ctx context.Context, key runtime.Key, o offset, stored *runtime.Record) (*runtime.Record, error) {
	stored = serverclock.Move(stored, -o.shown)
	next, err := stored.Read(key)
	switch {
	case next != stored, err != nil && stored != nil && !o.client:
		return s.loadAndRecord(ctx, key, o)
	case err != nil:
		return nil, err
	default:
		return stored, nil
	}
}

func (s *Store) loadAndRecord(ctx context.Context, key runtime.Key, o offset) (*runtime.Record, error) {
	defer s.cache.write(key.ID)()
	answer, err := s.run(ctx, loadOperation, call{[]string{s.sessionKey(key.ID)}, []string{keyArg(key, o)}})
	if err != nil {
		return nil, err
	}
	if err := answer.err(key.ID); err != nil {
		return nil, err
	}
	if len(answer.parts) < 2 {
		return nil, s.wrap(errReply)
	}
	stored, err := s.readHash(key.ID, answer.parts[1])
	return serverclock.Move(stored, -o.shown), err
}

// fetch returns the stored record, nil for none.
func (s *Store) fetch(ctx context.Context, client Client, id runtime.ID) (*runtime.Record, error) {
	hash, err := client.Do(ctx, read("HGETALL", s.sessionKey(id)))
	if err != nil {
		return nil, s.wrap(fmt.Errorf("session %s: %w", id, err))
	}
	return s.readHash(id, hash)
}

func (s *Store) readHash(id runtime.ID, hash Value) (*runtime.Record, error) {
	r, err := recordOf(hash)
	if err != nil {
		return nil, s.wrap(fmt.Errorf("session %s: %w", id, err))
	}
	if r != nil {
		s.noteKind(r.Kind)
	}
	return r, nil
}

// Create implements [runtime.Store]. The mark of an ended session holds its id
// as a live session does.
func (s *Store) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	o, err := s.offset(ctx, key.Now)
	if err != nil {
		return err
	}
	defer s.cache.write(key.ID)()
	s.noteKind(r.Kind)
	if hasIndexed(r.IndexValues(nil)) {
		err = s.createIndexed(ctx, key, o, r)
	} else {
		err = s.createPlain(ctx, key, o, r)
	}
	if err == nil && s.sharded {
		err = s.checkKind(ctx, key, o, r.Kind)
	}
	return err
}

// createPlain is a Create of a record without indexed entries.
func (s *Store) createPlain(ctx context.Context, key runtime.Key, o offset, r *runtime.Record) error {
	keys := []string{s.sessionKey(key.ID), s.withdrawnKey(key.ID)}
	if !s.sharded {
		keys = append(keys, s.revokedKey(runtime.IndexValue{Kind: r.Kind}))
	}
	answer, err := s.run(ctx, createOperation, call{keys, creationArgs(key, o, r, nil)})
	if err != nil {
		return err
	}
	return answer.err(key.ID)
}

// checkKind is the step after a creation on a Cluster, where what RevokeAll has
// marked belongs to another shard: whichever of the two came later sees the other.
func (s *Store) checkKind(ctx context.Context, key runtime.Key, o offset, kind string) error {
	revoked := s.revokedKey(runtime.IndexValue{Kind: kind})
	answer, err := s.run(ctx, barredOperation, call{[]string{revoked}, []string{keyArg(key, o), string(key.ID[:])}})
	if err != nil {
		return err
	}
	verdict := answer.err(key.ID)
	if errors.Is(verdict, runtime.ErrEnded) {
		_, err = s.run(ctx, undoOperation, call{[]string{s.sessionKey(key.ID)}, []string{string(key.Proof[:])}})
		return errors.Join(verdict, err)
	}
	return verdict
}

// Update implements [runtime.Store].
func (s *Store) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	o, err := s.offset(ctx, key.Now)
	if err != nil {
		return nil, err
	}
	defer s.cache.write(key.ID)()
	if hasIndexed(d.IndexValues("")) {
		return s.updateIndexed(ctx, key, o, d)
	}
	answer, err := s.run(ctx, updateOperation, call{[]string{s.sessionKey(key.ID)}, deltaArgs(key, o, d, nil)})
	if err != nil {
		return nil, err
	}
	return s.resultOf(ctx, key.ID, o, answer)
}

// resultOf returns what an update came to. One that lets a session outlive its
// indexes has named their values.
func (s *Store) resultOf(ctx context.Context, id runtime.ID, o offset, answer reply) (*runtime.Result, error) {
	if err := answer.err(id); err != nil {
		return nil, err
	}
	if outliving := answer.texts(3); len(outliving) > 0 {
		s.prolongIndexes(ctx, id, outliving)
	}
	result, err := answer.result()
	if err != nil {
		return nil, s.wrap(err)
	}
	serverclock.MoveResult(result, -o.shown)
	return result, nil
}

// Delete implements [runtime.Store].
func (s *Store) Delete(ctx context.Context, key runtime.Key) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	o, err := s.offset(ctx, key.Now)
	if err != nil {
		return err
	}
	defer s.cache.write(key.ID)()
	answer, err := s.run(ctx, deleteOperation, call{[]string{s.sessionKey(key.ID)}, []string{keyArg(key, o)}})
	if err != nil {
		return err
	}
	return answer.err(key.ID)
}
