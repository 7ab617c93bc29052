package pgstore

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

var allStatement = "SELECT statement_timestamp(), id, " + columns("") + " FROM duckgen_sessions " +
	"WHERE kind = $1::text AND ended IS NULL AND id >= $2 ORDER BY id LIMIT $3"

// All implements [runtime.Lister]. It reads the whole table page by page, as Find
// does the index.
func (s *Store) All(ctx context.Context, kind string, now time.Time) iter.Seq2[runtime.Found, error] {
	return s.live(ctx, now, allStatement, kind)
}

// ByID implements [runtime.Lister].
func (s *Store) ByID(ctx context.Context, kind string, id runtime.ID, now time.Time) (*runtime.Record, error) {
	m := s.moment(now)
	stored, at, err := s.stored(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !stored.Live(m.judgingAt(at)) || stored.Kind != kind:
		return nil, runtime.ErrNotFound
	}
	return serverclock.Move(stored, s.observe(&m, at)), nil
}

// RevokeAll implements [runtime.Lister], as Revoke does for a value.
func (s *Store) RevokeAll(ctx context.Context, kind string, now time.Time) (int, error) {
	m := s.moment(now)
	if err := s.mark(ctx, &m, kind, "", pgtype.Text{}, []pgtype.UUID{}); err != nil {
		return 0, err
	}
	return s.revokePages(ctx, func(from pgtype.UUID, scan func(pgx.Row) error) error {
		return s.query(ctx, scan, "SELECT revoked, damaged, next_id FROM duckgen_revoke_all($1::text, "+
			"coalesce($2::timestamptz, statement_timestamp()), $3::uuid, $4::integer)", kind, m.judging(), from, pageSize)
	})
}

// mark marks a value as revoked: without a field the kind.
func (s *Store) mark(ctx context.Context, m *moment, kind, field string, value pgtype.Text, excepted []pgtype.UUID) error {
	var marked string
	return s.query(ctx, func(r pgx.Row) error { return r.Scan(&marked) },
		"SELECT duckgen_mark($1::text, $2::text, $3::jsonb, coalesce($4::timestamptz, statement_timestamp()), $5::uuid[])::text",
		kind, field, value, m.judging(), excepted)
}

// revokePages revokes page by page: each call of revoke is for the one that begins
// with an id.
func (s *Store) revokePages(
	ctx context.Context, revoke func(from pgtype.UUID, scan func(pgx.Row) error) error,
) (revoked int, err error) {
	var unread []error
	next := uuid(runtime.ID{})
	for next.Valid {
		var n int
		var ids []pgtype.UUID
		err = revoke(next, func(r pgx.Row) error { return r.Scan(&n, &ids, &next) })
		if err != nil {
			return revoked, errors.Join(append(unread, err)...)
		}
		revoked += n
		for _, id := range ids {
			unread = append(unread, s.wrap(damaged(id.Bytes, errDamaged)))
		}
	}
	return revoked, errors.Join(unread...)
}
