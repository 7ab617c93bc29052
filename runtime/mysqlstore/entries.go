package mysqlstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/duckgen/duckgen/runtime"
)

// encodeEntries returns the object that the entries are members of, and the one that
// says what is not plain of them.
func encodeEntries(entries runtime.Entries) (data, kinds string) {
	inData, inKinds := []byte{'{'}, []byte{'{'}
	for e := range entries.All() {
		inData = appendName(inData, e.Key)
		if e.Kind == runtime.CounterEntry {
			inData = strconv.AppendInt(inData, e.Count, 10)
		} else {
			inData = append(inData, e.Value...)
		}
		if e.Kind != runtime.PlainEntry {
			inKinds = strconv.AppendInt(appendName(inKinds, e.Key), int64(e.Kind), 10)
		}
	}
	return string(append(inData, '}')), string(append(inKinds, '}'))
}

// appendName begins a member of an object.
func appendName(object []byte, name string) []byte {
	if len(object) > 1 {
		object = append(object, ", "...)
	}
	return append(append(object, quoted(name)...), ": "...)
}

// quoted returns UTF-8 as a JSON string.
func quoted(text string) []byte {
	b, _ := json.Marshal(text) // every string can be
	return b
}

// decodeEntries reads what encodeEntries wrote and the server may have spelled in
// another way. A counter that is no number is an entry of another kind: its field
// notices.
func decodeEntries(data, kinds []byte) (entries runtime.Entries, sound bool) {
	var values map[string]json.RawMessage
	var kindOf map[string]runtime.EntryKind
	if json.Unmarshal(data, &values) != nil || json.Unmarshal(kinds, &kindOf) != nil || values == nil {
		return entries, false
	}
	list := make([]runtime.Entry, 0, len(values))
	for name, value := range values {
		e := runtime.Entry{Key: name, Kind: kindOf[name], Value: compact(value)}
		if e.Kind == runtime.CounterEntry {
			e = counterOf(e)
		}
		list = append(list, e)
	}
	return runtime.NewEntries(list...), true
}

func counterOf(e runtime.Entry) runtime.Entry {
	n, err := strconv.ParseInt(e.Value, 10, 64)
	if err != nil {
		return runtime.Entry{Key: e.Key, Value: e.Value}
	}
	return runtime.Entry{Key: e.Key, Kind: runtime.CounterEntry, Count: n}
}

// compact takes the white space out of a value that may have some.
func compact(value json.RawMessage) string {
	if value[0] != '{' && value[0] != '[' {
		return string(value)
	}
	var b bytes.Buffer
	_ = json.Compact(&b, value) // it was parsed before
	return b.String()
}

// hashOf returns by what the index knows a value: of a fixed length, however long the
// value.
func hashOf(v runtime.IndexValue) []byte {
	h := sha256.New()
	for _, part := range []string{v.Kind, v.Field, v.Value} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return h.Sum(nil)
}

// checkDelta refuses what JSON would not hold as it is.
func checkDelta(d *runtime.Delta) error {
	for i := range d.Ops {
		if err := checkOp(&d.Ops[i]); err != nil {
			return err
		}
	}
	return nil
}

func checkOp(op *runtime.Op) error {
	if op.Kind == runtime.OpSet {
		return checkEntry(op.Entry)
	}
	return checkKey(op.Entry.Key)
}

func checkEntries(entries runtime.Entries) error {
	for e := range entries.All() {
		if err := checkEntry(e); err != nil {
			return err
		}
	}
	return nil
}

func checkEntry(e runtime.Entry) error {
	if e.Kind != runtime.CounterEntry && !json.Valid([]byte(e.Value)) {
		return fmt.Errorf("the value of the entry %q is not JSON, which is the format of this store", e.Key)
	}
	return checkKey(e.Key)
}

func checkKey(key string) error {
	if !utf8.ValidString(key) {
		return fmt.Errorf("the entry key %q is not UTF-8, which JSON cannot hold: encode it with a codec for JSON", key)
	}
	return nil
}

// tokens are the earlier proofs of a record, and its ticket.
type tokens struct {
	Earlier []earlier `json:"earlier,omitempty"`
	Ticket  *ticket   `json:"ticket,omitempty"`
}

type earlier struct {
	Proof     []byte              `json:"proof"`
	Ended     time.Time           `json:"ended"`
	By        runtime.RenewalKind `json:"by"` // 0: renewed, 1: signed in, 2: signed out, 3: joined by a sign-in of the same user
	Presented time.Time           `json:"presented,omitzero"`
	Grace     time.Duration       `json:"grace"` // in nanoseconds
}

type ticket struct {
	Proof []byte    `json:"proof"`
	Ends  time.Time `json:"ends"`
	Saw   []byte    `json:"saw"`
	Sole  bool      `json:"sole,omitempty"`
}

// tokensArgument returns NULL for a record without such tokens.
func tokensArgument(r *runtime.Record) any {
	if len(r.Earlier) == 0 && r.Ticket == nil {
		return nil
	}
	var t tokens
	for i := range r.Earlier {
		e := &r.Earlier[i]
		t.Earlier = append(t.Earlier, earlier{e.Proof[:], e.Ended.UTC(), e.By, e.Presented.UTC(), e.Grace})
	}
	if r.Ticket != nil {
		t.Ticket = &ticket{r.Ticket.Proof[:], r.Ticket.Ends.UTC(), r.Ticket.Saw[:], r.Ticket.Sole}
	}
	encoded, _ := json.Marshal(t) // times of four digits
	return string(encoded)
}

// decodeTokens reads what tokensArgument wrote.
func decodeTokens(r *runtime.Record, encoded []byte) (sound bool) {
	if encoded == nil {
		return true
	}
	var t tokens
	if json.Unmarshal(encoded, &t) != nil {
		return false
	}
	for _, e := range t.Earlier {
		proof := runtime.EarlierProof{Ended: e.Ended, By: e.By, Presented: e.Presented, Grace: e.Grace}
		if !copyWhole(proof.Proof[:], e.Proof) {
			return false
		}
		r.Earlier = append(r.Earlier, proof)
	}
	if t.Ticket == nil {
		return true
	}
	r.Ticket = &runtime.Ticket{Ends: t.Ticket.Ends, Sole: t.Ticket.Sole}
	return copyWhole(r.Ticket.Proof[:], t.Ticket.Proof) && copyWhole(r.Ticket.Saw[:], t.Ticket.Saw)
}
