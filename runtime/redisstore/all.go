package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

// All implements [runtime.Lister]. It reads all keys of the server, of a Cluster one
// master after the other. While a server makes room for more keys or has just had
// more, a session may come twice.
func (s *Store) All(ctx context.Context, kind string, now time.Time) iter.Seq2[runtime.Found, error] {
	return func(yield func(runtime.Found, error) bool) {
		o, err := s.offset(ctx, now)
		if err = errors.Join(s.ready(ctx), err); err != nil {
			yield(runtime.Found{}, err)
			return
		}
		for ids, err := range s.scan(ctx) {
			var records []*runtime.Record
			if err == nil {
				records, err = s.fetchAll(ctx, ids)
			}
			if err != nil {
				yield(runtime.Found{}, err)
				return
			}
			for i, r := range records {
				r = serverclock.Move(r, -o.shown)
				if r.Live(now) && r.Kind == kind && !yield(runtime.Found{ID: ids[i], Record: r}, nil) {
					return
				}
			}
		}
	}
}

// ByID implements [runtime.Lister].
func (s *Store) ByID(ctx context.Context, kind string, id runtime.ID, now time.Time) (*runtime.Record, error) {
	o, err := s.offset(ctx, now)
	if err = errors.Join(s.ready(ctx), err); err != nil {
		return nil, err
	}
	r, err := s.fetch(ctx, s.client, id)
	if err != nil {
		return nil, err
	}
	if r = serverclock.Move(r, -o.shown); !r.Live(now) || r.Kind != kind {
		return nil, runtime.ErrNotFound
	}
	return r, nil
}

// RevokeAll implements [runtime.Lister]. The mark comes first: a creation that comes
// later meets it, and one that came before is met here. A damaged record is left as it
// is and named by the error.
func (s *Store) RevokeAll(ctx context.Context, kind string, now time.Time) (revoked int, err error) {
	if err := s.ready(ctx); err != nil {
		return 0, err
	}
	bar := call{[]string{s.revokedKey(runtime.IndexValue{Kind: kind})}, []string{s.nowText(now), rand.Text(), ""}}
	if _, err := s.run(ctx, barOperation, bar); err != nil {
		return 0, err
	}
	var errs []error
	for ids, err := range s.scan(ctx) {
		if err != nil {
			return revoked, errors.Join(append(errs, err)...)
		}
		ended, failed := s.finishAll(ctx, kind, ids, now)
		revoked += ended
		errs = append(errs, failed...)
		if failure(failed) != nil {
			break
		}
	}
	return revoked, errors.Join(errs...)
}

// finishAll ends the live sessions of the kind among the ids.
func (s *Store) finishAll(ctx context.Context, kind string, ids []runtime.ID, now time.Time) (ended int, errs []error) {
	calls := make([]call, len(ids))
	for i, id := range ids {
		calls[i] = call{[]string{s.sessionKey(id)}, []string{s.nowText(now), kind}}
	}
	defer s.cache.write(ids...)()
	replies, errs := s.runAll(ctx, finishOperation, calls)
	for i, answer := range replies {
		if errs[i] == nil {
			errs[i] = answer.err(ids[i])
		}
		if errs[i] == nil {
			ended += int(answer.number(1))
		}
	}
	return ended, errs
}

// Ping implements [runtime.Pinger]: every server that keeps sessions has to answer.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	masters, err := s.masters(ctx)
	for _, master := range masters {
		_, failed := master.Do(ctx, Command{Name: []string{"PING"}, ReadOnly: true})
		err = errors.Join(err, failed)
	}
	return s.wrap(err)
}

// masters returns the servers that keep sessions.
func (s *Store) masters(ctx context.Context) ([]Node, error) {
	nodes, err := s.client.Nodes(ctx)
	isReplica := func(n Node) bool { return !n.Master }
	return slices.DeleteFunc(nodes, isReplica), err
}

// scan yields the ids of all stored sessions, page by page.
func (s *Store) scan(ctx context.Context) iter.Seq2[[]runtime.ID, error] {
	return func(yield func([]runtime.ID, error) bool) {
		masters, err := s.masters(ctx)
		if err != nil {
			yield(nil, s.wrap(err))
			return
		}
		pattern := escapeGlob.Replace(s.prefix) + "{*}"
		for _, master := range masters {
			for cursor, more := "0", true; more; more = cursor != "0" {
				scan := Command{Name: []string{"SCAN", cursor, "MATCH", pattern, "COUNT", digits(pageSize)}, ReadOnly: true}
				page, err := master.Do(ctx, scan)
				if err == nil && len(page.List) != 2 {
					err = errReply
				}
				if err = errors.Join(s.ready(ctx), s.wrap(err)); err != nil {
					yield(nil, err)
					return
				}
				cursor = page.List[0].Text
				if ids := s.idsIn(page.List[1].texts()); len(ids) > 0 && !yield(ids, nil) {
					return
				}
			}
		}
	}
}

// escapeGlob lets a prefix stand for itself in a pattern.
var escapeGlob = strings.NewReplacer("*", "\\*", "?", "\\?", "[", "\\[", "]", "\\]", "\\", "\\\\", "^", "\\^", "-", "\\-")

// idsIn returns those of the sessions among the keys, each once.
func (s *Store) idsIn(keys []string) (ids []runtime.ID) {
	for _, key := range keys {
		if id, ok := idIn(key, s.prefix); ok && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// fetchAll returns the stored record of each id, nil for none and for a damaged one.
func (s *Store) fetchAll(ctx context.Context, ids []runtime.ID) ([]*runtime.Record, error) {
	commands := make([]Command, len(ids))
	for i, id := range ids {
		commands[i] = read("HGETALL", s.sessionKey(id))
	}
	records := make([]*runtime.Record, len(ids))
	for i, answer := range s.client.DoAll(ctx, commands) {
		if hasCode(answer.Err, "WRONGTYPE") {
			continue
		}
		if answer.Err != nil {
			return nil, s.wrap(answer.Err)
		}
		records[i], _ = recordOf(answer.Value) // a damaged one is nobody's until it is repaired
	}
	return records, nil
}
