package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

const (
	// trimLife is how long one Trim may take before another one begins all the same.
	trimLife = 10 * time.Second

	// trimPause is how long a Trim waits for another one at least, at a time.
	trimPause = 2 * time.Millisecond
)

// Trim implements [runtime.Limiter]. Where an index has no more members than there
// may be sessions it is one call. The sessions may lie on several shards, so it is
// several otherwise, by one program at a time.
func (s *Store) Trim(
	ctx context.Context, values []runtime.IndexValue, most int, keep runtime.ID, now time.Time,
) (ended int, err error) {
	token := rand.Text()
	crowded, err := s.beginTrim(ctx, values, most, token)
	if err != nil || !crowded {
		return 0, err
	}
	defer func() {
		_, failed := s.run(context.WithoutCancel(ctx), endTrim, call{s.trimKeys(values[0]), []string{token}})
		err = errors.Join(err, failed)
	}()
	o, err := s.offset(ctx, now)
	if err != nil {
		return 0, err
	}
	var list []runtime.Found
	members := map[runtime.ID][]carrier{}
	for _, v := range values {
		found, err := s.carriersOf(ctx, v, members, now, o)
		if err != nil {
			return 0, err
		}
		list = append(list, found...)
	}
	for _, f := range runtime.Surplus(list, most, keep) {
		for _, c := range members[f.ID] {
			n, errs := s.settle(ctx, toRevoke, c.value, []member{c.member}, now)
			if ended += n; failure(errs) != nil {
				return ended, failure(errs)
			}
		}
	}
	return ended, nil
}

// A carrier is a member of the index of a value.
type carrier struct {
	value  runtime.IndexValue
	member member
}

func (s *Store) trimKeys(v runtime.IndexValue) []string {
	return []string{s.indexKey(v), s.indexName(v) + ":trim"}
}

// beginTrim reports whether there may be too many sessions, and waits until nobody
// else looks at them. More than one value cannot be counted in one step.
func (s *Store) beginTrim(ctx context.Context, values []runtime.IndexValue, most int, token string) (crowded bool, err error) {
	if len(values) > 1 {
		most = -1
	}
	begin := call{s.trimKeys(values[0]), []string{digits(int64(most)), token, digits(trimLife.Milliseconds())}}
	for pause := trimPause; ; pause = min(2*pause, 50*time.Millisecond) {
		if err := s.ready(ctx); err != nil {
			return false, err
		}
		answer, err := s.run(ctx, beginTrim, begin)
		if err != nil {
			return false, err
		}
		if answer.verdict() != verdictConflict {
			return answer.number(1) == 1, answer.err(runtime.ID{})
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// carriersOf returns the live sessions that carry a value, and notes their members.
func (s *Store) carriersOf(
	ctx context.Context, v runtime.IndexValue, members map[runtime.ID][]carrier, now time.Time, o offset,
) (list []runtime.Found, err error) {
	for after, first := "", true; first || after != ""; first = false {
		page, last, err := s.page(ctx, v, after, pageSize)
		if err != nil {
			return nil, err
		}
		found, err := s.look(ctx, v, page, now, o)
		if err != nil {
			return nil, err
		}
		for _, m := range page {
			members[m.id] = append(members[m.id], carrier{v, m})
		}
		list = append(list, found...)
		after = last
	}
	return slices.CompactFunc(list, func(a, b runtime.Found) bool { return a.ID == b.ID }), nil
}
