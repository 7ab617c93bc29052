package pgstore

import (
	"context"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

// An ordinary delta is what most commits send: it stores and removes entries, adds
// to one counter and records activity. Where nothing else goes on in the session,
// one UPDATE applies it, at half the cost of duckgen_update.
//
// It runs with the search_path of the connection, so nothing in it leaves open which
// operator or function is meant: others may have made some that fit better.
//
// All that the UPDATE reads is the row that it changes, without a join: while it
// waits for another commit, Postgres judges and computes once more on what that
// one has left.
type ordinary struct {
	set     []byte   // as a JSON object; nil: none
	remove  []string // nil: none
	names   []string // of both
	counter string
	add     int64 // to the counter; 0: nothing
	maxSize *int  // of the row without what add makes; nil: no limit
}

const (
	ordinaryStatement = "UPDATE duckgen_sessions AS s SET " + ordinaryValues + ordinaryCondition + ordinaryResult

	// addingStatement also adds to a counter.
	addingStatement = "UPDATE duckgen_sessions AS s SET " + ordinaryValues + `,
		counters = s.counters || pg_catalog.jsonb_build_object($13::text, coalesce((s.counters->$13::text)::bigint, 0) + $14::bigint)` +
		ordinaryCondition + addingCondition + ordinaryResult

	ordinaryNow = "coalesce($3::timestamptz, statement_timestamp())"

	// ordinaryActive is the end of the idle limit: of the session's own, or $6.
	ordinaryActive = "coalesce($12::timestamptz + s.idle, $6::timestamptz)"

	ordinaryEnd = `CASE
		WHEN ` + ordinaryActive + ` IS NULL THEN coalesce($5, s.expires)
		ELSE least(coalesce($5, s.deadline), greatest(` + ordinaryActive + `, s.expires)) END`

	ordinaryValues = `
		data = CASE
			WHEN $8::text[] IS NOT NULL AND $7::jsonb IS NOT NULL THEN (s.data - $8::text[]) || $7::jsonb
			WHEN $7::jsonb IS NOT NULL THEN s.data || $7::jsonb
			WHEN $8::text[] IS NOT NULL THEN s.data - $8::text[]
			ELSE s.data END,
		deadline = coalesce($5::timestamptz, s.deadline),
		used = CASE WHEN ` + ordinaryActive + ` IS NULL THEN s.used ELSE greatest(s.used, $12) END,
		due = least(s.due, ` + ordinaryEnd + `),
		expires = ` + ordinaryEnd

	// Times that need not be moved, a sound row, nobody else's token, no ticket, no first presentation to record, no entry
	// that changes its kind, and room enough however the sizes are counted: the
	// texts are longer than what counts.
	ordinaryCondition = `
	WHERE s.id = $1 AND s.proof = $2 AND s.ended IS NULL AND s.expires > ` + ordinaryNow + ` AND s.ticket_proof IS NULL
		AND jsonb_typeof(s.data) = 'object' AND jsonb_typeof(s.counters) = 'object'
		AND ($4 OR s.earlier_proof IS NULL OR NOT EXISTS (
			SELECT FROM unnest(s.earlier_by, s.earlier_presented) AS e (by, presented)
			WHERE e.by = 0 AND e.presented IS NULL))
		AND ($5::timestamptz IS NULL AND $12::timestamptz IS NULL AND $6::timestamptz IS NULL OR duckgen_late(` + ordinaryNow + ` - $11::timestamptz) = '0')
		AND NOT s.counters ?| $9::text[] AND (s.indexed OPERATOR(pg_catalog.&&) $9::text[]) IS NOT TRUE
		AND ($10::bigint IS NULL OR
			octet_length(s.data::text) + coalesce(octet_length($7::jsonb::text), 0) + 2 * octet_length(s.counters::text) <= $10)`

	// No entry that is no counter, no overflow, and no counter that comes to 0.
	addingCondition = `
		AND NOT s.data ? $13::text
		AND CASE
			WHEN NOT s.counters ? $13::text THEN true
			WHEN s.counters->>$13::text ~ '^-?\d{1,18}$' THEN (s.counters->$13::text)::bigint + $14::bigint <> 0
			ELSE false END`

	ordinaryResult = " RETURNING s.created, s.renewed, s.signed_in, s.used, s.deadline, s.expires, " + ordinaryNow + ", s.persistent"
)

// counterSize is what a counter counts, besides its key.
const counterSize = 8

// isAddend reports whether the sum of n and a number of 18 digits is an int64.
func isAddend(n int64) bool { return n != 0 && n >= -8e18 && n <= 8e18 }

// ordinaryOf returns the delta as an ordinary one, or false where it does more.
func ordinaryOf(key runtime.Key, d *runtime.Delta) (o ordinary, ok bool) {
	if key.Ticket || len(d.Limits) > 0 || d.Idle != nil || d.Persistence != runtime.PersistenceConfigured || d.SignIn != nil || d.Renewal != nil || d.Ticket != nil || d.Redeem != nil {
		return o, false
	}
	o.names = make([]string, 0, len(d.Ops))
	for i := range d.Ops {
		op := &d.Ops[i]
		if op.If != nil {
			return o, false
		}
		switch {
		case op.Kind == runtime.OpSet && op.Entry.Kind == runtime.PlainEntry:
			o.setEntry(op.Entry)
			o.names = append(o.names, op.Entry.Key)
		case op.Kind == runtime.OpRemove:
			o.remove = append(o.remove, op.Entry.Key)
			o.names = append(o.names, op.Entry.Key)
		case op.Kind == runtime.OpAdd && o.add == 0 && isAddend(op.Entry.Count):
			o.counter, o.add = op.Entry.Key, op.Entry.Count
		default:
			return o, false
		}
	}
	if o.set != nil {
		o.set = append(o.set, '}')
	}
	if d.MaxBytes > 0 && len(d.Ops) > 0 {
		room := d.MaxBytes - len(o.counter) - counterSize
		o.maxSize = &room
	}
	return o, true
}

func (o *ordinary) setEntry(e runtime.Entry) {
	if o.set == nil {
		o.set = append(make([]byte, 0, len(e.Key)+len(e.Value)+8), '{')
	}
	w := deltaWriter{o.set}
	w.name(e.Key)
	o.set = append(w.b, e.Value...)
}

// updateOrdinary applies an ordinary delta. The result is nil where it has changed
// nothing: then duckgen_update has to judge.
func (s *Store) updateOrdinary(
	ctx context.Context, m *moment, key runtime.Key, d *runtime.Delta, o *ordinary,
) (result *runtime.Result, err error) {
	statement := ordinaryStatement
	args := append(make([]any, 0, 15), inBinary,
		uuid(key.ID), key.Proof[:], m.judging(), key.Live, m.time(d.Deadline), m.time(d.Active),
		o.set, o.remove, o.names, o.maxSize, sent{m}, m.time(d.Used))
	if o.add != 0 {
		statement = addingStatement
		args = append(args, o.counter, o.add)
	}
	err = s.rows(ctx, func(values [][]byte, _ *pgtype.Map) error {
		d := decoder{values: values, sound: true}
		result = &runtime.Result{Current: true}
		result.Created, result.Renewed, result.SignedIn = d.time(), d.time(), d.time()
		result.Used, result.Deadline, result.Expires = d.time(), d.time(), d.time()
		serverclock.MoveResult(result, s.observe(m, d.time()))
		result.Persistence = d.persistence()
		return d.err()
	}, statement, args...)
	if err != nil {
		return nil, err
	}
	return result, nil
}
