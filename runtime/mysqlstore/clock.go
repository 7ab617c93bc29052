package mysqlstore

import (
	"context"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

// There is one clock, the server's: sessions are judged by it, and rows have their
// times by it. What counts is UTC_TIMESTAMP, when the server has received a statement,
// however long that waits for a lock then.

// WithClientClock lets the store judge by the time of the program, the Now of each
// key. It is for tests with simulated clocks, or where the clocks of all programs are
// known to agree.
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
	err := s.query(ctx, batchOf("SELECT UTC_TIMESTAMP(6)"), scanTime(&server))
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
	waited      time.Duration // until something was sent
}

func (s *Store) moment(now time.Time) moment {
	m := moment{clientClock: s.clientClock, now: now}
	if !m.clientClock {
		m.ahead, m.began = s.ahead.Get(), time.Now()
	}
	return m
}

// send takes note that the operation has a connection now.
func (m *moment) send() {
	if !m.clientClock {
		m.waited = time.Since(m.began)
	}
}

// serverTime is what the program takes to be the server's time when it sends.
func (m *moment) serverTime() time.Time { return m.now.Add(m.waited + m.ahead) }

// judging returns the key as it is judged, where the server has received it at the
// given time. The server keeps times to the microsecond.
func (m *moment) judging(key runtime.Key, server time.Time) runtime.Key {
	key.Now = m.judgingAt(server)
	key.Age = (key.Age + m.waited).Truncate(time.Microsecond)
	return key
}

// judgingAt returns the time that counts.
func (m *moment) judgingAt(server time.Time) time.Time {
	if m.clientClock {
		return m.now.Truncate(time.Microsecond)
	}
	return server
}

// moving is by how much the program's times are to be moved. What the server's time
// differs by less than the leeway from what it was taken to be is the way of the
// statement.
func (m *moment) moving(server time.Time) time.Duration {
	if m.clientClock {
		return 0
	}
	late := server.Sub(m.serverTime())
	if late.Abs() < serverclock.Leeway {
		return m.ahead
	}
	return m.ahead + late.Truncate(time.Millisecond)
}

// time is the argument for the time to judge by: NULL if that is the server's.
func (m *moment) time() any {
	if m.clientClock {
		return timeArgument(m.now)
	}
	return nil
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
