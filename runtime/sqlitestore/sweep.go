package sqlitestore

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/duckgen/duckgen/runtime"
)

const (
	// sweepMargin is how long an expired record is kept at least, unless Sweep
	// is called: a clock that jumps ahead and is set right takes no session.
	sweepMargin = time.Minute

	sampleSize = 8   // removed by each Create
	sweepStep  = 256 // removed before others may write
)

// Sweep implements [runtime.Sweeper]. It may run at any time, also in several
// processes at once.
func (s *Store) Sweep(ctx context.Context, now time.Time) (removed int, err error) {
	for {
		var n int
		err := s.write(ctx, func(conn *sqlite.Conn) (err error) {
			n, err = sweepSome(conn, now, sweepStep)
			return err
		})
		if err != nil {
			return removed, err
		}
		removed += n
		if n < sweepStep {
			return removed, nil
		}
	}
}

// sweepSome removes at most limit records that had expired.
func sweepSome(conn *sqlite.Conn, now time.Time, limit int) (removed int, err error) {
	stmt, err := conn.Prepare("SELECT id FROM duckgen_sessions WHERE expires <= ? LIMIT ?")
	if err != nil {
		return 0, err
	}
	stmt.BindInt64(1, now.UnixMilli())
	stmt.BindInt64(2, int64(limit))
	ids, err := columnIDs(stmt)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := remove(conn, id); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

// remove deletes a record and what the index has of it. Of a damaged one the
// values are not known: the index is left to Find, which passes them over.
func remove(conn *sqlite.Conn, id runtime.ID) error {
	if r, err := selectRecord(conn, id); err == nil {
		if err := moveIndex(conn, id, r, nil); err != nil {
			return err
		}
	}
	return run(conn, "DELETE FROM duckgen_sessions WHERE id = ?", id[:])
}
