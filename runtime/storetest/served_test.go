package storetest

import (
	"context"
	"iter"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// A served toy judges by the clock of its server, which is half an hour slow.
type served struct{ *toy }

const serverSlow = 30 * time.Minute

// serve returns the toy as two processes see it.
func serve(s *toy) [2]runtime.Store { return [2]runtime.Store{served{s}, served{s}} }

// ahead returns how far the server is ahead of a clock that says now.
func (s served) ahead(now time.Time) time.Duration {
	if s.clientClock {
		return 0
	}
	return time.Since(now) - serverSlow
}

func (s served) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	by := s.ahead(key.Now)
	key.Now = key.Now.Add(by)
	r, err := s.toy.Load(ctx, key)
	return movedRecord(r, -by), err
}

func (s served) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	by := s.ahead(key.Now)
	key.Now = key.Now.Add(by)
	return s.toy.Create(ctx, key, movedRecord(r, by))
}

func (s served) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	by := s.ahead(key.Now)
	key.Now = key.Now.Add(by)
	here := *d
	moveAll(by, &here.Deadline, &here.Used, &here.Active)
	here.Ticket = movedTicket(d.Ticket, by)
	result, err := s.toy.Update(ctx, key, &here)
	if result != nil {
		moveAll(-by, &result.Created, &result.Renewed, &result.SignedIn, &result.Used, &result.Deadline, &result.Expires)
	}
	return result, err
}

func (s served) Delete(ctx context.Context, key runtime.Key) error {
	key.Now = key.Now.Add(s.ahead(key.Now))
	return s.toy.Delete(ctx, key)
}

func (s served) Find(ctx context.Context, v runtime.IndexValue, now time.Time) iter.Seq2[runtime.Found, error] {
	return s.toy.Find(ctx, v, now.Add(s.ahead(now)))
}

func (s served) Revoke(ctx context.Context, v runtime.IndexValue, now time.Time, except ...runtime.ID) (int, error) {
	return s.toy.Revoke(ctx, v, now.Add(s.ahead(now)), except...)
}

// movedRecord moves what the kit looks at, by whole seconds so that equal
// times stay equal.
func movedRecord(r *runtime.Record, by time.Duration) *runtime.Record {
	if r == nil {
		return nil
	}
	next := copyRecord(r)
	moveAll(by, &next.Created, &next.Renewed, &next.SignedIn, &next.Deadline, &next.Expires)
	next.Ticket = movedTicket(r.Ticket, by)
	return next
}

func movedTicket(t *runtime.Ticket, by time.Duration) *runtime.Ticket {
	if t == nil {
		return nil
	}
	next := *t
	moveAll(by, &next.Ends)
	return &next
}

func moveAll(by time.Duration, times ...*time.Time) {
	for _, t := range times {
		if !t.IsZero() {
			*t = t.Add(by.Round(time.Second))
		}
	}
}
