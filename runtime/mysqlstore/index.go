package mysqlstore

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

// pageSize is how many sessions Find and Revoke take at a time.
const pageSize = 128

const findStatement = "SELECT UTC_TIMESTAMP(6),id," + columns + " FROM duckgen_index JOIN duckgen_sessions USING (id) " +
	"WHERE value=? AND id>=? ORDER BY id LIMIT ?"

// Find implements [runtime.Indexer]. It reads page by page and holds no connection
// while it yields. A session that signs in or ends meanwhile is found or not. A damaged
// record is told as an error behind all others.
func (s *Store) Find(ctx context.Context, v runtime.IndexValue, now time.Time) iter.Seq2[runtime.Found, error] {
	return s.live(ctx, now, findStatement, hashOf(v))
}

// live yields the live sessions that a statement finds, page by page: its last two
// arguments are the id to begin with and how many.
func (s *Store) live(ctx context.Context, now time.Time, statement string, arg any) iter.Seq2[runtime.Found, error] {
	return func(yield func(runtime.Found, error) bool) {
		m := s.moment(now)
		var damaged error
		for from, more := (runtime.ID{}), true; more; {
			p, err := s.livePage(ctx, &m, batchOf(statement, arg, from[:], pageSize+1))
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

// A page is a part of what Find or All yields.
type page struct {
	sessions []runtime.Found
	damaged  error // of a record that cannot be read
	next     runtime.ID
	more     bool // from next on
}

func (s *Store) livePage(ctx context.Context, m *moment, b *batch) (p page, err error) {
	n := 0
	err = s.query(ctx, b, func(rows *sql.Rows) error {
		var at instant
		found, _, damaged, err := scanFound(rows, &at)
		n++
		switch {
		case err != nil:
			return err
		case n > pageSize:
			p.next, p.more = found.ID, true
		case damaged != nil:
			p.damaged = damaged
		case found.Record.Live(m.judgingAt(at.Time)):
			found.Record = serverclock.Move(found.Record, s.observe(m, at.Time))
			p.sessions = append(p.sessions, found)
		}
		return nil
	})
	return p, err
}

// scanFound reads a row with an id and a record, behind others.
func scanFound(rows *sql.Rows, before ...any) (found runtime.Found, version int64, damaged, err error) {
	var id []byte
	var read row
	if err := rows.Scan(read.targets(append(before, &id)...)...); err != nil {
		return found, 0, nil, err
	}
	copy(found.ID[:], id)
	found.Record, damaged = read.record(found.ID)
	return found, read.version, damaged, nil
}

const carriersStatement = "SELECT id FROM duckgen_index WHERE value=? AND id>=? ORDER BY id LIMIT ? LOCK IN SHARE MODE"

// Revoke implements [runtime.Indexer]. The mark comes first: from then on no request
// that arrived before can set the value, so none slips in between the pages. It is
// there also where a later page fails. A damaged record stays as it is and is named by
// the error; all other sessions end.
func (s *Store) Revoke(ctx context.Context, v runtime.IndexValue, now time.Time, except ...runtime.ID) (int, error) {
	return s.revoke(ctx, v, now, except, carriersStatement, hashOf(v))
}

// revoke marks a value, and ends its sessions page by page: the last two arguments of
// the statement are the id to begin with and how many. It waits for what others have
// put in the index before they saw the mark.
func (s *Store) revoke(
	ctx context.Context, v runtime.IndexValue, now time.Time, except []runtime.ID, statement string, arg any,
) (revoked int, err error) {
	m := s.moment(now)
	if err := s.mark(ctx, &m, v, except); err != nil {
		return 0, err
	}
	var damaged []error
	for from, more := (runtime.ID{}), true; more; {
		b := batchOf(readCommitted)
		b.add(statement, arg, from[:], pageSize+1)
		ids, err := s.ids(ctx, b)
		if err != nil {
			return revoked, err
		}
		if more = len(ids) > pageSize; more {
			from, ids = ids[pageSize], ids[:pageSize]
		}
		ids = slices.DeleteFunc(ids, func(id runtime.ID) bool { return slices.Contains(except, id) })
		n, unread, err := s.end(ctx, &m, ids, func(live []runtime.Found) []runtime.Found {
			return slices.DeleteFunc(live, func(f runtime.Found) bool { return !carries(f.Record, v) })
		})
		if err != nil {
			return revoked, err
		}
		revoked += n
		damaged = append(damaged, unread)
	}
	return revoked, s.wrap(errors.Join(damaged...))
}

// carries reports whether the record is found by one of the values.
func carries(r *runtime.Record, values ...runtime.IndexValue) bool {
	for v := range r.Revocable() {
		if slices.Contains(values, v) {
			return true
		}
	}
	return false
}

// ids returns those that a statement answers.
func (s *Store) ids(ctx context.Context, b *batch) (ids []runtime.ID, err error) {
	err = s.query(ctx, b, func(rows *sql.Rows) error {
		var id []byte
		err := rows.Scan(&id)
		ids = append(ids, runtime.ID(id))
		return err
	})
	return ids, err
}

// end ends those of the sessions that choose returns of the live ones among them, in
// one transaction. Those that cannot be read are left, and named by the second result.
func (s *Store) end(
	ctx context.Context, m *moment, ids []runtime.ID, choose func(live []runtime.Found) []runtime.Found,
) (ended int, damaged, err error) {
	if len(ids) == 0 {
		return 0, nil, nil
	}
	err = s.lend(ctx, func(ctx context.Context, c *sql.Conn) error {
		locked, err := lockLive(ctx, c, m, ids)
		if err != nil {
			return err
		}
		chosen := choose(locked.live)
		ended, damaged = len(chosen), locked.damaged
		b := &batch{}
		for _, f := range chosen {
			b.replace(f.ID, f.Record, f.Record.Mark(locked.now), locked.versions[f.ID])
			b.note(runtime.Change{Kind: runtime.SessionEnded, ID: f.ID})
		}
		b.add("COMMIT")
		return exec(ctx, c, b)
	})
	return ended, damaged, err
}

// A locked is what a transaction has locked.
type locked struct {
	now      time.Time // that counts
	live     []runtime.Found
	versions map[runtime.ID]int64
	damaged  error // of those that cannot be read
}

// lockLive begins a transaction, and returns the live ones of the sessions. All lock in
// the order of ids.
func lockLive(ctx context.Context, c *sql.Conn, m *moment, ids []runtime.ID) (l locked, err error) {
	b := batchOf(begin)
	b.add("SELECT UTC_TIMESTAMP(6)")
	b.add("SELECT id,"+columns+" FROM duckgen_sessions WHERE id IN ("+places(len(ids))+") ORDER BY id FOR UPDATE", idArguments(ids)...)
	l.versions = map[runtime.ID]int64{}
	takeNow := func(rows *sql.Rows) error {
		err := scanTime(&l.now)(rows)
		l.now = m.judgingAt(l.now)
		return err
	}
	err = query(ctx, c, b, takeNow, func(rows *sql.Rows) error {
		found, version, damaged, err := scanFound(rows)
		switch {
		case damaged != nil:
			l.damaged = errors.Join(l.damaged, damaged)
		case err == nil && found.Record.Live(l.now):
			l.live = append(l.live, found)
			l.versions[found.ID] = version
		}
		return err
	})
	return l, err
}

// Trim implements [runtime.Limiter]. Of several at once each locks all sessions with
// the values before it counts them. Damaged records are passed over.
func (s *Store) Trim(
	ctx context.Context, values []runtime.IndexValue, most int, keep runtime.ID, now time.Time,
) (int, error) {
	m := s.moment(now)
	var hashes []any
	for _, v := range values {
		hashes = append(hashes, hashOf(v))
	}
	ids, err := s.ids(ctx, batchOf("SELECT DISTINCT id FROM duckgen_index WHERE value IN ("+places(len(hashes))+")", hashes...))
	if err != nil || len(ids) <= most {
		return 0, err
	}
	trimmed, _, err := s.end(ctx, &m, ids, func(live []runtime.Found) []runtime.Found {
		live = slices.DeleteFunc(live, func(f runtime.Found) bool { return !carries(f.Record, values...) })
		return runtime.Surplus(live, most, keep)
	})
	return trimmed, err
}

// mark marks a value as revoked, and forgets marks whose time is over.
func (s *Store) mark(ctx context.Context, m *moment, v runtime.IndexValue, except []runtime.ID) error {
	excepted := []byte{}
	for _, id := range except {
		excepted = append(excepted, id[:]...)
	}
	b := batchOf("INSERT INTO duckgen_revocations (value,at,excepted) VALUES (?,COALESCE(?,UTC_TIMESTAMP(6)),?)",
		hashOf(v), m.time(), excepted)
	b.add("DELETE FROM duckgen_revocations WHERE at<=COALESCE(?,UTC_TIMESTAMP(6))-INTERVAL 1 DAY LIMIT 64", m.time())
	return s.lend(ctx, func(ctx context.Context, c *sql.Conn) error { return exec(ctx, c, b) })
}

// marks asks for the marks of values.
func (b *batch) marks(values []runtime.IndexValue) {
	var hashes []any
	for _, v := range values {
		hashes = append(hashes, hashOf(v))
	}
	b.add("SELECT at,excepted FROM duckgen_revocations WHERE value IN ("+places(len(hashes))+")", hashes...)
}

// marks are what a batch has asked for.
type marks []runtime.Revocation

func (m *marks) take(rows *sql.Rows) error {
	var at instant
	var excepted []byte
	err := rows.Scan(&at, &excepted)
	mark := runtime.Revocation{At: at.Time}
	for chunk := range slices.Chunk(excepted, len(runtime.ID{})) {
		mark.Except = append(mark.Except, runtime.ID(chunk))
	}
	*m = append(*m, mark)
	return err
}

// bar reports whether one of them bars the operation.
func (m *marks) bar(judged runtime.Key) bool {
	return slices.ContainsFunc(*m, func(mark runtime.Revocation) bool { return mark.Bars(judged) })
}
