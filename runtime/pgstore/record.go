package pgstore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/duckgen/duckgen/runtime"
)

var errDamaged = errors.New("the stored record is damaged, and is left as it is")

// columns are those of a record in the order of row.targets. A prefix is put
// before each. Most sessions have no tokens besides their own, and one column
// that is NULL costs less than nine.
func columns(prefix string) string {
	list := ""
	for _, name := range []string{
		"kind", "proof", "data", "counters", "indexed", "created", "renewed", "deadline", "expires", "ended",
	} {
		list += prefix + name + ", "
	}
	tokens := ""
	for _, name := range []string{
		"earlier_proof", "earlier_ended", "earlier_sign_in", "earlier_presented", "earlier_grace",
		"ticket_proof", "ticket_ends", "ticket_saw", "ticket_sole",
	} {
		tokens += ", " + prefix + name
	}
	return list + fmt.Sprintf("CASE WHEN %[1]searlier_proof IS NOT NULL OR %[1]sticket_proof IS NOT NULL THEN ROW(%[2]s) END",
		prefix, tokens[len(", "):])
}

// A row is a record as pgx reads it.
type row struct {
	kind           pgtype.Text
	proof          []byte
	data, counters []byte
	indexed        []string
	created        pgtype.Timestamptz
	renewed        pgtype.Timestamptz
	deadline       pgtype.Timestamptz
	expires        pgtype.Timestamptz
	ended          pgtype.Timestamptz
	tokens         tokens
}

func (r *row) targets() []any {
	return []any{
		&r.kind, &r.proof, &r.data, &r.counters, &r.indexed,
		&r.created, &r.renewed, &r.deadline, &r.expires, &r.ended, &r.tokens,
	}
}

// tokens are the earlier proofs, column by column, and the ticket.
type tokens struct {
	proof     [][]byte
	ended     []pgtype.Timestamptz
	signIn    []bool
	presented []pgtype.Timestamptz
	grace     []pgtype.Interval

	ticketProof []byte
	ticketEnds  pgtype.Timestamptz
	ticketSaw   []byte
	ticketSole  pgtype.Bool
}

func (t *tokens) targets() []any {
	return []any{
		&t.proof, &t.ended, &t.signIn, &t.presented, &t.grace,
		&t.ticketProof, &t.ticketEnds, &t.ticketSaw, &t.ticketSole,
	}
}

// ScanNull implements [pgtype.CompositeIndexScanner].
func (t *tokens) ScanNull() error { return nil }

// ScanIndex implements [pgtype.CompositeIndexScanner].
func (t *tokens) ScanIndex(i int) any { return t.targets()[i] }

// scanRecord reads a record behind the columns that first takes, of which the id
// may be one. It is nil where the columns are all NULL.
func scanRecord(from pgx.Row, id *pgtype.UUID, first ...any) (*runtime.Record, error) {
	var r row
	if err := from.Scan(append(first, r.targets()...)...); err != nil {
		return nil, err
	}
	if !r.kind.Valid {
		return nil, nil
	}
	record, err := r.record()
	if err != nil {
		return nil, fmt.Errorf("session %s: %w", runtime.ID(id.Bytes), err)
	}
	return record, nil
}

func (r *row) record() (*runtime.Record, error) {
	entries, err := r.entries()
	if err != nil {
		return nil, err
	}
	record := &runtime.Record{
		Kind:     r.kind.String,
		Created:  instant(r.created),
		Renewed:  instant(r.renewed),
		Deadline: instant(r.deadline),
		Expires:  instant(r.expires),
		Ended:    instant(r.ended),
		Entries:  runtime.NewEntries(entries...),
	}
	sound := copyProof(&record.Proof, r.proof) && r.tokens.earlier(record) && r.tokens.ticket(record)
	if !sound {
		return nil, errDamaged
	}
	return record, nil
}

