package pgstore

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

var errDamaged = runtime.ErrDamaged

// columns are those of a record in the order in which decodeRecord takes them. A
// prefix is put before each. Most sessions have no tokens besides their own, and
// one column that is NULL costs less than nine.
func columns(prefix string) string {
	list := ""
	for _, name := range []string{
		"kind", "proof", "family", "data", "counters", "indexed",
		"created", "renewed", "signed_in", "used", "deadline", "expires", "ended", "idle", "persistent",
	} {
		list += prefix + name + ", "
	}
	tokens := ""
	for _, name := range []string{
		"earlier_proof", "earlier_ended", "earlier_by", "earlier_presented", "earlier_grace",
		"ticket_proof", "ticket_ends", "ticket_saw", "ticket_sole",
	} {
		tokens += ", " + prefix + name
	}
	return list + fmt.Sprintf("CASE WHEN %[1]searlier_proof IS NOT NULL OR %[1]sticket_proof IS NOT NULL THEN ROW(%[2]s) END",
		prefix, tokens[len(", "):])
}

// decodeRecord reads a record from the last columns of a row, as the server has
// sent them: scanning each costs more than all of this. It is nil where they are
// all NULL.
func decodeRecord(id runtime.ID, values [][]byte, types *pgtype.Map) (*runtime.Record, error) {
	values = values[len(values)-16:]
	if values[0] == nil {
		return nil, nil
	}
	d := decoder{values: values, sound: true}
	r := &runtime.Record{Kind: string(d.next())}
	d.proof(&r.Proof)
	d.family(&r.Family)
	data, counters, indexed := d.object(), d.object(), d.texts()
	r.Created, r.Renewed, r.SignedIn, r.Used = d.time(), d.time(), d.time(), d.time()
	r.Deadline, r.Expires, r.Ended = d.time(), d.time(), d.time()
	r.Idle, r.Persistence = d.interval(), d.persistence()
	err := d.err()
	if err == nil {
		r.Entries, err = entries(data, counters, indexed)
	}
	if tokens := d.next(); err == nil && tokens != nil {
		err = decodeTokens(r, tokens, types)
	}
	if err != nil {
		return nil, damaged(id, err)
	}
	return r, nil
}

// damaged names the session of an error.
func damaged(id runtime.ID, err error) error { return fmt.Errorf("session %s: %w", id, err) }

func decodeTokens(r *runtime.Record, value []byte, types *pgtype.Map) error {
	var t tokens
	if err := types.Scan(pgtype.RecordOID, pgx.BinaryFormatCode, value, &t); err != nil {
		return err
	}
	if !t.earlier(r) || !t.ticket(r) {
		return errDamaged
	}
	return nil
}

// A decoder takes one column after the other.
type decoder struct {
	values [][]byte
	sound  bool
}

func (d *decoder) err() error {
	if !d.sound {
		return errDamaged
	}
	return nil
}

func (d *decoder) next() []byte {
	value := d.values[0]
	d.values = d.values[1:]
	return value
}

func (d *decoder) proof(p *runtime.Proof) { d.bytes(p[:]) }

func (d *decoder) family(f *runtime.Family) { d.bytes(f[:]) }

func (d *decoder) bytes(to []byte) { d.sound = copyWhole(to, d.next()) && d.sound }

// object takes a jsonb: a version, and the text.
func (d *decoder) object() string {
	const version = 1
	value := d.next()
	if len(value) == 0 || value[0] != version {
		d.sound = false
		return "{}"
	}
	return string(value[1:])
}

// texts takes a text[] of one dimension: a head of 20 bytes, and for each text
// its length before it. NULL and an empty array are none.
func (d *decoder) texts() (list []string) {
	const head, length = 20, 4
	value := d.next()
	if len(value) < head {
		return nil
	}
	for value = value[head:]; len(value) >= length; {
		n := binary.BigEndian.Uint32(value)
		value = value[length:]
		if uint64(n) > uint64(len(value)) { // or NULL
			d.sound = false
			return nil
		}
		list = append(list, string(value[:n]))
		value = value[n:]
	}
	return list
}

// time takes a timestamptz: microseconds since the year 2000. NULL is the zero
// time.
func (d *decoder) time() time.Time {
	t, err := decodeTime(d.next())
	d.sound = d.sound && err == nil
	return t
}

