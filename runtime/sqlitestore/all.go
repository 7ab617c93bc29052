package sqlitestore

import (
	"context"
	"iter"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/duckgen/duckgen/runtime"
)

// All implements [runtime.Lister]. It reads the whole file page by page, and holds
// nothing while it yields.
func (s *Store) All(ctx context.Context, kind string, now time.Time) iter.Seq2[runtime.Found, error] {
	return s.live(ctx, everything, kind, now)
}

// RevokeAll implements [runtime.Lister], as Revoke does for a value.
func (s *Store) RevokeAll(ctx context.Context, kind string, now time.Time) (int, error) {
	return s.revoke(ctx, runtime.IndexValue{Kind: kind}, everything, now, nil)
}

// ByID implements [runtime.Lister].
func (s *Store) ByID(ctx context.Context, kind string, id runtime.ID, now time.Time) (r *runtime.Record, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) (err error) {
		r, err = selectRecord(conn, id)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !r.Live(now) || r.Kind != kind:
		return nil, runtime.ErrNotFound
	}
	return r, nil
}

// everything lists the ids of all sessions.
func everything(conn *sqlite.Conn, after runtime.ID, first bool) ([]runtime.ID, error) {
	query := "SELECT id FROM duckgen_sessions WHERE id > ? ORDER BY id LIMIT ?"
	if first {
		query = "SELECT id FROM duckgen_sessions WHERE id >= ? ORDER BY id LIMIT ?"
	}
	stmt, err := conn.Prepare(query)
	if err != nil {
		return nil, err
	}
	stmt.BindBytes(1, after[:])
	stmt.BindInt64(2, pageSize)
	return columnIDs(stmt)
}
