package sqlitestore

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// layout is the form of a packed record, its first byte. Its entries are stored
// as package runtime packs them. A checksum is at the end: damage that fits the
// form must not be taken for a record that has expired or has another proof.
const layout = 4

var sumTable = crc32.MakeTable(crc32.Castagnoli)

// pack returns the binary form of a record.
func pack(r *runtime.Record) []byte {
	entries := r.Entries.Packed()
	b := make([]byte, 0, 256+len(entries))
	b = append(b, layout)
	b = appendText(b, r.Kind)
	b = append(b, r.Proof[:]...)
	b = append(b, r.Family[:]...)
	for _, t := range []time.Time{r.Created, r.Renewed, r.Deadline, r.Expires} {
		b = binary.AppendVarint(b, t.UnixMilli())
	}
	b = appendMillis(b, r.SignedIn)
	b = appendMillis(b, r.Used)
	b = binary.AppendUvarint(b, uint64(r.Idle.Milliseconds()))
	b = append(b, byte(r.Persistence))
	b = appendInstant(b, r.Ended)
	b = binary.AppendUvarint(b, uint64(len(r.Earlier)))
	for _, e := range r.Earlier {
		b = append(b, e.Proof[:]...)
		b = appendInstant(b, e.Ended)
		b = append(b, byte(e.By))
		b = appendInstant(b, e.Presented)
		b = binary.AppendVarint(b, int64(e.Grace))
	}
	b = appendBool(b, r.Ticket != nil)
	if t := r.Ticket; t != nil {
		b = append(b, t.Proof[:]...)
		b = appendInstant(b, t.Ends)
		b = append(b, t.Saw[:]...)
		b = appendBool(b, t.Sole)
	}
	b = append(b, entries...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, sumTable))
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// appendMillis keeps a time to the millisecond, and the zero time as 0.
func appendMillis(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	return binary.AppendVarint(b, t.UnixMilli())
}

// appendInstant keeps a time to the nanosecond, and the zero time as 0.
func appendInstant(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	return binary.AppendVarint(b, t.UnixNano())
}

// unpack reads what pack wrote. The entries of the record are a part of b, which
// must not change any more. Damaged bytes are an error and allocate no more than a
// small multiple of their size.
func unpack(b []byte) (*runtime.Record, error) {
	end := len(b) - crc32.Size
	if end < 0 || binary.BigEndian.Uint32(b[end:]) != crc32.Checksum(b[:end], sumTable) {
		return nil, runtime.ErrDamaged
	}
	u := &unpacker{rest: b[:end]}
	if stored := u.byte(); stored != layout && !u.damaged {
		return nil, fmt.Errorf("%w: it has layout %d, and this program reads layout %d alone", runtime.ErrDamaged, stored, layout)
	}
	r := &runtime.Record{Kind: u.text(), Proof: u.proof(), Family: u.family()}
	for _, t := range []*time.Time{&r.Created, &r.Renewed, &r.Deadline, &r.Expires} {
		*t = time.UnixMilli(u.varint()).UTC()
	}
	r.SignedIn = u.millis()
	r.Used = u.millis()
	r.Idle = time.Duration(u.uvarint()) * time.Millisecond
	r.Persistence = runtime.Persistence(u.byte())
	r.Ended = u.instant()
	for n := u.count(); n > 0 && !u.damaged; n-- {
		r.Earlier = append(r.Earlier, runtime.EarlierProof{
			Proof:     u.proof(),
			Ended:     u.instant(),
			By:        runtime.RenewalKind(u.byte()),
			Presented: u.instant(),
			Grace:     time.Duration(u.varint()),
		})
	}
	if u.bool() {
		r.Ticket = &runtime.Ticket{Proof: u.proof(), Ends: u.instant(), Saw: u.proof(), Sole: u.bool()}
	}
	var err error
	if r.Entries, err = runtime.ParseEntries(u.rest); err != nil || u.damaged {
		return nil, runtime.ErrDamaged
	}
	return r, nil
}

// An unpacker takes values off packed bytes. After the first that is not there
// it is damaged and gives zeros.
type unpacker struct {
	rest    []byte
	damaged bool
}

func (u *unpacker) take(n uint64) []byte {
	if n > uint64(len(u.rest)) {
		u.damaged, u.rest = true, nil
		return nil
	}
	taken := u.rest[:n]
	u.rest = u.rest[n:]
	return taken
}

func (u *unpacker) byte() byte {
	if b := u.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (u *unpacker) bool() bool { return u.byte() == 1 }

func (u *unpacker) text() string { return string(u.take(u.uvarint())) }

func (u *unpacker) proof() (p runtime.Proof) {
	copy(p[:], u.take(uint64(len(p))))
	return p
}

func (u *unpacker) family() (f runtime.Family) {
	copy(f[:], u.take(uint64(len(f))))
	return f
}

func (u *unpacker) uvarint() uint64 {
	v, n := binary.Uvarint(u.rest)
	u.take(uint64(max(n, 1)))
	u.damaged = u.damaged || n <= 0
	return v
}

func (u *unpacker) varint() int64 {
	v, n := binary.Varint(u.rest)
	u.take(uint64(max(n, 1)))
	u.damaged = u.damaged || n <= 0
	return v
}

// count reads how many values follow, of which each takes a byte at least.
func (u *unpacker) count() uint64 {
	n := u.uvarint()
	if n > uint64(len(u.rest)) {
		u.damaged = true
		return 0
	}
	return n
}

func (u *unpacker) millis() time.Time {
	if n := u.varint(); n != 0 {
		return time.UnixMilli(n).UTC()
	}
	return time.Time{}
}

func (u *unpacker) instant() time.Time {
	if n := u.varint(); n != 0 {
		return time.Unix(0, n).UTC()
	}
	return time.Time{}
}
