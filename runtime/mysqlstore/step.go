package mysqlstore

import (
	"context"
	"database/sql"
	"iter"
	"slices"
	"time"

	"github.com/duckgen/duckgen/runtime"
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
	var values []runtime.IndexValue
	if verdict == nil && o.sets != nil {
		values = slices.Collect(o.sets)
	}
	barred, err := commitUnlessBarred(ctx, c, b, judged, values)
	switch {
	case err != nil:
		return nil, err
	case barred:
		return runtime.ErrEnded, nil
	default:
		s.heads.put(key.ID, headOf(version, o.next))
		return verdict, nil
	}
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
	ctx context.Context, c *sql.Conn, b *batch, key runtime.Key, values []runtime.IndexValue,
) (barred bool, err error) {
	if len(values) == 0 {
		b.add("COMMIT")
		return false, exec(ctx, c, b)
	}
	b.marks(values)
	err = query(ctx, c, b, func(rows *sql.Rows) error {
		mark, err := scanMark(rows)
		barred = barred || mark.Bars(key)
		return err
	})
	end := "COMMIT"
	if barred {
		end = "ROLLBACK"
	}
	if err == nil {
		err = exec(ctx, c, batchOf(end))
	}
	return barred, err
}
