package sqlitestore

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/duckgen/duckgen/runtime"
)

// pageSize is how many sessions Find and Revoke take at a time.
const pageSize = 128

// A lister returns the next page of ids, which come in order: all are after the
// given one unless it is the first page.
type lister func(conn *sqlite.Conn, after runtime.ID, first bool) ([]runtime.ID, error)

// Find implements [runtime.Indexer]. It reads page by page and holds nothing
// while it yields.
func (s *Store) Find(ctx context.Context, v runtime.IndexValue, now time.Time) iter.Seq2[runtime.Found, error] {
	return s.live(ctx, carriers(v), v.Kind, now)
}

// live yields the live sessions of the kind among those that are listed.
func (s *Store) live(ctx context.Context, list lister, kind string, now time.Time) iter.Seq2[runtime.Found, error] {
	return func(yield func(runtime.Found, error) bool) {
		var after runtime.ID
		for first := true; ; first = false {
			var page []runtime.Found
			var last bool
			err := s.read(ctx, func(conn *sqlite.Conn) error {
				ids, err := list(conn, after, first)
				last = len(ids) < pageSize
				for _, id := range ids {
					after = id
					r, err := selectRecord(conn, id)
					if errors.Is(err, runtime.ErrDamaged) {
						continue // nobody's session until it is repaired
					}
					if err != nil {
						return err
					}
					if r.Live(now) && r.Kind == kind {
						page = append(page, runtime.Found{ID: id, Record: r})
					}
				}
				return err
			})
			if err != nil {
				yield(runtime.Found{}, err)
				return
			}
			for _, found := range page {
				if !yield(found, nil) {
					return
				}
			}
			if last {
				return
			}
		}
	}
}

// carriers lists the ids in the index of a value.
func carriers(v runtime.IndexValue) lister {
	return func(conn *sqlite.Conn, after runtime.ID, first bool) ([]runtime.ID, error) {
		stmt, err := conn.Prepare(`SELECT id FROM duckgen_index
			WHERE kind = ? AND field = ? AND value = ? AND (id > ? OR ?) ORDER BY id LIMIT ?`)
		if err != nil {
			return nil, err
		}
		stmt.BindText(1, v.Kind)
		stmt.BindText(2, v.Field)
		bindBlob(stmt, 3, []byte(v.Value))
		stmt.BindBytes(4, after[:])
		stmt.BindBool(5, first)
		stmt.BindInt64(6, pageSize)
		return columnIDs(stmt)
	}
}

// Revoke implements [runtime.Indexer]. The mark comes first, so that no sign-in
// slips in between the pages; each page is a transaction of its own.
func (s *Store) Revoke(ctx context.Context, v runtime.IndexValue, now time.Time, except ...runtime.ID) (int, error) {
	return s.revoke(ctx, v, carriers(v), now, except)
}

// revoke marks the value and ends those of the listed sessions that are of its kind.
func (s *Store) revoke(
	ctx context.Context, v runtime.IndexValue, list lister, now time.Time, except []runtime.ID,
) (int, error) {
	err := s.write(ctx, func(conn *sqlite.Conn) error { return markValue(conn, v, now, except) })
	if err != nil {
		return 0, err
	}
	revoked := 0
	var damaged []error
	var after runtime.ID
	for first := true; ; first = false {
		var ended []runtime.Change
		var last bool
		err := s.write(ctx, func(conn *sqlite.Conn) error {
			ids, err := list(conn, after, first)
			if err != nil {
				return err
			}
			last = len(ids) < pageSize
			if len(ids) > 0 {
				after = ids[len(ids)-1]
			}
			var unread error
			ended, unread, err = s.end(conn, ids, v.Kind, now, except)
			damaged = append(damaged, unread)
			return err
		})
		if err != nil {
			return revoked, err
		}
		revoked += len(ended)
		for _, change := range ended {
			s.watchers.tell(change)
		}
		if last {
			return revoked, s.wrap(errors.Join(damaged...))
		}
	}
}

