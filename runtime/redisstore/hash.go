package redisstore

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// A record is a hash. Fields whose names begin with a dot are the record's own,
// all others entries by their keys, which have no dot in front. The own fields
// are small and several, because a hash stays compact in memory as long as no
// field is longer than 64 bytes:
//
//	.h  created, renewed, signed in, deadline, expires, ended, used: 8 bytes each;
//	    the size of all entries: 4 bytes; how many earlier proofs there are, what is
//	    pending with the persistence: a byte each
//	.p  the current proof, its family, and the idle limit if the session has its own
//	.k  the kind
//	.1  to .4, the earlier proofs: proof, by what it ended, ended, presented, grace
//	.t  the ticket: proof, sole, ends
//	.s  what the ticket's handshake saw
//
// Numbers are big-endian, times microseconds since 1970, 0 for none.
const (
	headCreated  = 0
	headRenewed  = 8
	headSignedIn = 16
	headDeadline = 24
	headExpires  = 32
	headEnded    = 40
	headUsed     = 48
	headEarlier  = 60
	headPending  = 61

	headSize    = 62
	proofSize   = 32
	currentSize = 40 // proof and family
	idleSize    = 8
	earlierSize = 57
	ticketSize  = 41
)

// What may be pending, as a sum.
const (
	ticketPending       = 1
	presentationPending = 2 // of the successor of an earlier proof
	allPending          = 4 // persistence counts in multiples of it
)

// The signs by which the text of an entry begins.
const (
	plainSign   = '='
	indexedSign = '@' // then a number of the index, then the value
	counterSign = '+' // then digits
)

// numberSize is the length of a registration's number.
const numberSize = 8

// micros returns the stored form of a time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

func appendMicros(b []byte, times ...time.Time) []byte {
	for _, t := range times {
		b = binary.BigEndian.AppendUint64(b, uint64(micros(t)))
	}
	return b
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// fieldsOf returns the fields and values of a new record's hash, in turns. The
// numbers are those of its indexed entries, in order.
func fieldsOf(r *runtime.Record, numbers []string) []string {
	head := appendMicros(make([]byte, 0, headSize), r.Created, r.Renewed, r.SignedIn, r.Deadline, r.Expires, r.Ended, r.Used)
	head = binary.BigEndian.AppendUint32(head, uint32(r.Entries.Size()))
	head = append(head, byte(len(r.Earlier)), pendingOf(r)+allPending*byte(r.Persistence))
	fields := []string{
		".h", string(head),
		".p", currentText(r.Proof, r.Family) + idleText(r.Idle),
		".k", r.Kind,
	}
	for i, e := range r.Earlier {
		b := append(append(make([]byte, 0, earlierSize), e.Proof[:]...), byte(e.By))
		b = appendMicros(b, e.Ended, e.Presented)
		b = binary.BigEndian.AppendUint64(b, uint64(e.Grace.Microseconds()))
		fields = append(fields, "."+strconv.Itoa(i+1), string(b))
	}
	if t := r.Ticket; t != nil {
		b := appendBool(append(make([]byte, 0, ticketSize), t.Proof[:]...), t.Sole)
		fields = append(fields, ".t", string(appendMicros(b, t.Ends)))
		if t.Saw != (runtime.Proof{}) {
			fields = append(fields, ".s", string(t.Saw[:]))
		}
	}
	for e := range r.Entries.All() {
		number := ""
		if e.Kind == runtime.IndexedEntry {
			number, numbers = numbers[0], numbers[1:]
		}
		fields = append(fields, e.Key, textOf(e, number))
	}
	return fields
}

// currentText returns what the hash keeps of the current secret.
func currentText(p runtime.Proof, f runtime.Family) string { return string(p[:]) + string(f[:]) }

// idleText returns what the hash keeps of a session's own idle limit.
func idleText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return string(binary.BigEndian.AppendUint64(nil, uint64(d.Microseconds())))
}

func pendingOf(r *runtime.Record) (pending byte) {
	if r.Ticket != nil {
		pending |= ticketPending
	}
	isWaiting := func(e runtime.EarlierProof) bool { return e.By == runtime.RenewPlain && e.Presented.IsZero() }
	if slices.ContainsFunc(r.Earlier, isWaiting) {
		pending |= presentationPending
	}
	return pending
}

// textOf returns what the hash field of an entry holds.
func textOf(e runtime.Entry, number string) string {
	switch e.Kind {
	case runtime.CounterEntry:
		return string(counterSign) + strconv.FormatInt(e.Count, 10)
	case runtime.IndexedEntry:
		return string(indexedSign) + number + e.Value
	default:
		return string(plainSign) + e.Value
	}
}

