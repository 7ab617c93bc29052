package redisstore

import (
	"cmp"
	"context"
	"time"
)

// There is one clock, the server's: the functions judge by it, and a record has
// its times by it. The program sends its own in the server's time, and is given
// those of a record in its own, so programs whose clocks differ mean the same
// moments. functions/clock.lua puts right what this store does not know yet.

// WithClientClock lets the store judge by the time of the program, the Now of each
// key. It is for tests with simulated clocks, or where the clocks of all programs
// are known to agree.
func WithClientClock() Option {
	return func(s *Store) { s.clientClock = true }
}

const (
	// leeway is by how much two times may differ that are told by one clock: a call
	// takes no longer, mostly. Clocks that differ by less count as one.
	leeway = 500 * time.Millisecond

	// An offset is measured again after offsetLife, or once the program's clock has
	// moved by maxStep against the monotonic one.
	offsetLife = 10 * time.Second
	maxStep    = 100 * time.Millisecond
)

// An offset is how far the server's clock is ahead of the program's.
type offset struct {
	client bool // it is the program's that counts

	// exact is too large by the time that the question took to the server.
	exact time.Duration

	// shown is what the times of a record are moved by, in whole milliseconds. It
	// changes only if it is wrong by leeway, so that equal times stay equal.
	shown time.Duration

	program time.Time // the program's clock when it was measured
	asked   time.Time // the same moment, by the monotonic clock
}

// offset returns how far the server is ahead of a program whose clock says now. It
// asks the server if it has not done so for a while.
func (s *Store) offset(ctx context.Context, now time.Time) (offset, error) {
	if s.clientClock {
		return offset{client: true}, nil
	}
	now = now.Round(0) // what the clock says, also after it was set
	last := s.measured.Load()
	if last != nil && last.holds(now) {
		return *last, nil
	}
	next := offset{program: now, asked: time.Now()}
	answer, err := s.client.Do(ctx, Command{Name: []string{"TIME"}, ReadOnly: true})
	if err != nil || len(answer.List) != 2 {
		return offset{}, s.wrap(cmp.Or(err, errReply))
	}
	seconds, micros := answer.List[0].number(), answer.List[1].number()
	next.exact = time.Unix(seconds, micros*int64(time.Microsecond)).Sub(now)
	next.shown = next.exact.Round(time.Millisecond)
	switch {
	case last != nil && (next.exact-last.shown).Abs() < leeway:
		next.shown = last.shown
	case next.exact.Abs() < leeway:
		next.shown = 0
	}
	s.measured.Store(&next)
	return next, nil
}

// Ahead implements [runtime.Clocked].
func (s *Store) Ahead() time.Duration {
	if last := s.measured.Load(); last != nil {
		return last.shown
	}
	return 0
}

// Measure implements [runtime.Clocked].
func (s *Store) Measure(ctx context.Context, now time.Time) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	_, err := s.offset(ctx, now)
	return err
}

func (o *offset) holds(now time.Time) bool {
	passed := time.Since(o.asked)
	return passed < offsetLife && (now.Sub(o.program)-passed).Abs() < maxStep
}

// nowText tells the functions the time to judge by, empty if it is the server's.
func (s *Store) nowText(now time.Time) string {
	if s.clientClock {
		return timeText(now)
	}
	return ""
}
