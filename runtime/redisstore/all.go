package redisstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/redis/rueidis"

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
	if _, err := s.run(ctx, barFunction, bar); err != nil {
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
	replies, errs := s.runAll(ctx, finishFunction, calls)
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
		err = errors.Join(err, master.Do(ctx, master.B().Ping().Build()).Error())
	}
	return s.wrap(err)
}

// masters returns a client for each server that keeps sessions.
func (s *Store) masters(ctx context.Context) (list []rueidis.Client, err error) {
	if !s.sharded {
		return []rueidis.Client{s.client}, nil
	}
	err = errReply
	nodes := s.client.Nodes()
	for address, node := range nodes {
		var masters []string
		if masters, err = mastersKnownTo(ctx, address, node); err != nil {
			continue
		}
		for _, master := range masters {
			if nodes[master] == nil {
				return nil, fmt.Errorf("the master %s of the Cluster is not connected", master)
			}
			list = append(list, nodes[master])
		}
		return list, nil
	}
	return nil, err
}

// mastersKnownTo asks one node for the addresses of all masters. One that does not
// know its own name has that by which it was reached.
func mastersKnownTo(ctx context.Context, address string, node rueidis.Client) (masters []string, err error) {
	ranges, err := node.Do(ctx, node.B().ClusterSlots().Build()).ToArray()
	if err != nil {
		return nil, err
	}
	own, _, _ := net.SplitHostPort(address)
	for _, r := range ranges {
		parts, err := r.ToArray()
		if err != nil || len(parts) < 3 {
			return nil, errReply
		}
		master, err := parts[2].ToArray()
		if err != nil || len(master) < 2 {
			return nil, errReply
		}
		host, _ := master[0].ToString()
		port, err := master[1].AsInt64()
		if err != nil {
			return nil, errReply
		}
		if at := net.JoinHostPort(cmp.Or(host, own), digits(port)); !slices.Contains(masters, at) {
			masters = append(masters, at)
		}
	}
	return masters, nil
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
			for cursor, more := uint64(0), true; more; more = cursor != 0 {
				command := master.B().Scan().Cursor(cursor).Match(pattern).Count(pageSize).Build()
				entry, err := master.Do(ctx, command).AsScanEntry()
				if err = errors.Join(s.ready(ctx), s.wrap(err)); err != nil {
					yield(nil, err)
					return
				}
				cursor = entry.Cursor
				if ids := s.idsIn(entry.Elements); len(ids) > 0 && !yield(ids, nil) {
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
	commands := make(rueidis.Commands, len(ids))
	for i, id := range ids {
		commands[i] = s.client.B().Hgetall().Key(s.sessionKey(id)).Build()
	}
	records := make([]*runtime.Record, len(ids))
	for i, result := range s.client.DoMulti(ctx, commands...) {
		message, err := result.ToMessage()
		if hasCode(err, "WRONGTYPE") {
			continue
		}
		if err != nil {
			return nil, s.wrap(err)
		}
		if fields, n, err := fieldsIn(&message); err == nil {
			records[i], _ = recordOf(fields, n) // a damaged one is nobody's until it is repaired
		}
	}
	return records, nil
}
