package mysqlstore

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

// An ordinary delta is what most commits send: it stores and removes plain entries,
// adds to counters, and records activity. If the program remembers the
// head of the record, that is judged, and one UPDATE applies the delta: it sends
// nothing that the request did not change. Where the row has another head by now, or
// an entry is not of the expected kind, it finds no row, and the record is judged as
// a whole.

// isOrdinary reports whether what becomes of the head does not depend on the server's
// clock, so that the program can judge it.
func isOrdinary(key runtime.Key, d *runtime.Delta, r *runtime.Record) bool {
	return !key.Ticket && key.Proof == r.Proof && isSettled(r) &&
		len(d.Limits) == 0 && d.SignIn == nil && d.Renewal == nil && d.Ticket == nil && d.Redeem == nil
}

// isSettled reports whether a use of the current token has nothing to record: the
// session lives, and no ticket and no renewed token waits to be presented.
func isSettled(r *runtime.Record) bool {
	waiting := func(e runtime.EarlierProof) bool { return e.By == runtime.RenewPlain && e.Presented.IsZero() }
	return r.Ended.IsZero() && r.Ticket == nil && !slices.ContainsFunc(r.Earlier, waiting)
}

// updateOrdinary applies an ordinary delta. The result is nil if it has changed nothing:
// then the record has to be judged.
func (s *Store) updateOrdinary(
	ctx context.Context, m *moment, key runtime.Key, d *runtime.Delta,
) (result *runtime.Result, err error) {
	known, ok := s.heads.get(key.ID)
	o := newOrdinary()
	if !ok || !isOrdinary(key, d, known.record) || !o.ops(d.Ops) {
		return nil, nil
	}
	err = s.lend(ctx, func(ctx context.Context, c *sql.Conn) (err error) {
		m.send()
		rest := *serverclock.MoveDelta(d, m.ahead)
		rest.Ops = nil
		next, applied, verdict := known.record.Apply(m.judging(key, m.serverTime()), &rest)
		if _, told := runtime.ChangeOf(key.ID, known.record, next); told || verdict != nil {
			return nil
		}
		b, version := o.batch(m, key.ID, d, known, next)
		changed, err := c.ExecContext(ctx, b.text.String(), b.args...)
		if err != nil {
			return err
		}
		if n, err := changed.RowsAffected(); n == 0 {
			s.heads.drop(key.ID)
			return err
		}
		s.heads.put(key.ID, headOf(version, next))
		result = applied
		serverclock.MoveResult(result, -m.ahead)
		return nil
	})
	return result, err
}

// ordinary is an UPDATE in the making.
type ordinary struct {
	set, remove batch // arguments of JSON_SET and JSON_REMOVE for data, behind the first one
	kinds       batch // arguments of JSON_SET for kinds
	plain       batch // paths of entries that must be plain or missing
	counters    batch // conditions on counters
	bytes       int   // by how much the record may grow
}

func newOrdinary() *ordinary {
	return &ordinary{
		set: batch{between: ","}, remove: batch{between: ","}, kinds: batch{between: ","}, plain: batch{between: ","},
		counters: batch{between: " AND "},
	}
}

// ops takes operations, or reports that one is out of the ordinary.
func (o *ordinary) ops(ops []runtime.Op) (ok bool) {
	for i := range ops {
		path, ok := pathOf(ops[i].Entry.Key)
		if !ok || ops[i].If != nil || !o.op(&ops[i], path) {
			return false
		}
	}
	return true
}