func (t *tokens) earlier(record *runtime.Record) (sound bool) {
	n := len(t.proof)
	if len(t.ended) != n || len(t.signIn) != n || len(t.presented) != n || len(t.grace) != n {
		return false
	}
	for i := range n {
		e := runtime.EarlierProof{
			Ended:     instant(t.ended[i]),
			SignIn:    t.signIn[i],
			Presented: instant(t.presented[i]),
			Grace:     time.Duration(t.grace[i].Microseconds) * time.Microsecond,
		}
		if !copyProof(&e.Proof, t.proof[i]) {
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
	return copyProof(&ticket.Proof, t.ticketProof) && (t.ticketSaw == nil || copyProof(&ticket.Saw, t.ticketSaw))
}

func copyProof(p *runtime.Proof, stored []byte) (sound bool) {
	return copy(p[:], stored) == len(p) && len(stored) == len(p)
}

// entries returns the members of both objects.
func (r *row) entries() (entries []runtime.Entry, err error) {
	data, counters := string(r.data), string(r.counters)
	entries = make([]runtime.Entry, 0, 1+strings.Count(data, `": `)+strings.Count(counters, `": `))
	for name, value := range members(data, &err) {
		entries = append(entries, runtime.Entry{Key: name, Value: value})
	}
	for i := range entries {
		for _, name := range r.indexed {
			if entries[i].Key == name {
				entries[i].Kind = runtime.IndexedEntry
			}
		}
	}
	for name, value := range members(counters, &err) {
		n, badNumber := strconv.ParseInt(value, 10, 64)
		if badNumber != nil {
			return nil, errDamaged
		}
		entries = append(entries, runtime.Entry{Key: name, Kind: runtime.CounterEntry, Count: n})
	}
	return entries, err
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

func uuid(id runtime.ID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

// resultTimes are the times of a runtime.Result.
type resultTimes struct{ created, renewed, deadline, expires pgtype.Timestamptz }

func (t *resultTimes) fill(r *runtime.Result) {
	r.Created, r.Renewed = instant(t.created), instant(t.renewed)
	r.Deadline, r.Expires = instant(t.deadline), instant(t.expires)
}

const createStatement = "SELECT duckgen_create($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, " +
	"$11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"

// createArguments returns the arguments of createStatement.
func createArguments(key runtime.Key, r *runtime.Record) ([]any, error) {
	n := row{
		kind:     pgtype.Text{String: r.Kind, Valid: true},
		proof:    r.Proof[:],
		created:  timestamp(r.Created),
		renewed:  timestamp(r.Renewed),
		deadline: timestamp(r.Deadline),
		expires:  timestamp(r.Expires),
	}
	if err := n.setEntries(r.Entries); err != nil {
		return nil, err
	}
	n.tokens.set(r)
	t := &n.tokens
	return []any{
		uuid(key.ID), key.Now, key.Arrived(),
		n.kind, n.proof, n.data, n.counters, n.indexed, n.created, n.renewed, n.deadline, n.expires,
		t.proof, t.ended, t.signIn, t.presented, t.grace,
		t.ticketProof, t.ticketEnds, t.ticketSaw, t.ticketSole,
	}, nil
}

func (t *tokens) set(r *runtime.Record) {
	for i := range r.Earlier {
		e := &r.Earlier[i]
		t.proof = append(t.proof, e.Proof[:])
		t.ended = append(t.ended, timestamp(e.Ended))
		t.signIn = append(t.signIn, e.SignIn)
		t.presented = append(t.presented, timestamp(e.Presented))
		t.grace = append(t.grace, pgtype.Interval{Microseconds: e.Grace.Microseconds(), Valid: true})
	}
	if ticket := r.Ticket; ticket != nil {
		t.ticketProof, t.ticketEnds = ticket.Proof[:], timestamp(ticket.Ends)
		t.ticketSole = pgtype.Bool{Bool: ticket.Sole, Valid: true}
		if ticket.Saw != (runtime.Proof{}) {
			t.ticketSaw = ticket.Saw[:]
		}
	}
}

func (r *row) setEntries(entries runtime.Entries) error {
	data, counters := deltaWriter{[]byte{'{'}}, deltaWriter{[]byte{'{'}}
	for e := range entries.All() {
		if err := checkEntry(e); err != nil {
			return err
		}
		switch e.Kind {
		case runtime.CounterEntry:
			counters.name(e.Key)
			counters.b = strconv.AppendInt(counters.b, e.Count, 10)
			continue
		case runtime.IndexedEntry:
			r.indexed = append(r.indexed, e.Key)
		}
		data.name(e.Key)
		data.b = append(data.b, e.Value...)
	}
	data.end('}')
	counters.end('}')
	r.data, r.counters = data.b, counters.b
	return nil
}