// interval takes one: microseconds, days and months. NULL is 0.
func (d *decoder) interval() time.Duration {
	const day = 24 * time.Hour
	value := d.next()
	if value == nil {
		return 0
	}
	if len(value) != 16 {
		d.sound = false
		return 0
	}
	days := int32(binary.BigEndian.Uint32(value[8:])) + 30*int32(binary.BigEndian.Uint32(value[12:]))
	return time.Duration(binary.BigEndian.Uint64(value))*time.Microsecond + time.Duration(days)*day
}

// persistence takes a boolean, NULL for what is configured.
func (d *decoder) persistence() runtime.Persistence {
	value := d.next()
	return persistenceOf(pgtype.Bool{Bool: len(value) == 1 && value[0] == 1, Valid: value != nil})
}

func persistenceOf(persistent pgtype.Bool) runtime.Persistence {
	switch {
	case !persistent.Valid:
		return runtime.PersistenceConfigured
	case persistent.Bool:
		return runtime.PersistencePermanent
	default:
		return runtime.PersistenceBrowser
	}
}

func persistent(p runtime.Persistence) pgtype.Bool {
	return pgtype.Bool{Bool: p == runtime.PersistencePermanent, Valid: p != runtime.PersistenceConfigured}
}

func decodeTime(value []byte) (time.Time, error) {
	const epoch = 946_684_800 * 1_000_000 // microseconds from 1970 to 2000
	if value == nil {
		return time.Time{}, nil
	}
	n := int64(0)
	if len(value) == 8 {
		n = int64(binary.BigEndian.Uint64(value))
	}
	if len(value) != 8 || n > math.MaxInt64-epoch || n == math.MinInt64 { // too late, or infinite
		return time.Time{}, errDamaged
	}
	return time.UnixMicro(n + epoch).UTC(), nil
}

// tokens are the earlier proofs, column by column, and the ticket.
type tokens struct {
	proof     [][]byte
	ended     []pgtype.Timestamptz
	by        []int16
	presented []pgtype.Timestamptz
	grace     []pgtype.Interval

	ticketProof []byte
	ticketEnds  pgtype.Timestamptz
	ticketSaw   []byte
	ticketSole  pgtype.Bool
}

func (t *tokens) targets() []any {
	return []any{
		&t.proof, &t.ended, &t.by, &t.presented, &t.grace,
		&t.ticketProof, &t.ticketEnds, &t.ticketSaw, &t.ticketSole,
	}
}

// ScanNull implements [pgtype.CompositeIndexScanner].
func (t *tokens) ScanNull() error { return nil }

// ScanIndex implements [pgtype.CompositeIndexScanner].
func (t *tokens) ScanIndex(i int) any { return t.targets()[i] }

func (t *tokens) earlier(record *runtime.Record) (sound bool) {
	n := len(t.proof)
	if len(t.ended) != n || len(t.by) != n || len(t.presented) != n || len(t.grace) != n {
		return false
	}
	for i := range n {
		e := runtime.EarlierProof{
			Ended:     instant(t.ended[i]),
			By:        runtime.RenewalKind(t.by[i]),
			Presented: instant(t.presented[i]),
			Grace:     time.Duration(t.grace[i].Microseconds) * time.Microsecond,
		}
		if !copyWhole(e.Proof[:], t.proof[i]) {
			return false
		}
		record.Earlier = append(record.Earlier, e)
	}
	return true
}

func (t *tokens) ticket(record *runtime.Record) (sound bool) {
	if t.ticketProof == nil {
		return true
	}
	ticket := &runtime.Ticket{Ends: instant(t.ticketEnds), Sole: t.ticketSole.Bool}
	record.Ticket = ticket
	return copyWhole(ticket.Proof[:], t.ticketProof) && (t.ticketSaw == nil || copyWhole(ticket.Saw[:], t.ticketSaw))
}

func copyWhole(to, stored []byte) (sound bool) {
	return copy(to, stored) == len(to) && len(stored) == len(to)
}

// entries returns the members of both objects. What is no counter, though it is
// among them, is an entry of another kind: its field notices.
func entries(data, counters string, indexed []string) (runtime.Entries, error) {
	list := make([]runtime.Entry, 0, 1+strings.Count(data, ":")+strings.Count(counters, ":"))
	var err error
	for name, value := range members(data, &err) {
		e := runtime.Entry{Key: name, Value: value}
		if slices.Contains(indexed, name) {
			e.Kind = runtime.IndexedEntry
		}
		list = append(list, e)
	}
	for name, value := range members(counters, &err) {
		e := runtime.Entry{Key: name, Kind: runtime.CounterEntry}
		var notNumber error
		if e.Count, notNumber = strconv.ParseInt(value, 10, 64); notNumber != nil {
			e = runtime.Entry{Key: name, Value: value}
		}
		list = append(list, e)
	}
	// NewEntries sorts, too, but keeps the order of equal keys, which costs twice as
	// much on what is far from sorted: Postgres sorts by length first.
	slices.SortFunc(list, func(a, b runtime.Entry) int { return strings.Compare(a.Key, b.Key) })
	return runtime.NewEntries(list...), err
}

