package pgstore

import (
	"context"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

// pageSize is how many sessions Find and Revoke take at a time.
const pageSize = 128

// Find implements [runtime.Indexer]. It reads page by page and holds no
// connection while it yields. A session that signs in or ends meanwhile is found
// or not. A damaged record is told as an error behind all others.
func (s *Store) Find(ctx context.Context, v runtime.IndexValue, now time.Time) iter.Seq2[runtime.Found, error] {
	return s.live(ctx, now, findStatement, v.Kind, v.Field, v.Value)
}

// live yields the live sessions that a statement finds, page by page: its last two
// arguments are the id to begin with and how many.
func (s *Store) live(ctx context.Context, now time.Time, statement string, args ...any) iter.Seq2[runtime.Found, error] {
	return func(yield func(runtime.Found, error) bool) {
		m := s.moment(now)
		var damaged error
		for from, more := (runtime.ID{}), true; more; {
			p, err := s.livePage(ctx, &m, from, statement, args)
			if err != nil {
				yield(runtime.Found{}, err)
				return
			}
			for _, found := range p.sessions {
				if !yield(found, nil) {
					return
				}
			}
			if damaged == nil {
				damaged = p.damaged
			}
			from, more = p.next, p.more
		}
		if damaged != nil {
			yield(runtime.Found{}, s.wrap(damaged))
		}
	}
}

var findStatement = "SELECT statement_timestamp(), id, " + columns("") + " FROM duckgen_index JOIN duckgen_sessions USING (id) " +
	"WHERE value = duckgen_value($1::text, $2::text, $3::jsonb) AND id >= $4 ORDER BY id LIMIT $5"

// A page is a part of what Find or All yields.
type page struct {
	sessions []runtime.Found
	damaged  error // of a record that cannot be read
	next     runtime.ID
	more     bool // from next on
}

// livePage returns the live sessions from an id on.
func (s *Store) livePage(ctx context.Context, m *moment, from runtime.ID, statement string, args []any) (p page, err error) {
	n := 0
	err = s.rows(ctx, func(values [][]byte, types *pgtype.Map) error {
		id := runtime.ID(values[1])
		if n++; n > pageSize {
			p.next, p.more = id, true
			return nil
		}
		record, err := decodeRecord(id, values, types)
		if err != nil {
			p.damaged = err
			return nil
		}
		now, err := decodeTime(values[0])
		if record.Live(m.judgingAt(now)) {
			p.sessions = append(p.sessions, runtime.Found{ID: id, Record: serverclock.Move(record, s.observe(m, now))})
		}
		return err
	}, statement, append(append([]any{inBinary}, args...), uuid(from), pageSize+1)...)
	return p, err
}

// Revoke implements [runtime.Indexer]. The mark comes first: from then on no
// request that arrived before can set the value, so none slips in between the
// pages. It is there also where a later page fails. A damaged record stays as it is
// and is named by the error; all other sessions end.
func (s *Store) Revoke(
	ctx context.Context, v runtime.IndexValue, now time.Time, except ...runtime.ID,
) (revoked int, err error) {
	excepted := make([]pgtype.UUID, len(except))
	for i, id := range except {
		excepted[i] = uuid(id)
	}
	m := s.moment(now)
	if err := s.mark(ctx, &m, v.Kind, v.Field, pgtype.Text{String: v.Value, Valid: true}, excepted); err != nil {
		return 0, err
	}
	return s.revokePages(ctx, func(from pgtype.UUID, scan func(pgx.Row) error) error {
		return s.query(ctx, scan, "SELECT revoked, damaged, next_id FROM duckgen_revoke($1::text, $2::text, $3::jsonb, "+
			"coalesce($4::timestamptz, statement_timestamp()), $5::uuid[], $6::uuid, $7::integer)",
			v.Kind, v.Field, v.Value, m.judging(), excepted, from, pageSize)
	})
}

// Trim implements [runtime.Limiter].
func (s *Store) Trim(
	ctx context.Context, values []runtime.IndexValue, most int, keep runtime.ID, now time.Time,
) (trimmed int, err error) {
	m := s.moment(now)
	fields, encoded := make([]string, len(values)), make([]string, len(values))
	for i, v := range values {
		fields[i], encoded[i] = v.Field, v.Value
	}
	err = s.query(ctx, func(r pgx.Row) error { return r.Scan(&trimmed) },
		"SELECT duckgen_trim($1::text, $2::text[], $3::text[]::jsonb[], coalesce($4::timestamptz, statement_timestamp()), $5::integer, $6::uuid)",
		values[0].Kind, fields, encoded, m.judging(), most, uuid(keep))
	return trimmed, err
}
