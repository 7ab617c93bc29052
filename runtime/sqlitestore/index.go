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

// Find implements [runtime.Indexer]. It reads page by page and holds nothing
// while it yields.
func (s *Store) Find(ctx context.Context, v runtime.IndexValue, now time.Time) iter.Seq2[runtime.Found, error] {
	return func(yield func(runtime.Found, error) bool) {
		var after runtime.ID
		for first := true; ; first = false {
			var page []runtime.Found
			var last bool
			err := s.read(ctx, func(conn *sqlite.Conn) error {
				ids, err := carriers(conn, v, after, first)
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
					if r.Live(now) {
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

// carriers returns the next page of ids in the index.
func carriers(conn *sqlite.Conn, v runtime.IndexValue, after runtime.ID, first bool) ([]runtime.ID, error) {
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

// Revoke implements [runtime.Indexer]. The mark comes first, so that no sign-in
// slips in between the pages; each page is a transaction of its own.
func (s *Store) Revoke(ctx context.Context, v runtime.IndexValue, now time.Time, except ...runtime.ID) (int, error) {
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
			ids, err := carriers(conn, v, after, first)
			if err != nil {
				return err
			}
			last = len(ids) < pageSize
			if len(ids) > 0 {
				after = ids[len(ids)-1]
			}
			var unread error
			ended, unread, err = s.end(conn, ids, now, except)
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

// end ends the live ones of the sessions that are not excepted. Those that cannot
// be read are left, and named by the second error.
func (s *Store) end(
	conn *sqlite.Conn, ids []runtime.ID, now time.Time, except []runtime.ID,
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
		if !r.Live(now) || slices.Contains(except, id) {
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
