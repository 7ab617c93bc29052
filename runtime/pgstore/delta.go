package pgstore

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/duckgen/duckgen/runtime"
)

// A delta goes to the database as a JSON object with only those of these members
// that it needs:
//
//	clear    fields of which everything is removed, before all else
//	remove   entries to remove
//	set      entries to store, with their values
//	index    those of them by which the session is found
//	count    counters to store, with their values
//	add      counters to add to, as a list of [key, what to add]
//	drop     those of them that are removed when they come to 0
//	absent   entries that must not be there
//	equal    entries that must be there, with their values
//	equal_count  counters that must be there, with their values
//	never    a condition that no entry can meet
//	max      map fields, as a list of [field, how many elements it may have]
//	bytes    the limit of the whole record
//	idle     the session's own idle limit in microseconds, 0: none
//	persistent  whether its cookie outlives the browser
//	sign_in  {fields as a list of {key, was, value, identity}, joins}
//	renew    {kind as in earlier_by, proof, family, grace in microseconds}
//	ticket   {proof, ends, saw, sole}
//	redeem   {proofs that the browser's cookie may be, first what it is, live}
//
// What an error may name is a list, since jsonb does not keep the order of an
// object's members. Proofs and families are in hexadecimal, and flags are there or
// not.

// appendDelta appends the JSON form of a delta, without its own times, which go
// beside it. The server's clock is ahead of the program's.
func appendDelta(b []byte, d *runtime.Delta, ahead time.Duration) []byte {
	w := deltaWriter{append(b, '{')}
	w.ops(d.Ops)
	w.limits(d.Limits)
	if d.MaxBytes > 0 && len(d.Ops) > 0 {
		w.name("bytes")
		w.b = strconv.AppendInt(w.b, int64(d.MaxBytes), 10)
	}
	w.settings(d)
	w.signIn(d.SignIn)
	w.renewal(d.Renewal)
	w.ticket(d.Ticket, ahead)
	w.redemption(d.Redeem)
	w.end('}')
	return w.b
}

// checkDelta refuses what jsonb would not hold as it is.
func checkDelta(d *runtime.Delta) error {
	for i := range d.Ops {
		if err := checkOp(&d.Ops[i]); err != nil {
			return err
		}
	}
	return checkSignIn(d.SignIn)
}