// instant returns the zero time for NULL.
func instant(t pgtype.Timestamptz) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

// timestamp returns NULL for the zero time.
func timestamp(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}
}

// family returns NULL for none.
func family(f runtime.Family) []byte {
	if f == (runtime.Family{}) {
		return nil
	}
	return f[:]
}

func uuid(id runtime.ID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

// resultTimes are the times of a runtime.Result, that of the server, and what goes
// with them.
type resultTimes struct {
	created, renewed, signedIn, used, deadline, expires, now pgtype.Timestamptz

	persistent pgtype.Bool
}

func (t *resultTimes) fill(r *runtime.Result) {
	r.Created, r.Renewed, r.SignedIn = instant(t.created), instant(t.renewed), instant(t.signedIn)
	r.Used, r.Deadline, r.Expires = instant(t.used), instant(t.deadline), instant(t.expires)
	r.Persistence = persistenceOf(t.persistent)
}

const createStatement = withClock + "SELECT duckgen_create(" +
	"$4::uuid, c.now, c.arrived, c.late, $5::text, $6::bytea, $7::bytea, $8::jsonb, $9::jsonb, $10::text[], " +
	"$11::timestamptz, $12::timestamptz, $13::timestamptz, $14::timestamptz, $15::timestamptz, " +
	"$16::bytea[], $17::timestamptz[], $18::smallint[], $19::timestamptz[], $20::interval[], " +
	"$21::bytea, $22::timestamptz, $23::bytea, $24::boolean, " +
	"$25::timestamptz, $26::interval, $27::boolean) FROM c"

// createArguments returns the arguments of createStatement.
func createArguments(m *moment, key runtime.Key, r *runtime.Record) ([]any, error) {
	r = serverclock.Move(r, m.ahead)
	data, counters, indexed, err := columnsOf(r.Entries)
	if err != nil {
		return nil, err
	}
	var t tokens
	t.set(r)
	return m.arguments(key,
		uuid(key.ID), r.Kind, r.Proof[:], r.Family[:], data, counters, indexed,
		timestamp(r.Created), timestamp(r.Renewed), timestamp(r.SignedIn), timestamp(r.Deadline), timestamp(r.Expires),
		t.proof, t.ended, t.by, t.presented, t.grace,
		t.ticketProof, t.ticketEnds, t.ticketSaw, t.ticketSole,
		timestamp(r.Used), pgtype.Interval{Microseconds: r.Idle.Microseconds(), Valid: r.Idle > 0}, persistent(r.Persistence),
	), nil
}

func (t *tokens) set(r *runtime.Record) {
	for i := range r.Earlier {
		e := &r.Earlier[i]
		t.proof = append(t.proof, e.Proof[:])
		t.ended = append(t.ended, timestamp(e.Ended))
		t.by = append(t.by, int16(e.By))
		t.presented = append(t.presented, timestamp(e.Presented))
		t.grace = append(t.grace, interval(e.Grace))
	}
	if ticket := r.Ticket; ticket != nil {
		t.ticketProof, t.ticketEnds = ticket.Proof[:], timestamp(ticket.Ends)
		t.ticketSole = pgtype.Bool{Bool: ticket.Sole, Valid: true}
		if ticket.Saw != (runtime.Proof{}) {
			t.ticketSaw = ticket.Saw[:]
		}
	}
}

// columnsOf returns the two objects that the entries are members of, and the
// names of those by which the session is found.
func columnsOf(entries runtime.Entries) (data, counters []byte, indexed []string, err error) {
	inData, inCounters := deltaWriter{[]byte{'{'}}, deltaWriter{[]byte{'{'}}
	for e := range entries.All() {
		if err := checkEntry(e); err != nil {
			return nil, nil, nil, err
		}
		switch e.Kind {
		case runtime.CounterEntry:
			inCounters.name(e.Key)
			inCounters.b = strconv.AppendInt(inCounters.b, e.Count, 10)
			continue
		case runtime.IndexedEntry:
			indexed = append(indexed, e.Key)
		}
		inData.name(e.Key)
		inData.b = append(inData.b, e.Value...)
	}
	inData.end('}')
	inCounters.end('}')
	return inData.b, inCounters.b, indexed, nil
}
