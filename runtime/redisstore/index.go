package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

// pageSize is how many members of an index Find and Revoke take at a time.
const pageSize = 128

// A member of an index is one registration of a session.
type member struct {
	id     runtime.ID
	number string
}

func (m member) text() string { return string(m.id[:]) + m.number }

// page returns the members after one text, the first ones after "", and the text
// to go on after, "" at the end.
func (s *Store) page(
	ctx context.Context, v runtime.IndexValue, after string, size int64,
) (members []member, last string, err error) {
	from := "-"
	if after != "" {
		from = "(" + after
	}
	answer, err := s.client.Do(ctx, read("ZRANGEBYLEX", s.indexKey(v), from, "+", "LIMIT", "0", digits(size)))
	if err != nil {
		return nil, "", s.wrap(err)
	}
	texts := answer.texts()
	for _, text := range texts {
		last = text
		if len(text) == len(runtime.ID{})+numberSize {
			m := member{number: text[len(runtime.ID{}):]}
			copy(m.id[:], text)
			members = append(members, m)
		}
	}
	if len(texts) < int(size) {
		last = ""
	}
	return members, last, nil
}

// Find implements [runtime.Indexer]. It reads page by page, and removes from the
// index what it finds left behind.
func (s *Store) Find(ctx context.Context, v runtime.IndexValue, now time.Time) iter.Seq2[runtime.Found, error] {
	return func(yield func(runtime.Found, error) bool) {
		o, err := s.offset(ctx, now)
		if err = errors.Join(s.ready(ctx), err); err != nil {
			yield(runtime.Found{}, err)
			return
		}
		var previous runtime.ID
		for after, first := "", true; first || after != ""; first = false {
			members, last, err := s.page(ctx, v, after, pageSize)
			var found []runtime.Found
			if err == nil {
				found, err = s.look(ctx, v, members, now, o)
			}
			if err = errors.Join(s.ready(ctx), err); err != nil {
				yield(runtime.Found{}, err)
				return
			}
			for _, f := range found {
				repeated := f.ID == previous
				previous = f.ID
				if !repeated && !yield(f, nil) {
					return
				}
			}
			after = last
		}
	}
}

// look returns the live sessions among the members that carry the value. Those
// of one session follow each other. A damaged record is passed over: it is
// nobody's session until it is repaired.
func (s *Store) look(
	ctx context.Context, v runtime.IndexValue, members []member, now time.Time, o offset,
) (found []runtime.Found, err error) {
	commands := make([]Command, len(members))
	for i, m := range members {
		commands[i] = read("HGETALL", s.sessionKey(m.id))
	}
	var left []member
	for i, answer := range s.client.DoAll(ctx, commands) {
		if hasCode(answer.Err, "WRONGTYPE") {
			continue
		}
		if answer.Err != nil {
			return nil, s.wrap(answer.Err)
		}
		r, err := recordOf(answer.Value)
		if err != nil {
			continue
		}
		r = serverclock.Move(r, -o.shown)
		hash := maps.Collect(answer.Value.fields())
		number, value, ok := splitIndexed(hash[v.Field])
		carries := ok && value == v.Value && r.Kind == v.Kind && r.Ended.IsZero()
		if !carries || number != members[i].number {
			left = append(left, members[i])
		}
		if carries && now.Before(r.Expires) {
			found = append(found, runtime.Found{ID: members[i].id, Record: r})
		}
	}
	_, errs := s.settle(ctx, toTidy, v, left, now)
	return found, failure(errs)
}

// What functions/settle.lua is told to do.
const (
	toTidy   = "tidy"
	toRevoke = "revoke"
)

