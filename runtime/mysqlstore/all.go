package mysqlstore

import (
	"context"
	"iter"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

const (
	allCondition = " FROM duckgen_sessions WHERE kind=? AND ended IS NULL AND id>=? ORDER BY id LIMIT ?"
	allStatement = "SELECT UTC_TIMESTAMP(6),id," + columns + allCondition
	everyoneOf   = "SELECT id" + allCondition + " LOCK IN SHARE MODE"
)

// All implements [runtime.Lister]. It reads the whole table page by page, as Find does
// the index.
func (s *Store) All(ctx context.Context, kind string, now time.Time) iter.Seq2[runtime.Found, error] {
	return s.live(ctx, now, allStatement, kind)
}

// ByID implements [runtime.Lister].
func (s *Store) ByID(ctx context.Context, kind string, id runtime.ID, now time.Time) (*runtime.Record, error) {
	m := s.moment(now)
	r, at, err := s.stored(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !r.Live(m.judgingAt(at)) || r.Kind != kind:
		return nil, runtime.ErrNotFound
	default:
		return serverclock.Move(r, s.observe(&m, at)), nil
	}
}

// RevokeAll implements [runtime.Lister], as Revoke does for a value.
func (s *Store) RevokeAll(ctx context.Context, kind string, now time.Time) (int, error) {
	return s.revoke(ctx, runtime.IndexValue{Kind: kind}, now, nil, everyoneOf, kind)
}
