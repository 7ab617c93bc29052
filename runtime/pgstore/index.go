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

// pageSize is how many sessions Find and Revoke take at a time.
const pageSize = 128

// Find implements [runtime.Indexer]. It reads page by page and holds no
// connection while it yields. A session that signs in or ends meanwhile is found
// or not. A damaged record is told as an error behind all others.
func (s *Store) Find(ctx context.Context, v runtime.IndexValue, now time.Time) iter.Seq2[runtime.Found, error] {
	return func(yield func(runtime.Found, error) bool) {
		m := s.moment(now)
		var damaged error
		for from, more := (runtime.ID{}), true; more; {
			p, err := s.findPage(ctx, &m, v, from)
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

// A page is a part of what Find yields.
type page struct {
	sessions []runtime.Found
	damaged  error // of a record that cannot be read
	next     runtime.ID
	more     bool // from next on
}

// findPage returns the live sessions from an id on.
func (s *Store) findPage(ctx context.Context, m *moment, v runtime.IndexValue, from runtime.ID) (p page, err error) {
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
	}, findStatement, inBinary, v.Kind, v.Field, v.Value, uuid(from), pageSize+1)
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
	var marked string
	err = s.query(ctx, func(r pgx.Row) error { return r.Scan(&marked) },
		"SELECT duckgen_mark($1::text, $2::text, $3::jsonb, coalesce($4::timestamptz, statement_timestamp()), $5::uuid[])::text",
		v.Kind, v.Field, v.Value, m.judging(), excepted)
	if err != nil {
		return 0, err
	}
	var unread []error
	next := uuid(runtime.ID{})
	for next.Valid {
		var n int
		var ids []pgtype.UUID
		from := next
		err = s.query(ctx, func(r pgx.Row) error { return r.Scan(&n, &ids, &next) },
			"SELECT revoked, damaged, next_id FROM duckgen_revoke($1::text, $2::text, $3::jsonb, "+
				"coalesce($4::timestamptz, statement_timestamp()), $5::uuid[], $6::uuid, $7::integer)",
			v.Kind, v.Field, v.Value, m.judging(), excepted, from, pageSize)
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
