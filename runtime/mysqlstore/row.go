package mysqlstore

import (
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// columns are those of a record, in the order in which a row takes them.
const columns = " kind,proof,family,data,kinds,created,renewed,signed_in,used,deadline,expires,ended,idle,persistent,tokens,version"

// A row is a record as the server answers it.
type row struct {
	kind                               string
	proof, family, data, kinds, tokens []byte

	created, renewed, signedIn, used, deadline, expires, ended instant

	idle       sql.NullInt64
	persistent sql.NullBool
	version    int64
}

// targets are where the columns go, behind others.
func (r *row) targets(before ...any) []any {
	return append(before, &r.kind, &r.proof, &r.family, &r.data, &r.kinds,
		&r.created, &r.renewed, &r.signedIn, &r.used, &r.deadline, &r.expires, &r.ended,
		&r.idle, &r.persistent, &r.tokens, &r.version)
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

// headColumns returns those that are a record's head.
func headColumns(r *runtime.Record) []column {
	return []column{
		{"kind", r.Kind},
		{"proof", r.Proof[:]},
		{"family", r.Family[:]},
		{"created", timeArgument(r.Created)},
		{"renewed", timeArgument(r.Renewed)},
		{"signed_in", timeArgument(r.SignedIn)},
		{"used", timeArgument(r.Used)},
		{"deadline", timeArgument(r.Deadline)},
		{"expires", timeArgument(r.Expires)},
		{"ended", timeArgument(r.Ended)},
		{"idle", idleArgument(r.Idle)},
		{"persistent", persistenceArgument(r.Persistence)},
		{"tokens", tokensArgument(r)},
	}
}

// changedColumns returns what next has another head by than old.
func changedColumns(old, next *runtime.Record) (changed []column) {
	before := headColumns(old)
	for i, c := range headColumns(next) {
		if !reflect.DeepEqual(c, before[i]) {
			changed = append(changed, c)
		}
	}
	return changed
}

func entryColumns(r *runtime.Record) []column {
	data, kinds := encodeEntries(r.Entries)
	return []column{{"data", data}, {"kinds", kinds}}
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

// replace stores a record in place of old, nil for none, of which the row has the
// version, and moves it in the index. It returns the version that the row has then.
func (b *batch) replace(id runtime.ID, old, next *runtime.Record, version int64) int64 {
	if old == nil {
		version = newVersion()
		b.insert(id, next, version)
	} else {
		version = b.update(id, old, next, version)
	}
	for v := range old.IndexValues(next) {
		b.add("DELETE FROM duckgen_index WHERE value=? AND id=?", hashOf(v), id[:])
	}
	for v := range next.IndexValues(old) {
		b.add("INSERT IGNORE INTO duckgen_index (value,id) VALUES (?,?)", hashOf(v), id[:])
	}
	return version
}

func (b *batch) insert(id runtime.ID, r *runtime.Record, version int64) {
	names, args := "id", []any{id[:]}
	list := slices.Concat(headColumns(r), entryColumns(r), []column{{"due", timeArgument(r.Expires)}, {"version", version}})
	for _, c := range list {
		names += "," + c.name
		args = append(args, c.value)
	}
	b.add("INSERT INTO duckgen_sessions ("+names+") VALUES ("+places(len(args))+")", args...)
}

func (b *batch) update(id runtime.ID, old, next *runtime.Record, version int64) int64 {
	changed := changedColumns(old, next)
	if len(changed) > 0 {
		version++
		changed = append(changed, column{"version", version})
	}
	if !next.Entries.Equal(old.Entries) {
		changed = append(changed, entryColumns(next)...)
	}
	sets := &batch{between: ","}
	sets.columns(changed)
	sets.add("due=LEAST(due,expires)")
	b.add("UPDATE duckgen_sessions SET "+sets.text.String()+" WHERE id=?", append(sets.args, id[:])...)
	return version
}

// columns assigns columns.
func (b *batch) columns(list []column) {
	for _, c := range list {
		b.add(c.name+"=?", c.value)
	}
}
