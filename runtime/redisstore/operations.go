package redisstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"

	"github.com/redis/rueidis"

	"github.com/duckgen/duckgen/runtime"
)

// Load implements [runtime.Store]. It writes only where the first presentation
// of a renewed token, or the end of a reused one, has to be recorded.
func (s *Store) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	if s.cache != nil && !key.Held && !key.Live {
		return s.loadCached(ctx, key)
	}
	return s.load(ctx, key)
}

// loadCached asks the server where a cached record does not admit the key: the
// record may be older than the token.
func (s *Store) loadCached(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	if cached := s.cache.get(key.ID); cached != nil {
		if next, err := cached.Read(key); err == nil && next == cached {
			return cached, nil
		}
		return s.load(ctx, key)
	}
	place := s.cache.begin(key.ID)
	if place == nil {
		return s.load(ctx, key)
	}
	stored, err := s.fetch(ctx, s.cache.client, key.ID)
	s.cache.fill(place, stored)
	if err != nil {
		return nil, err
	}
	return s.judge(ctx, key, stored)
}

func (s *Store) load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	stored, err := s.fetch(ctx, s.client, key.ID)
	if err != nil {
		return nil, err
	}
	return s.judge(ctx, key, stored)
}

// judge returns what the key may see of the stored record.
func (s *Store) judge(ctx context.Context, key runtime.Key, stored *runtime.Record) (*runtime.Record, error) {
	next, err := stored.Read(key)
	if next != stored {
		return s.loadAndRecord(ctx, key)
	}
	if err != nil {
		return nil, err
	}
	return next, nil
}

func (s *Store) loadAndRecord(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	defer s.cache.write(key.ID)()
	answer, err := s.run(ctx, loadFunction, call{[]string{s.sessionKey(key.ID)}, []string{keyArg(key)}})
	if err != nil {
		return nil, err
	}
	if err := answer.err(key.ID); err != nil {
		return nil, err
	}
	if len(answer.parts) < 2 {
		return nil, s.wrap(errReply)
	}
	return s.readMessage(key.ID, &answer.parts[1])
}

// fetch returns the stored record, nil for none.
func (s *Store) fetch(ctx context.Context, client rueidis.Client, id runtime.ID) (*runtime.Record, error) {
	message, err := client.Do(ctx, client.B().Hgetall().Key(s.sessionKey(id)).Build()).ToMessage()
	if err != nil {
		return nil, s.wrap(fmt.Errorf("session %s: %w", id, err))
	}
	return s.readMessage(id, &message)
}

func (s *Store) readMessage(id runtime.ID, message *rueidis.RedisMessage) (*runtime.Record, error) {
	fields, n, err := fieldsIn(message)
	if err != nil {
		return nil, s.wrap(fmt.Errorf("session %s: %w", id, err))
	}
	r, err := recordOf(fields, n)
	if err != nil {
		return nil, s.wrap(fmt.Errorf("session %s: %w", id, err))
	}
	if r != nil {
		s.noteKind(r.Kind)
	}
	return r, nil
}

// fieldsIn yields the fields of a hash, and tells how many there are. A client
// that speaks RESP2 is given a list in the order of the hash, which is nearly
// that of the keys; RESP3 has maps, which have none.
func fieldsIn(message *rueidis.RedisMessage) (fields iter.Seq2[string, string], n int, err error) {
	if message.IsMap() {
		hash, err := message.AsStrMap()
		return maps.All(hash), len(hash), err
	}
	list, err := message.ToArray()
	return func(yield func(string, string) bool) {
		for i := 0; i+1 < len(list); i += 2 {
			field, _ := list[i].ToString()
			text, _ := list[i+1].ToString()
			if !yield(field, text) {
				return
			}
		}
	}, len(list) / 2, err
}

// Create implements [runtime.Store]. The mark of an ended session holds its id
// as a live session does.
func (s *Store) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	defer s.cache.write(key.ID)()
	s.noteKind(r.Kind)
	values := indexedValues(r.Kind, r.Entries.Indexed())
	for range attempts {
		answer, err := s.create(ctx, key, r, values)
		if err != nil {
			return err
		}
		if answer.verdict() != verdictWithdrawn {
			return answer.err(key.ID)
		}
	}
	return s.wrap(errRegistration)
}

func (s *Store) create(
	ctx context.Context, key runtime.Key, r *runtime.Record, values []runtime.IndexValue,
) (reply, error) {
	reg, err := s.register(ctx, key, values)
	if err != nil {
		return reply{}, err
	}
	args := append([]string{creationArg(key, r, len(values))}, reg.numbers...)
	args = append(args, fieldsOf(r, reg.numbers)...)
	answer, err := s.run(ctx, createFunction, call{reg.keys, args})
	if err == nil && answer.verdict() == verdictOK {
		s.tidyWhere(ctx, values, reg.crowded || answer.number(1) == 1)
	}
	return answer, err
}

// Update implements [runtime.Store].
func (s *Store) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	defer s.cache.write(key.ID)()
	kind, err := s.guessKind(ctx, key.ID, d)
	if err != nil {
		return nil, err
	}
	for range attempts {
		answer, err := s.update(ctx, key, d, kind)
		switch {
		case errors.Is(err, runtime.ErrEnded):
			// Barred, but by the revocation of another kind where the guess is wrong.
			actual, failed := s.kindOf(ctx, key.ID)
			if failed != nil {
				return nil, failed
			}
			if actual == "" || actual == kind {
				return nil, err
			}
			kind = actual
		case err != nil:
			return nil, err
		case answer.verdict() == verdictOK:
			s.prolongIndexes(ctx, key.ID, answer)
			return s.resultOf(answer)
		case answer.verdict() == verdictOtherKind:
			kind = answer.text(1)
			s.noteKind(kind)
		case answer.verdict() != verdictWithdrawn:
			return nil, answer.err(key.ID)
		}
	}
	return nil, s.wrap(errRegistration)
}

func (s *Store) update(ctx context.Context, key runtime.Key, d *runtime.Delta, kind string) (reply, error) {
	values := indexedValues(kind, indexedIn(d))
	reg, err := s.register(ctx, key, values)
	if err != nil {
		return reply{}, err
	}
	answer, err := s.run(ctx, updateFunction, call{reg.keys, deltaArgs(key, d, kind, reg.numbers)})
	if err == nil && answer.verdict() == verdictOK {
		s.tidyWhere(ctx, values, reg.crowded || answer.outcome()&outcomeCrowded != 0)
	}
	return answer, err
}

func (s *Store) resultOf(answer reply) (*runtime.Result, error) {
	outcome, head := answer.outcome(), answer.head()
	if head == "" {
		return nil, s.wrap(errReply)
	}
	result := &runtime.Result{
		Won:      outcome&outcomeWon != 0,
		Current:  outcome&outcomeCurrent != 0,
		Created:  timeAt(head, headCreated),
		Renewed:  timeAt(head, headRenewed),
		Deadline: timeAt(head, headDeadline),
		Expires:  timeAt(head, headExpires),
	}
	if replaced := answer.texts(2); len(replaced) > 0 {
		result.Replaced = replaced
	}
	return result, nil
}

// Delete implements [runtime.Store].
func (s *Store) Delete(ctx context.Context, key runtime.Key) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	defer s.cache.write(key.ID)()
	answer, err := s.run(ctx, deleteFunction, call{[]string{s.sessionKey(key.ID)}, []string{keyArg(key)}})
	if err != nil {
		return err
	}
	return answer.err(key.ID)
}
