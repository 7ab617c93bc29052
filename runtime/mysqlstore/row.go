package mysqlstore

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// columns are those of a record, in the order in which a row takes them.
const columns = " kind,proof,family,data,kinds,created,renewed,signed_in,used,deadline,expires,ended,idle,persistent,tokens"

// A row is a record as the server answers it.
type row struct {
	kind                                                       string
	proof, family, data, kinds, tokens                         []byte
	created, renewed, signedIn, used, deadline, expires, ended instant
	idle                                                       sql.NullInt64
	persistent                                                 sql.NullBool
}

// targets are where the columns go, behind others.
func (r *row) targets(before ...any) []any {
	return append(before, &r.kind, &r.proof, &r.family, &r.data, &r.kinds,
		&r.created, &r.renewed, &r.signedIn, &r.used, &r.deadline, &r.expires, &r.ended,
		&r.idle, &r.persistent, &r.tokens)
}

// record returns what the row holds. An error names the session.
func (r *row) record(id runtime.ID) (*runtime.Record, error) {
	record := &runtime.Record{
		Kind:        r.kind,
		Created:     r.created.Time,
		Renewed:     r.renewed.Time,
		SignedIn:    r.signedIn.Time,
		Used:        r.used.Time,
		Deadline:    r.deadline.Time,
		Expires:     r.expires.Time,
		Ended:       r.ended.Time,
		Idle:        time.Duration(r.idle.Int64) * time.Microsecond,
		Persistence: persistenceOf(r.persistent),
	}
	sound := copyWhole(record.Proof[:], r.proof) && copyWhole(record.Family[:], r.family) && decodeTokens(record, r.tokens)
	if sound {
		record.Entries, sound = decodeEntries(r.data, r.kinds)
	}
	if !sound {
		return nil, fmt.Errorf("session %s: %w", id, runtime.ErrDamaged)
	}
	return record, nil
}

func copyWhole(to, stored []byte) (sound bool) {
	return copy(to, stored) == len(to) && len(stored) == len(to)
}

func persistenceOf(persistent sql.NullBool) runtime.Persistence {
	switch {
	case !persistent.Valid:
		return runtime.PersistenceConfigured
	case persistent.Bool:
		return runtime.PersistencePermanent
	default:
		return runtime.PersistenceBrowser
	}
}

// An instant is a DATETIME(6) in UTC. NULL is the zero time.
type instant struct{ time.Time }

const instantLayout = "2006-01-02 15:04:05.000000"

// Scan implements [sql.Scanner]. A pool may make times of what it reads, in a zone of
// its own: their figures are those of the column.
func (t *instant) Scan(value any) (err error) {
	switch value := value.(type) {
	case nil:
		t.Time = time.Time{}
	case []byte:
		t.Time, err = time.Parse(instantLayout, string(value))
	case time.Time:
		t.Time = time.Date(value.Year(), value.Month(), value.Day(), value.Hour(), value.Minute(), value.Second(), value.Nanosecond(), time.UTC)
	default:
		err = fmt.Errorf("%w: a time is a %T", runtime.ErrDamaged, value)
	}
	return err
}

// scanTime takes a row that is a time.
func scanTime(to *time.Time) take {
	return func(rows *sql.Rows) error {
		var at instant
		err := rows.Scan(&at)
		*to = at.Time
		return err
	}
}

// timeArgument returns NULL for the zero time.
func timeArgument(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(instantLayout)
}

// A column is one of a row that is written.
type column struct {
	name  string
	value any
}

// columnsOf returns those of a record that replaces old, nil for none.
func columnsOf(old, next *runtime.Record) []column {
	list := []column{
		{"kind", next.Kind},
		{"proof", next.Proof[:]},
		{"family", next.Family[:]},
		{"created", timeArgument(next.Created)},
		{"renewed", timeArgument(next.Renewed)},
		{"signed_in", timeArgument(next.SignedIn)},
		{"used", timeArgument(next.Used)},
		{"deadline", timeArgument(next.Deadline)},
		{"expires", timeArgument(next.Expires)},
		{"ended", timeArgument(next.Ended)},
		{"idle", idleArgument(next.Idle)},
		{"persistent", persistenceArgument(next.Persistence)},
		{"settled", isSettled(next)},
		{"tokens", tokensArgument(next)},
	}
	if old == nil || !next.Entries.Equal(old.Entries) {
		data, kinds := encodeEntries(next.Entries)
		list = append(list, column{"data", data}, column{"kinds", kinds})
	}
	return list
}

func idleArgument(idle time.Duration) any {
	if idle == 0 {
		return nil
	}
	return idle.Microseconds()
}

func persistenceArgument(p runtime.Persistence) any {
	if p == runtime.PersistenceConfigured {
		return nil
	}
	return p == runtime.PersistencePermanent
}

// isSettled reports whether a commit by the current token has nothing to record but
// what it changes.
func isSettled(r *runtime.Record) bool {
	waiting := func(e runtime.EarlierProof) bool { return e.By == runtime.RenewPlain && e.Presented.IsZero() }
	return r.Ended.IsZero() && r.Ticket == nil && !slices.ContainsFunc(r.Earlier, waiting)
}

// replace stores a record in place of old, nil for none, and moves it in the index.
func (b *batch) replace(id runtime.ID, old, next *runtime.Record) {
	list := columnsOf(old, next)
	if old == nil {
		b.insert(id, append(list, column{"due", timeArgument(next.Expires)}))
	} else {
		b.update(id, list)
	}
	for v := range old.IndexValues(next) {
		b.add("DELETE FROM duckgen_index WHERE value=? AND id=?", hashOf(v), id[:])
	}
	for v := range next.IndexValues(old) {
		b.add("INSERT IGNORE INTO duckgen_index (value,id) VALUES (?,?)", hashOf(v), id[:])
	}
}

func (b *batch) insert(id runtime.ID, list []column) {
	names, args := "", []any{id[:]}
	for _, c := range list {
		names += "," + c.name
		args = append(args, c.value)
	}
	b.add("INSERT INTO duckgen_sessions (id"+names+") VALUES ("+places(len(args))+")", args...)
}

func (b *batch) update(id runtime.ID, list []column) {
	var names strings.Builder
	var args []any
	for _, c := range list {
		names.WriteString(c.name + "=?,")
		args = append(args, c.value)
	}
	b.add("UPDATE duckgen_sessions SET "+names.String()+"due=LEAST(due,expires) WHERE id=?", append(args, id[:])...)
}