// own are the fields of a hash that are the record's own, by the letter or digit
// of their names.
type own struct {
	head, current, kind, ticket, saw string
	earlier                          [runtime.MaxEarlier]string
}

func (o *own) set(field, text string) {
	switch field {
	case ".h":
		o.head = text
	case ".p":
		o.current = text
	case ".k":
		o.kind = text
	case ".t":
		o.ticket = text
	case ".s":
		o.saw = text
	case ".1", ".2", ".3", ".4":
		o.earlier[field[1]-'1'] = text
	}
}

// recordOf reads a hash as HGETALL gives it, and returns nil for an empty one. A field that cannot be read is lost alone, but for those without which
// nobody could be judged.
func recordOf(hash Value) (*runtime.Record, error) {
	if len(hash.List) == 0 {
		return nil, nil
	}
	var o own
	entries := make([]runtime.Entry, 0, len(hash.List)/2)
	for field, text := range hash.fields() {
		if strings.HasPrefix(field, ".") {
			o.set(field, text)
		} else {
			entries = append(entries, entryOf(field, text))
		}
	}
	if len(o.head) != headSize || len(o.current) != currentSize && len(o.current) != currentSize+idleSize {
		return nil, errDamaged
	}
	r := &runtime.Record{
		Kind:     o.kind,
		Proof:    proofOf(o.current),
		Family:   familyOf(o.current[proofSize:]),
		Created:  timeAt(o.head, headCreated),
		Renewed:  timeAt(o.head, headRenewed),
		SignedIn: timeAt(o.head, headSignedIn),
		Deadline: timeAt(o.head, headDeadline),
		Expires:  timeAt(o.head, headExpires),
		Ended:    timeAt(o.head, headEnded),
		Used:     timeAt(o.head, headUsed),
		Entries:  runtime.NewEntries(entries...),

		Idle:        idleOf(o.current),
		Persistence: persistenceOf(o.head),
	}
	if o.head[headPending]&ticketPending != 0 {
		r.Ticket = ticketOf(o.ticket, o.saw)
	}
	for _, packed := range o.earlier[:min(int(o.head[headEarlier]), runtime.MaxEarlier)] {
		if len(packed) == earlierSize {
			r.Earlier = append(r.Earlier, earlierOf(packed))
		}
	}
	return r, nil
}

func proofOf(b string) (p runtime.Proof) {
	copy(p[:], b)
	return p
}

func familyOf(b string) (f runtime.Family) {
	copy(f[:], b)
	return f
}

func idleOf(current string) time.Duration {
	if len(current) == currentSize {
		return 0
	}
	return time.Duration(numberAt(current, currentSize)) * time.Microsecond
}

func persistenceOf(head string) runtime.Persistence {
	return runtime.Persistence(head[headPending] / allPending)
}

func numberAt(b string, at int) int64 {
	var raw [8]byte
	copy(raw[:], b[at:])
	return int64(binary.BigEndian.Uint64(raw[:]))
}

func timeAt(b string, at int) time.Time { return instant(numberAt(b, at)) }

func earlierOf(b string) runtime.EarlierProof {
	return runtime.EarlierProof{
		Proof:     proofOf(b),
		By:        runtime.RenewalKind(b[32]),
		Ended:     timeAt(b, 33),
		Presented: timeAt(b, 41),
		Grace:     time.Duration(numberAt(b, 49)) * time.Microsecond,
	}
}

func ticketOf(b, saw string) *runtime.Ticket {
	if len(b) != ticketSize {
		return nil
	}
	return &runtime.Ticket{Proof: proofOf(b), Sole: b[32] == 1, Ends: timeAt(b, 33), Saw: proofOf(saw)}
}

// entryOf reads the hash field of an entry. What cannot be read is given as a
// plain entry: its session field finds that it does not fit, and says so.
func entryOf(key, text string) runtime.Entry {
	e := runtime.Entry{Key: key}
	if text == "" {
		return e
	}
	e.Value = text[1:]
	switch text[0] {
	case indexedSign:
		if _, value, ok := splitIndexed(text); ok {
			e.Kind, e.Value = runtime.IndexedEntry, value
		}
	case counterSign:
		if count, err := strconv.ParseInt(e.Value, 10, 64); err == nil {
			e.Kind, e.Value, e.Count = runtime.CounterEntry, "", count
		}
	}
	return e
}

// splitIndexed takes the text of an indexed entry apart, and reports whether it
// is one.
func splitIndexed(text string) (number, value string, ok bool) {
	if len(text) < 1+numberSize || text[0] != indexedSign {
		return "", "", false
	}
	return text[1 : 1+numberSize], text[1+numberSize:], true
}
