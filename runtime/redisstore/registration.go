package redisstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// Only commits that set an indexed entry come here: each of its values is
// registered in the index, so that the session is found by it.

const (
	// indexLife is how long the index of a value outlives the last sign-in with
	// it, twice the longest life that a session can be given.
	indexLife = 800 * 24 * time.Hour

	// longLife is how old a session may become before a new deadline prolongs
	// the indexes of its values, too. No deadline is more than half of indexLife
	// ahead, so an index stays even where one such step fails.
	longLife = indexLife / 2

	// withdrawnLife is how long a withdrawn registration is remembered: longer
	// than any commit can be on its way.
	withdrawnLife = 10 * time.Minute

	// From crowd members on, every tidyEvery-th registration of a value looks
	// at pageSize of them.
	crowd     = 64
	tidyEvery = 16
)

// attempts is how often a commit registers its values once more because
// somebody took its registration for left behind.
const attempts = 8

var errRegistration = errors.New("the index does not come to rest, the session is left as it is")

// indexName names the keys of a value: a hash, as values are of any length and
// nobody else's business.
func (s *Store) indexName(v runtime.IndexValue) string {
	h := sha256.New()
	for _, part := range []string{v.Kind, v.Field, v.Value} {
		h.Write(binary.AppendUvarint(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return s.prefix + "{" + hex.EncodeToString(h.Sum(nil)[:16]) + "}"
}

func (s *Store) indexKey(v runtime.IndexValue) string   { return s.indexName(v) + ":index" }
func (s *Store) revokedKey(v runtime.IndexValue) string { return s.indexName(v) + ":revoked" }

// hasIndexed reports whether there is a value to be found by.
func hasIndexed(values iter.Seq[runtime.IndexValue]) bool {
	found := false
	for range values {
		found = true
	}
	return found
}

// updateIndexed is an Update that sets indexed entries.
func (s *Store) updateIndexed(ctx context.Context, key runtime.Key, o offset, d *runtime.Delta) (*runtime.Result, error) {
	kind, err := s.guessKind(ctx, key.ID)
	if err != nil {
		return nil, err
	}
	for range attempts {
		values := slices.Collect(d.IndexValues(kind))
		reg, err := s.register(ctx, key, o, values)
		if err != nil {
			return nil, err
		}
		answer, err := s.run(ctx, updateOperation, call{reg.keys, deltaArgs(key, o, d, reg)})
		switch {
		case err != nil:
			return nil, err
		case answer.verdict() == verdictOtherKind:
			kind = answer.text(1)
			s.noteKind(kind)
		case answer.verdict() != verdictWithdrawn:
			if reg.crowded || answer.crowded() {
				s.tidy(ctx, values)
			}
			return s.resultOf(ctx, key.ID, o, answer)
		}
	}
	return nil, s.wrap(errRegistration)
}

// createIndexed is a Create of a record with indexed entries.
func (s *Store) createIndexed(ctx context.Context, key runtime.Key, o offset, r *runtime.Record) error {
	values := slices.Collect(r.IndexValues(nil))
	for range attempts {
		reg, err := s.register(ctx, key, o, values)
		if err != nil {
			return err
		}
		keys := reg.keys
		if !s.sharded {
			keys = append(keys, s.revokedKey(runtime.IndexValue{Kind: r.Kind}))
		}
		answer, err := s.run(ctx, createOperation, call{keys, creationArgs(key, o, r, reg)})
		if err != nil {
			return err
		}
		if answer.verdict() != verdictWithdrawn {
			if reg.crowded || answer.crowded() {
				s.tidy(ctx, values)
			}
			return answer.err(key.ID)
		}
	}
	return s.wrap(errRegistration)
}

// A registration is what a commit needs to be found by its values.
type registration struct {
	kind    string   // that the values were registered for
	keys    []string // of the commit's function
	numbers []string // one for each value
	barred  bool     // a revocation bars one of the values
	crowded bool     // the index should be tidied
}

// register gives each value a number. On a Cluster it also puts the session
// into the index, before the record: were it the other way round, a crash
// between the two would leave a session that no look-up finds. Elsewhere the
// commit's own function does that.
func (s *Store) register(ctx context.Context, key runtime.Key, o offset, values []runtime.IndexValue) (*registration, error) {
	reg := &registration{kind: values[0].Kind, keys: []string{s.sessionKey(key.ID), s.withdrawnKey(key.ID)}}
	for _, v := range values {
		var number [numberSize]byte
		rand.Read(number[:])
		reg.numbers = append(reg.numbers, string(number[:]))
		if !s.sharded {
			reg.keys = append(reg.keys, s.indexKey(v), s.revokedKey(v))
		}
	}
	if s.sharded {
		return reg, s.registerAhead(ctx, key, o, values, reg)
	}
	return reg, nil
}

// registerAhead is the step before a commit on a Cluster. Where a value is
// barred, the commit says so: there may be a better reason to refuse it.
func (s *Store) registerAhead(
	ctx context.Context, key runtime.Key, o offset, values []runtime.IndexValue, reg *registration,
) error {
	calls := make([]call, len(values))
	for i, v := range values {
		calls[i] = call{
			keys: []string{s.indexKey(v), s.revokedKey(v)},
			args: []string{keyArg(key, o), string(key.ID[:]) + reg.numbers[i]},
		}
	}
	replies, errs := s.runAll(ctx, registerOperation, calls)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, answer := range replies {
		if answer.verdict() == verdictEnded {
			reg.barred = true
			continue
		}
		if err := answer.err(key.ID); err != nil {
			return err
		}
		reg.crowded = reg.crowded || answer.number(1) == 1
	}
	return nil
}

// guessKind returns the kind to register the values of a delta for. The commit
// checks it.
func (s *Store) guessKind(ctx context.Context, id runtime.ID) (string, error) {
	if kind := *s.kind.Load(); kind != "" {
		return kind, nil
	}
	return s.kindOf(ctx, id)
}

// kindOf returns the kind of a stored session, which never changes; "" for none.
func (s *Store) kindOf(ctx context.Context, id runtime.ID) (string, error) {
	kind, err := s.client.Do(ctx, read("HGET", s.sessionKey(id), ".k"))
	return kind.Text, s.wrap(err)
}
