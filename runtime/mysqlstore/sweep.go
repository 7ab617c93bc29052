package mysqlstore

import (
	"context"
	"database/sql"
	"sync/atomic"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

const (
	// sweepMargin is how long an expired record is kept at least, unless Sweep is
	// called: a clock that jumps ahead and is set right takes no session.
	sweepMargin = time.Minute

	sweepStep = 256 // records that one transaction looks at
	tidyEvery = 16  // creations
	tidyStep  = 128 // records that are looked at then
)

// Sweep implements [runtime.Sweeper]. It may run at any time, also in several
// processes at once: each passes over what another is working on.
func (s *Store) Sweep(ctx context.Context, now time.Time) (removed int, err error) {
	m := s.moment(now)
	for seen := sweepStep; seen == sweepStep; {
		var n int
		if seen, n, err = s.sweepSome(ctx, &m, 0, sweepStep); err != nil {
			return removed, err
		}
		removed += n
	}
	return removed, nil
}

// turns counts what is done.
type turns struct{ n atomic.Uint64 }

// isDue reports whether this is one of so many.
func (t *turns) isDue(every uint64) bool { return t.n.Add(1)%every == 0 }

// tidySome removes some records that have expired, now and then. That it cannot is
// nobody's failure: the next one tries again.
func (s *Store) tidySome(ctx context.Context, m *moment) {
	if s.tidying.isDue(tidyEvery) {
		_, _, _ = s.sweepSome(ctx, m, sweepMargin, tidyStep)
	}
}

// sweepSome looks at some of the sessions that were due a margin ago. Activity moves
// the end of a session, but not when it is due, so that a commit touches no index: one
// that turns out to be alive becomes due at the end that it has now.
func (s *Store) sweepSome(ctx context.Context, m *moment, margin time.Duration, most int) (seen, removed int, err error) {
	err = s.lend(ctx, func(ctx context.Context, c *sql.Conn) error {
		expired, alive, err := lockDue(ctx, c, m, margin, most)
		if err != nil {
			return err
		}
		seen, removed = len(expired)+len(alive), len(expired)
		b := &batch{}
		if len(expired) > 0 {
			b.add("DELETE FROM duckgen_sessions WHERE id IN ("+places(len(expired))+")", idArguments(expired)...)
		}
		if len(alive) > 0 {
			b.add("UPDATE duckgen_sessions SET due=expires WHERE id IN ("+places(len(alive))+")", idArguments(alive)...)
		}
		b.add("COMMIT")
		b.forgetChanges()
		return exec(ctx, c, b)
	})
	return seen, removed, err
}

// lockDue begins a transaction, and returns sessions that are due and that nobody else
// has locked.
func lockDue(
	ctx context.Context, c *sql.Conn, m *moment, margin time.Duration, most int,
) (expired, alive []runtime.ID, err error) {
	const until = "COALESCE(?,UTC_TIMESTAMP(6))-INTERVAL ? MICROSECOND"
	b := batchOf(begin)
	b.add("SELECT id,expires<="+until+" FROM duckgen_sessions WHERE due<="+until+" ORDER BY due LIMIT ? FOR UPDATE SKIP LOCKED",
		m.time(), margin.Microseconds(), m.time(), margin.Microseconds(), most)
	err = query(ctx, c, b, func(rows *sql.Rows) error {
		var id []byte
		var over bool
		if err := rows.Scan(&id, &over); err != nil {
			return err
		}
		if over {
			expired = append(expired, runtime.ID(id))
		} else {
			alive = append(alive, runtime.ID(id))
		}
		return nil
	})
	return expired, alive, err
}
