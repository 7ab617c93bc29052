package pgstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

// There is one clock, the server's: sessions are judged by it, and rows have their
// times by it. What counts is when the server has received the statement. Unlike
// clock_timestamp, that is one time for all parts of a statement, also for what is
// judged once more after another commit, and it does not move the arrival of a
// request by how long the statement waits for a lock.
//
// The program sends its own times in the server's time, as far as it knows the
// difference, and is given those of a record in its own. duckgen_late puts right
// what it does not know.

// WithClientClock lets the store judge by the time of the program, the Now of each
// key. It is for tests with simulated clocks, or where the clocks of all programs
// are known to agree.
func WithClientClock() Option {
	return func(s *Store) { s.clientClock = true }
}

// Ahead implements [runtime.Clocked].
func (s *Store) Ahead() time.Duration { return s.ahead.Get() }

// Measure implements [runtime.Clocked].
func (s *Store) Measure(ctx context.Context, now time.Time) error {
	if s.clientClock || s.ahead.Known() {
		return nil
	}
	m := s.moment(now)
	var server time.Time
	err := s.query(ctx, func(r pgx.Row) error { return r.Scan(&server) }, "SELECT statement_timestamp()")
	if err == nil {
		s.observe(&m, server)
	}
	return err
}

// A moment is when an operation began.
type moment struct {
	clientClock bool
	now         time.Time     // by the program's clock
	ahead       time.Duration // as far as is known
	began       time.Time     // by the monotonic clock
}

func (s *Store) moment(now time.Time) moment {
	m := moment{clientClock: s.clientClock, now: now}
	if !m.clientClock {
		m.ahead, m.began = s.ahead.Get(), time.Now()
	}
	return m
}

// passed is how long the operation has waited by now for a connection.
func (m *moment) passed() time.Duration {
	if m.clientClock {
		return 0
	}
	return time.Since(m.began)
}

// judging is the argument for the time to judge by: NULL if that is the server's.
func (m *moment) judging() pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: m.now, Valid: m.clientClock}
}

// time returns a time of the program in the server's time.
func (m *moment) time(t time.Time) pgtype.Timestamptz {
	return timestamp(serverclock.MoveTime(t, m.ahead))
}

// observe takes note of the time that the server has answered, and returns by how
// much the times of its answer are to be moved.
func (s *Store) observe(m *moment, server time.Time) (by time.Duration) {
	if m.clientClock {
		return 0
	}
	s.ahead.Observe(m.now, server, time.Since(m.began))
	return -s.ahead.Get()
}

// withClock begins a statement whose first arguments are those of a moment: c.now is
// the time to judge by, c.arrived when the request arrived, and c.late by how much
// the program's times are to be moved.
const withClock = "WITH c AS (SELECT now, now - $3::interval AS arrived, duckgen_late(now - $2::timestamptz) AS late " +
	"FROM (SELECT coalesce($1::timestamptz, statement_timestamp()) AS now) AS n) "

// arguments returns those of a statement with withClock.
func (m *moment) arguments(key runtime.Key, more ...any) []any {
	return append([]any{m.judging(), sent{m}, age{m, key.Age}}, more...)
}

// sent is the argument for what the program takes to be the server's time. It is
// read when the statement is sent.
type sent struct{ *moment }

// TimestamptzValue implements [pgtype.TimestamptzValuer].
func (s sent) TimestamptzValue() (pgtype.Timestamptz, error) {
	return s.time(s.now.Add(s.passed())), nil
}

// age is the argument for how long ago a request arrived, when the statement is
// sent.
type age struct {
	*moment
	of time.Duration
}

// IntervalValue implements [pgtype.IntervalValuer].
func (a age) IntervalValue() (pgtype.Interval, error) {
	return interval(a.of + a.passed()), nil
}

func interval(d time.Duration) pgtype.Interval {
	return pgtype.Interval{Microseconds: d.Microseconds(), Valid: true}
}

// judgingAt returns the time that counts where the program judges.
func (m *moment) judgingAt(server time.Time) time.Time {
	if m.clientClock {
		return m.now
	}
	return server
}