// end ends the live ones of the sessions that are of the kind and not excepted. Those that cannot
// be read are left, and named by the second error.
func (s *Store) end(
	conn *sqlite.Conn, ids []runtime.ID, kind string, now time.Time, except []runtime.ID,
) (ended []runtime.Change, damaged, err error) {
	for _, id := range ids {
		r, err := selectRecord(conn, id)
		if errors.Is(err, runtime.ErrDamaged) {
			damaged = errors.Join(damaged, err)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if !r.Live(now) || r.Kind != kind || slices.Contains(except, id) {
			continue
		}
		if err := replace(conn, id, r, r.Mark(now)); err != nil {
			return nil, nil, err
		}
		change := runtime.Change{Kind: runtime.SessionEnded, ID: id}
		if err := s.watchers.note(conn, change); err != nil {
			return nil, nil, err
		}
		ended = append(ended, change)
	}
	return ended, damaged, nil
}

// markValue remembers a revocation, and forgets those whose time is over.
func markValue(conn *sqlite.Conn, v runtime.IndexValue, now time.Time, except []runtime.ID) error {
	err := run(conn, "DELETE FROM duckgen_revocations WHERE at <= ? OR at > ?",
		now.Add(-runtime.RevocationLife).UnixNano(), now.Add(runtime.MarkLife).UnixNano())
	if err != nil {
		return err
	}
	var excepted []byte
	for _, id := range except {
		excepted = append(excepted, id[:]...)
	}
	return run(conn, "INSERT OR REPLACE INTO duckgen_revocations (kind, field, value, at, excepted) VALUES (?, ?, ?, ?, ?)",
		v.Kind, v.Field, []byte(v.Value), now.UnixNano(), excepted)
}

// checkRevocations is ErrEnded if a revocation bars the operation from one of
// the values.
func checkRevocations(conn *sqlite.Conn, key runtime.Key, values iter.Seq[runtime.IndexValue]) error {
	for v := range values {
		barred, err := isBarred(conn, key, v)
		if err != nil {
			return err
		}
		if barred {
			return runtime.ErrEnded
		}
	}
	return nil
}

func isBarred(conn *sqlite.Conn, key runtime.Key, v runtime.IndexValue) (barred bool, err error) {
	stmt, err := conn.Prepare(`SELECT at, excepted FROM duckgen_revocations
		WHERE kind = ? AND field = ? AND value = ?`)
	if err != nil {
		return false, err
	}
	stmt.BindText(1, v.Kind)
	stmt.BindText(2, v.Field)
	bindBlob(stmt, 3, []byte(v.Value))
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return barred, err
		}
		mark := runtime.Revocation{At: time.Unix(0, stmt.ColumnInt64(0)), Except: columnExcept(stmt, 1)}
		barred = barred || mark.Bars(key)
	}
}

// columnExcept returns ids that are stored one behind the other.
func columnExcept(stmt *sqlite.Stmt, column int) []runtime.ID {
	packed := make([]byte, stmt.ColumnLen(column))
	stmt.ColumnBytes(column, packed)
	ids := make([]runtime.ID, len(packed)/len(runtime.ID{}))
	for i := range ids {
		copy(ids[i][:], packed[i*len(runtime.ID{}):])
	}
	return ids
}

// Trim implements [runtime.Limiter], in one transaction. Damaged records are passed
// over.
func (s *Store) Trim(
	ctx context.Context, values []runtime.IndexValue, most int, keep runtime.ID, now time.Time,
) (int, error) {
	var ended []runtime.Change
	err := s.write(ctx, func(conn *sqlite.Conn) error {
		var list []runtime.Found
		for _, v := range values {
			found, err := liveCarriers(conn, v, now)
			if err != nil {
				return err
			}
			list = append(list, found...)
		}
		var ids []runtime.ID
		for _, found := range runtime.Surplus(list, most, keep) {
			ids = append(ids, found.ID)
		}
		var err error
		ended, _, err = s.end(conn, ids, values[0].Kind, now, nil)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, change := range ended {
		s.watchers.tell(change)
	}
	return len(ended), nil
}

// liveCarriers returns all live sessions that carry the value.
func liveCarriers(conn *sqlite.Conn, v runtime.IndexValue, now time.Time) (list []runtime.Found, err error) {
	var after runtime.ID
	for first, more := true, true; more; first = false {
		ids, err := carriers(v)(conn, after, first)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			after = id
			r, err := selectRecord(conn, id)
			if errors.Is(err, runtime.ErrDamaged) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if r.Live(now) {
				list = append(list, runtime.Found{ID: id, Record: r})
			}
		}
		more = len(ids) == pageSize
	}
	return list, nil
}
