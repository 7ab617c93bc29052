package pgstore

import (
	"context"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/duckgen/duckgen/runtime"
)

// pageSize is how many sessions Find and Revoke take at a time.
const pageSize = 128

// Find implements [runtime.Indexer]. It reads page by page and holds no
// connection while it yields. A session that signs in or ends meanwhile is found
// or not.
func (s *Store) Find(ctx context.Context, v runtime.IndexValue, now time.Time) iter.Seq2[runtime.Found, error] {
	return func(yield func(runtime.Found, error) bool) {
		var from runtime.ID
		for more := true; more; {
			var page []runtime.Found
			var err error
			page, from, more, err = s.findPage(ctx, v, from)
			if err != nil {
				yield(runtime.Found{}, err)
				return
			}
			for _, found := range page {
				if isLive(found.Record, now) && !yield(found, nil) {
					return
				}
			}
		}
	}
}

func isLive(r *runtime.Record, now time.Time) bool { return r.Ended.IsZero() && now.Before(r.Expires) }

var findStatement = "SELECT id, " + columns("") + " FROM duckgen_index JOIN duckgen_sessions USING (id) " +
	"WHERE value = duckgen_value($1, $2, $3) AND id >= $4 ORDER BY id LIMIT $5"

// findPage returns the sessions from an id on, and the id to go on with.
func (s *Store) findPage(
	ctx context.Context, v runtime.IndexValue, from runtime.ID,
) (page []runtime.Found, next runtime.ID, more bool, err error) {
	if err := s.usable(ctx); err != nil {
		return nil, next, false, s.failed(ctx, err)
	}
	rows, err := s.pool.Query(ctx, findStatement, v.Kind, v.Field, v.Value, uuid(from), pageSize+1)
	if err != nil {
		return nil, next, false, s.failed(ctx, err)
	}
	page, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (found runtime.Found, err error) {
		var id pgtype.UUID
		found.Record, err = scanRecord(r, &id, &id)
		found.ID = id.Bytes
		return found, err
	})
	if err != nil {
		return nil, next, false, s.failed(ctx, err)
	}
	if len(page) > pageSize {
		return page[:pageSize], page[pageSize].ID, true, nil
	}
	return page, next, false, nil
}

// Revoke implements [runtime.Indexer]. The mark comes first: from then on no
// request that arrived before can set the value, so none slips in between the
// pages. It is there also where a later page fails.
func (s *Store) Revoke(
	ctx context.Context, v runtime.IndexValue, now time.Time, except ...runtime.ID,
) (revoked int, err error) {
	excepted := make([]pgtype.UUID, len(except))
	for i, id := range except {
		excepted[i] = uuid(id)
	}
	var marked string
	err = s.query(ctx, func(r pgx.Row) error { return r.Scan(&marked) },
		"SELECT duckgen_mark($1, $2, $3, $4, $5)::text", v.Kind, v.Field, v.Value, now, excepted)
	if err != nil {
		return 0, err
	}
	next := uuid(runtime.ID{})
	for next.Valid {
		var n int
		from := next
		err = s.query(ctx, func(r pgx.Row) error { return r.Scan(&n, &next) },
			"SELECT revoked, next_id FROM duckgen_revoke($1, $2, $3, $4, $5, $6, $7)",
			v.Kind, v.Field, v.Value, now, excepted, from, pageSize)
		if err != nil {
			return revoked, err
		}
		revoked += n
	}
	return revoked, nil
}
