package mysqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"iter"
	"slices"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

// An outcome is what becomes of a record.
type outcome struct {
	next *runtime.Record              // the record itself: nothing is written
	sets iter.Seq[runtime.IndexValue] // values whose revocation bars it; nil: none
}

// A judge says what an operation makes of the stored record, nil for none. By is how
// far the times of the program are to be moved.
type judge func(judged runtime.Key, by time.Duration, old *runtime.Record) (outcome, error)

// begin starts a transaction that locks no more than rows that are there, and sees
// what others have committed before each statement.
const begin = readCommitted + ";BEGIN"

// readCommitted is for the next transaction, or the next statement where none begins.
const readCommitted = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"

const lockStatement = "SELECT" + columns + " FROM duckgen_sessions WHERE id=? FOR UPDATE"

// step replaces the record of one session by what the judge makes of it, in one
// transaction. An error of the judge undoes nothing: that is how reuse ends a session.
func (s *Store) step(ctx context.Context, m *moment, key runtime.Key, judge judge) (verdict error) {
	err := s.lend(ctx, func(ctx context.Context, c *sql.Conn) (err error) {
		verdict, err = s.stepOn(ctx, c, m, key, judge)
		return err
	})
	if err != nil {
		return err
	}
	return verdict
}

func (s *Store) stepOn(ctx context.Context, c *sql.Conn, m *moment, key runtime.Key, judge judge) (verdict, err error) {
	m.send()
	now, old, version, err := lock(ctx, c, key.ID)
	if err != nil {
		return nil, err
	}
	judged := m.judging(key, now)
	s.observe(m, now)
	o, verdict := judge(judged, m.moving(now), old)
	if o.next == old {
		return verdict, exec(ctx, c, batchOf("COMMIT"))
	}
	b := &batch{}
	version = b.replace(key.ID, old, o.next, version)
	if change, told := runtime.ChangeOf(key.ID, old, o.next); told {
		b.note(change)
	}
	if verdict != nil {
		o.sets = nil
	}
	barred, err := commitUnlessBarred(ctx, c, b, judged, o.sets)
	if err == nil && barred == nil {
		s.heads.put(key.ID, headOf(version, o.next))
	}
	return cmp.Or(barred, verdict), err
}

// lock begins a transaction, and returns when the server received it, and the record
// that is locked then with the version of its row.
func lock(
	ctx context.Context, c *sql.Conn, id runtime.ID,
) (now time.Time, old *runtime.Record, version int64, err error) {
	b := batchOf(begin)
	b.add("SELECT UTC_TIMESTAMP(6)")
	b.add(lockStatement, id[:])
	err = query(ctx, c, b, scanTime(&now), func(rows *sql.Rows) (err error) {
		var read row
		if err := rows.Scan(read.targets()...); err != nil {
			return err
		}
		version = read.version
		old, err = read.record(id)
		return err
	})
	return now, old, version, err
}

// commitUnlessBarred writes, and looks only then whether one of the values was
// revoked: whoever marks a value afterwards waits for what this has put in its index.
func commitUnlessBarred(
	ctx context.Context, c *sql.Conn, b *batch, judged runtime.Key, sets iter.Seq[runtime.IndexValue],
) (barred, err error) {
	values := valuesOf(sets)
	if len(values) == 0 {
		b.add("COMMIT")
		return nil, exec(ctx, c, b)
	}
	var found marks
	b.marks(values)
	if err := query(ctx, c, b, found.take); err != nil {
		return nil, err
	}
	return commitUnless(ctx, c, found.bar(judged))
}

// commitUnless ends a transaction by what the marks say.
func commitUnless(ctx context.Context, c *sql.Conn, bar bool) (barred, err error) {
	if bar {
		return runtime.ErrEnded, exec(ctx, c, batchOf("ROLLBACK"))
	}
	return nil, exec(ctx, c, batchOf("COMMIT"))
}

func valuesOf(sets iter.Seq[runtime.IndexValue]) []runtime.IndexValue {
	if sets == nil {
		return nil
	}
	return slices.Collect(sets)
}

// createNew stores a session under an id that nobody has, in a round trip less than a
// step. It is not done if the id is taken, or the server's time is not what the program
// takes it to be.
func (s *Store) createNew(ctx context.Context, m *moment, key runtime.Key, r *runtime.Record) (done bool, verdict error) {
	err := s.lend(ctx, func(ctx context.Context, c *sql.Conn) (err error) {
		done, verdict, err = s.createOn(ctx, c, m, key, r)
		return err
	})
	return done || err != nil, cmp.Or(err, verdict)
}

func (s *Store) createOn(
	ctx context.Context, c *sql.Conn, m *moment, key runtime.Key, r *runtime.Record,
) (done bool, verdict, err error) {
	m.send()
	r = serverclock.Move(r, m.ahead)
	var now time.Time
	var found marks
	b := batchOf(begin)
	b.add("SELECT UTC_TIMESTAMP(6)")
	version := b.replace(key.ID, nil, r, 0)
	b.marks(slices.Collect(r.Revocable()))
	err = query(ctx, c, b, scanTime(&now), found.take)
	switch {
	case numberOf(err) == duplicateKey, err == nil && m.moving(now) != m.ahead:
		return false, nil, exec(ctx, c, batchOf("ROLLBACK"))
	case err != nil:
		return false, nil, err
	}
	s.observe(m, now)
	verdict, err = commitUnless(ctx, c, found.bar(m.judging(key, now)))
	if err == nil && verdict == nil {
		s.heads.put(key.ID, headOf(version, r))
	}
	return true, verdict, err
}