func checkSignIn(s *runtime.SignIn) error {
	if s == nil {
		return nil
	}
	for _, f := range s.Fields {
		if err := errors.Join(checkKey(f.Key), checkKey(f.Was)); err != nil {
			return err
		}
		if f.Value != "" {
			if err := checkValue(f.Key, f.Value); err != nil {
				return err
			}
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

// checkEntry refuses what jsonb would not hold as it is.
func checkEntry(e runtime.Entry) error {
	if e.Kind != runtime.CounterEntry {
		if err := checkValue(e.Key, e.Value); err != nil {
			return err
		}
	}
	return checkKey(e.Key)
}

func checkValue(key, value string) error {
	if !json.Valid([]byte(value)) {
		return fmt.Errorf("the value of the entry %q is not JSON, which is the format of this store", key)
	}
	return nil
}

func checkKey(key string) error {
	if !utf8.ValidString(key) || strings.IndexByte(key, 0) >= 0 {
		return fmt.Errorf("the entry key %q has a NUL or is not UTF-8, which Postgres cannot store: "+
			"encode it with a codec for JSON", key)
	}
	return nil
}

type deltaWriter struct{ b []byte }

// ops writes the operations by what they do: after the clearings each entry has
// only one.
func (w *deltaWriter) ops(ops []runtime.Op) {
	is := func(kind runtime.OpKind) func(*runtime.Op) bool {
		return func(op *runtime.Op) bool { return op.Kind == kind }
	}
	sets := func(counter bool) func(*runtime.Op) bool {
		return func(op *runtime.Op) bool {
			return op.Kind == runtime.OpSet && (op.Entry.Kind == runtime.CounterEntry) == counter
		}
	}
	conditional := func(fits func(*runtime.Condition) bool) func(*runtime.Op) bool {
		return func(op *runtime.Op) bool { return op.If != nil && fits(op.If) }
	}
	value := func(op *runtime.Op) { w.b = append(w.b, op.Entry.Value...) }
	count := func(op *runtime.Op) { w.b = strconv.AppendInt(w.b, op.Entry.Count, 10) }
	expected := func(op *runtime.Op) { w.b = append(w.b, op.If.Value...) }
	expectedCount := func(op *runtime.Op) { w.b = strconv.AppendInt(w.b, op.If.Count, 10) }
	ofValue := func(c *runtime.Condition) bool { return !c.Absent && !c.Counter }

	w.list("clear", ops, is(runtime.OpClear))
	w.list("remove", ops, is(runtime.OpRemove))
	w.object("set", ops, sets(false), value)
	w.list("index", ops, func(op *runtime.Op) bool {
		return op.Kind == runtime.OpSet && op.Entry.Kind == runtime.IndexedEntry
	})
	w.object("count", ops, sets(true), count)
	w.each("add", "[]", ops, is(runtime.OpAdd), func(op *runtime.Op) { w.pair(op.Entry.Key, op.Entry.Count) })
	w.list("drop", ops, func(op *runtime.Op) bool { return op.Kind == runtime.OpAdd && op.DropZero })
	w.list("absent", ops, conditional(func(c *runtime.Condition) bool { return c.Absent }))
	w.object("equal", ops, conditional(func(c *runtime.Condition) bool { return ofValue(c) && c.Value != "" }), expected)
	w.object("equal_count", ops, conditional(func(c *runtime.Condition) bool { return !c.Absent && c.Counter }), expectedCount)
	w.list("never", ops, conditional(func(c *runtime.Condition) bool { return ofValue(c) && c.Value == "" }))
}

func (w *deltaWriter) limits(limits []runtime.Limit) {
	if len(limits) == 0 {
		return
	}
	w.member("max", '[')
	for _, limit := range limits {
		w.pair(limit.Field, int64(limit.Max))
	}
	w.end(']')
}

// list writes a member with the keys of the operations that fit, if any does.
func (w *deltaWriter) list(name string, ops []runtime.Op, fits func(*runtime.Op) bool) {
	w.each(name, "[]", ops, fits, func(op *runtime.Op) { w.text(op.Entry.Key) })
}

// object also writes what value does for each.
func (w *deltaWriter) object(name string, ops []runtime.Op, fits func(*runtime.Op) bool, value func(*runtime.Op)) {
	w.each(name, "{}", ops, fits, func(op *runtime.Op) {
		w.name(op.Entry.Key)
		value(op)
	})
}

// each writes a member, between its brackets, with what item writes for each of the
// operations that fit, if any does.
func (w *deltaWriter) each(name, brackets string, ops []runtime.Op, fits func(*runtime.Op) bool, item func(*runtime.Op)) {
	found := false
	for i := range ops {
		if !fits(&ops[i]) {
			continue
		}
		if !found {
			found = true
			w.member(name, brackets[0])
		}
		item(&ops[i])
	}
	if found {
		w.end(brackets[1])
	}
}

func (w *deltaWriter) settings(d *runtime.Delta) {
	if d.Idle != nil {
		w.name("idle")
		w.b = strconv.AppendInt(w.b, d.Idle.Microseconds(), 10)
	}
	if d.Persistence != runtime.PersistenceConfigured {
		w.name("persistent")
		w.b = strconv.AppendBool(w.b, d.Persistence == runtime.PersistencePermanent)
	}
}

func (w *deltaWriter) signIn(s *runtime.SignIn) {
	if s == nil {
		return
	}
	w.member("sign_in", '{')
	w.member("fields", '[')
	for i := range s.Fields {
		w.signInField(&s.Fields[i])
	}
	w.end(']')
	if s.Joins {
		w.flag("joins")
	}
	w.end('}')
}

func (w *deltaWriter) signInField(f *runtime.SignInField) {
	w.separate()
	w.b = append(w.b, '{')
	w.name("key")
	w.text(f.Key)
	if f.Was != "" {
		w.name("was")
		w.text(f.Was)
	}
	if f.Value != "" {
		w.name("value")
		w.b = append(w.b, f.Value...)
	}
	if f.Identity {
		w.flag("identity")
	}
	w.end('}')
}

func (w *deltaWriter) renewal(r *runtime.Renewal) {
	if r == nil {
		return
	}
	w.member("renew", '{')
	w.name("kind")
	w.b = strconv.AppendUint(w.b, uint64(r.Kind), 10)
	w.name("proof")
	w.proof(r.Proof)
	w.name("family")
	w.hexadecimal(r.Family[:])
	w.name("grace")
	w.b = strconv.AppendInt(w.b, r.Grace.Microseconds(), 10)
	w.end('}')
}

func (w *deltaWriter) ticket(t *runtime.Ticket, ahead time.Duration) {
	if t == nil {
		return
	}
	w.member("ticket", '{')
	w.name("proof")
	w.proof(t.Proof)
	w.name("ends")
	w.text(t.Ends.Add(ahead).UTC().Format(time.RFC3339Nano))
	if t.Saw != (runtime.Proof{}) {
		w.name("saw")
		w.proof(t.Saw)
	}
	if t.Sole {
		w.flag("sole")
	}
	w.end('}')
}

func (w *deltaWriter) redemption(r *runtime.Redemption) {
	if r == nil {
		return
	}
	w.member("redeem", '{')
	w.member("proofs", '[')
	w.proof(r.Presented)
	for _, p := range r.Same {
		w.separate()
		w.proof(p)
	}
	w.end(']')
	if r.Live {
		w.flag("live")
	}
	w.end('}')
}

// member begins an object or a list.
func (w *deltaWriter) member(name string, open byte) {
	w.name(name)
	w.b = append(w.b, open)
}

func (w *deltaWriter) end(closing byte) { w.b = append(w.b, closing) }

func (w *deltaWriter) flag(name string) {
	w.name(name)
	w.b = append(w.b, "true"...)
}

func (w *deltaWriter) name(name string) {
	w.text(name)
	w.b = append(w.b, ':')
}

// pair writes an item of a list.
func (w *deltaWriter) pair(name string, n int64) {
	w.separate()
	w.b = append(w.b, '[')
	w.text(name)
	w.b = append(w.b, ',')
	w.b = strconv.AppendInt(w.b, n, 10)
	w.end(']')
}

func (w *deltaWriter) text(s string) {
	w.separate()
	w.b = appendQuoted(w.b, s)
}

func (w *deltaWriter) proof(p runtime.Proof) { w.hexadecimal(p[:]) }

func (w *deltaWriter) hexadecimal(b []byte) {
	w.b = append(w.b, '"')
	w.b = hex.AppendEncode(w.b, b)
	w.b = append(w.b, '"')
}

// separate writes a comma behind a member or an item.
func (w *deltaWriter) separate() {
	if last := w.b[len(w.b)-1]; last != '{' && last != '[' && last != ':' {
		w.b = append(w.b, ',')
	}
}

// appendQuoted writes valid UTF-8 as a JSON string.
func appendQuoted(b []byte, text string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xf])
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