func (o *ordinary) op(op *runtime.Op, path string) (ok bool) {
	switch e := op.Entry; {
	case op.Kind == runtime.OpSet && e.Kind == runtime.PlainEntry && isSimple(e.Value):
		o.set.add("?,JSON_EXTRACT(?,'$')", path, e.Value)
		o.plain.add("?", path)
		o.bytes += len(e.Key) + len(e.Value)
	case op.Kind == runtime.OpRemove:
		o.remove.add("?", path)
		o.plain.add("?", path)
	case op.Kind == runtime.OpAdd && isAddend(e.Count):
		o.set.add("?,COALESCE(CAST(JSON_EXTRACT(data,?) AS SIGNED),0)+?", path, path, e.Count)
		o.kinds.add("?,2", path)
		o.counters.add("(JSON_EXTRACT(kinds,?)=2 AND JSON_TYPE(JSON_EXTRACT(data,?))='INTEGER' AND ABS(JSON_EXTRACT(data,?))<1e18"+
			" OR NOT JSON_CONTAINS_PATH(data,'one',?))", path, path, path, path)
		if op.DropZero {
			o.counters.add("COALESCE(CAST(JSON_EXTRACT(data,?) AS SIGNED),0)<>?", path, -e.Count)
		}
		o.bytes += len(e.Key) + counterSize
	default:
		return false
	}
	return true
}

// counterSize is what a counter counts, besides its key.
const counterSize = 8

// isAddend reports whether n changes a counter, and its sum with a number below 1e18 is
// an int64.
func isAddend(n int64) bool { return n != 0 && n >= -8e18 && n <= 8e18 }

// pathOf returns where an entry is in the object, if its key is spelled in one way
// alone.
func pathOf(key string) (path string, ok bool) {
	special := func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r) }
	return `$."` + key + `"`, !strings.ContainsFunc(key, special)
}

// isSimple reports whether the server can certainly read a value: what MariaDB cannot
// read, it makes null here, but an error where a row is written as a whole.
func isSimple(value string) bool {
	const depth = 30 // of 32, which MariaDB reads
	return !strings.Contains(value, `\u`) && strings.Count(value, "{")+strings.Count(value, "[") <= depth
}

// batch returns the statement, and the version that the row has then. Sizes are those
// of the texts, which are longer than what counts.
func (o *ordinary) batch(m *moment, id runtime.ID, d *runtime.Delta, known head, next *runtime.Record) (b *batch, version int64) {
	sets, conditions := &batch{between: ","}, &batch{between: " AND "}
	conditions.add("id=UNHEX(?) AND version=?", id.String(), known.version)
	if m.clientClock {
		conditions.add("expires>?", m.time())
	} else {
		conditions.add("expires>UTC_TIMESTAMP(6)")
	}
	o.entries(sets, conditions)
	if d.MaxBytes > 0 && len(d.Ops) > 0 {
		conditions.add("LENGTH(data)+LENGTH(kinds)<=?", d.MaxBytes-o.bytes)
	}
	version = known.version
	if changed := changedColumns(known.record, next); len(changed) > 0 {
		version++
		sets.columns(append(changed, column{"version", version}))
		sets.add("due=LEAST(due,expires)")
		if !m.clientClock { // the times were moved by what the program takes to be the difference
			conditions.add("ABS(TIMESTAMPDIFF(MICROSECOND,?,UTC_TIMESTAMP(6)))<?",
				timeArgument(m.serverTime()), serverclock.Leeway.Microseconds())
		}
	}
	if sets.text.Len() == 0 {
		sets.add("due=due")
	}
	return batchOf("UPDATE duckgen_sessions SET "+sets.text.String()+" WHERE "+conditions.text.String(),
		append(sets.args, conditions.args...)...), version
}

func (o *ordinary) entries(sets, conditions *batch) {
	data, args := "data", []any(nil)
	if o.set.text.Len() > 0 {
		data, args = "JSON_SET("+data+","+o.set.text.String()+")", append(args, o.set.args...)
	}
	if o.remove.text.Len() > 0 {
		data, args = "JSON_REMOVE("+data+","+o.remove.text.String()+")", append(args, o.remove.args...)
	}
	if data != "data" {
		sets.add("data="+data, args...)
		conditions.add("data LIKE '{%'")
	}
	if o.kinds.text.Len() > 0 {
		sets.add("kinds=JSON_SET(kinds,"+o.kinds.text.String()+")", o.kinds.args...)
	}
	if o.plain.text.Len() > 0 {
		conditions.add("JSON_CONTAINS_PATH(kinds,'one',"+o.plain.text.String()+")=0", o.plain.args...)
	}
	if o.counters.text.Len() > 0 {
		conditions.add(o.counters.text.String(), o.counters.args...)
	}
}
