package memstore

import (
	"slices"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// packed is the compact form of a record but for its expiry, which stands in the
// slot: 112 bytes, where a runtime.Record has 288. It is never changed once stored.
type packed struct {
	proof  runtime.Proof
	family runtime.Family

	// Unix milliseconds; signedIn and used are 0 for never.
	created, renewed, signedIn, used, deadline int64

	own own

	entries runtime.Entries
	rare    *rare
}

// rare is what most sessions of a kind have in common: nothing but the kind.
// They share one.
type rare struct {
	kind    string
	earlier []runtime.EarlierProof
	ticket  *runtime.Ticket
	ended   time.Time
}

// own is what a session has of its own in place of what is configured: its idle
// limit in milliseconds, and in the lowest bits its persistence.
type own int64

const persistenceBits = 2

func ownOf(r *runtime.Record) own {
	return own(r.Idle.Milliseconds()<<persistenceBits | int64(r.Persistence))
}

func (o own) idle() time.Duration { return time.Duration(o>>persistenceBits) * time.Millisecond }

func (o own) persistence() runtime.Persistence {
	return runtime.Persistence(o & (1<<persistenceBits - 1))
}

// record returns the record as it was given, in the room for it, or nil for none.
// The caller makes the room, because most of them let go of the record again, and
// then it takes no memory of the heap.
func (s slot) record(room *runtime.Record) *runtime.Record {
	p := s.packed
	if p == nil {
		return nil
	}
	*room = runtime.Record{
		Kind:     p.rare.kind,
		Proof:    p.proof,
		Family:   p.family,
		Earlier:  p.rare.earlier,
		Created:  instant(p.created),
		Renewed:  instant(p.renewed),
		SignedIn: never(p.signedIn),
		Used:     never(p.used),
		Deadline: instant(p.deadline),
		Expires:  instant(s.expires),
		Ticket:   p.rare.ticket,
		Entries:  p.entries,
		Ended:    p.rare.ended,

		Idle:        p.own.idle(),
		Persistence: p.own.persistence(),
	}
	return room
}

// pack returns the compact form of r. It keeps nothing that the caller could
// change. The parts that old has already are shared with it.
func (s *Store) pack(r *runtime.Record, old *packed) slot {
	return slot{r.Expires.UnixMilli(), &packed{
		proof:    r.Proof,
		family:   r.Family,
		created:  r.Created.UnixMilli(),
		renewed:  r.Renewed.UnixMilli(),
		signedIn: ordinal(r.SignedIn),
		used:     ordinal(r.Used),
		deadline: r.Deadline.UnixMilli(),
		own:      ownOf(r),
		entries:  r.Entries,
		rare:     s.packRare(r, old),
	}}
}

func (s *Store) packRare(r *runtime.Record, old *packed) *rare {
	if old != nil && old.rare.holds(r) {
		return old.rare
	}
	if len(r.Earlier) == 0 && r.Ticket == nil && r.Ended.IsZero() {
		return s.family(r.Kind)
	}
	next := &rare{kind: r.Kind, earlier: slices.Clone(r.Earlier), ended: r.Ended}
	if r.Ticket != nil {
		ticket := *r.Ticket
		next.ticket = &ticket
	}
	return next
}

// holds reports whether r was made from a record that had these very parts.
func (x *rare) holds(r *runtime.Record) bool {
	return x.kind == r.Kind && x.ticket == r.Ticket && x.ended.Equal(r.Ended) &&
		len(x.earlier) == len(r.Earlier) && (len(x.earlier) == 0 || &x.earlier[0] == &r.Earlier[0])
}

// family returns what all plain sessions of the kind share.
func (s *Store) family(kind string) *rare {
	if shared, ok := s.families.Load(kind); ok {
		return shared.(*rare)
	}
	shared, _ := s.families.LoadOrStore(kind, &rare{kind: kind})
	return shared.(*rare)
}

func instant(milliseconds int64) time.Time { return time.UnixMilli(milliseconds).UTC() }

// never and ordinal keep a time that may be zero.
func never(milliseconds int64) time.Time {
	if milliseconds == 0 {
		return time.Time{}
	}
	return instant(milliseconds)
}

func ordinal(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