// settle lets the server look at each member, removes from the index those that
// are done with, and returns how many live sessions have ended, and all that failed.
func (s *Store) settle(
	ctx context.Context, what string, v runtime.IndexValue, members []member, now time.Time,
) (ended int, errs []error) {
	if len(members) == 0 {
		return 0, nil
	}
	calls, ids := make([]call, len(members)), make([]runtime.ID, len(members))
	for i, m := range members {
		ids[i] = m.id
		calls[i] = call{
			keys: []string{s.sessionKey(m.id), s.withdrawnKey(m.id)},
			args: []string{what, s.nowText(now), v.Kind, v.Field, v.Value, m.number},
		}
	}
	defer s.cache.write(ids...)()
	replies, errs := s.runAll(ctx, settleOperation, calls)
	var done []string
	for i, answer := range replies {
		if errs[i] == nil {
			errs[i] = answer.err(ids[i])
		}
		if errs[i] != nil {
			continue
		}
		if answer.number(1) == 1 {
			done = append(done, members[i].text())
		}
		ended += int(answer.number(2))
	}
	if len(done) > 0 {
		_, err := s.client.Do(ctx, Command{Name: []string{"ZREM"}, Keys: []string{s.indexKey(v)}, Args: done})
		errs = append(errs, s.wrap(err))
	}
	return ended, errs
}

// failure returns what has failed, but for damaged records.
func failure(errs []error) error {
	isDamage := func(err error) bool { return errors.Is(err, errDamaged) }
	return errors.Join(slices.DeleteFunc(slices.Clone(errs), isDamage)...)
}

// Revoke implements [runtime.Indexer]. The mark comes first, so that no sign-in
// slips in between the pages: one that has registered before is met here, and
// one that registers later meets the mark. A damaged record is left as it is and named by the error; all other
// sessions end.
func (s *Store) Revoke(ctx context.Context, v runtime.IndexValue, now time.Time, except ...runtime.ID) (int, error) {
	if err := s.ready(ctx); err != nil {
		return 0, err
	}
	var excepted []byte
	for _, id := range except {
		excepted = append(excepted, id[:]...)
	}
	bar := call{[]string{s.revokedKey(v)}, []string{s.nowText(now), rand.Text(), string(excepted)}}
	if _, err := s.run(ctx, barOperation, bar); err != nil {
		return 0, err
	}
	var errs []error
	revoked := 0
	for after, first := "", true; first || after != ""; first = false {
		members, last, err := s.page(ctx, v, after, pageSize)
		if err != nil {
			return revoked, errors.Join(append(errs, err)...)
		}
		members = slices.DeleteFunc(members, func(m member) bool { return slices.Contains(except, m.id) })
		ended, failed := s.settle(ctx, toRevoke, v, members, now)
		revoked += ended
		errs = append(errs, failed...)
		if failure(failed) != nil {
			break
		}
		after = last
	}
	return revoked, errors.Join(errs...)
}

// tidy looks at some members of crowded indexes, from a random one on. What it
// does not manage the next look-up does, so its errors are nobody's concern.
func (s *Store) tidy(ctx context.Context, values []runtime.IndexValue) {
	var from runtime.ID
	rand.Read(from[:])
	for _, v := range values {
		members, _, err := s.page(ctx, v, string(from[:]), pageSize)
		if err == nil && len(members) < pageSize {
			var first []member
			first, _, err = s.page(ctx, v, "", pageSize-int64(len(members)))
			members = append(members, first...)
		}
		if err == nil {
			_, _ = s.settle(ctx, toTidy, v, members, time.Time{})
		}
	}
}

// prolongIndexes lets the indexes of some fields of a session live longer: keys
// and texts in turns. One that fails is made up for by the next.
func (s *Store) prolongIndexes(ctx context.Context, id runtime.ID, fields []string) {
	kind, err := s.kindOf(ctx, id)
	if err != nil {
		return
	}
	for i := 0; i+1 < len(fields); i += 2 {
		if _, value, ok := splitIndexed(fields[i+1]); ok {
			index := s.indexKey(runtime.IndexValue{Kind: kind, Field: fields[i], Value: value})
			prolong := Command{Name: []string{"PEXPIRE"}, Keys: []string{index}, Args: []string{digits(indexLife.Milliseconds())}}
			_, _ = s.client.Do(ctx, prolong)
		}
	}
}
