package redisstore

import (
	"encoding/binary"
	"strconv"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

// What the functions are given. The first argument packs the numbers that every
// call has: functions/record.lua reads the key from it, delta.lua and create.lua
// what follows.
const keyArgSize = 57

// The flags of a key, as a sum.
const (
	ticketFlag = 1 << iota
	heldFlag
	liveFlag
	clientClockFlag
)

func digits(n int64) string { return strconv.FormatInt(n, 10) }

func timeText(t time.Time) string { return digits(micros(t)) }

func bit(v bool) string {
	if v {
		return "1"
	}
	return "0"
}

func flagIf(v bool, flag byte) byte {
	if v {
		return flag
	}
	return 0
}

// appendKey packs a key.
func appendKey(b []byte, key runtime.Key, o offset) []byte {
	b = appendMicros(b, key.Now.Add(o.exact), key.Arrived().Add(o.exact))
	b = append(b, flagIf(key.Ticket, ticketFlag)|flagIf(key.Held, heldFlag)|
		flagIf(key.Live, liveFlag)|flagIf(o.client, clientClockFlag))
	b = append(b, key.Proof[:]...)
	return append(b, key.Family[:]...)
}

func keyArg(key runtime.Key, o offset) string {
	return string(appendKey(make([]byte, 0, keyArgSize), key, o))
}

// creationArgs returns the arguments of a creation. The registration is that of
// the record's indexed values, nil where it has none.
func creationArgs(key runtime.Key, o offset, r *runtime.Record, reg *registration) []string {
	r = serverclock.Move(r, o.shown)
	var numbers []string
	barred := false
	if reg != nil {
		numbers, barred = reg.numbers, reg.barred
	}
	first := appendKey(make([]byte, 0, keyArgSize+17), key, o)
	first = appendMicros(first, r.Expires)
	first = binary.BigEndian.AppendUint64(first, uint64(len(numbers)))
	first = appendBool(first, barred)
	return append(append([]string{string(first)}, numbers...), fieldsOf(r, numbers)...)
}

// deltaArgs returns the arguments of an update. The registration is that of the
// indexed values that it sets, nil where it sets none.
func deltaArgs(key runtime.Key, o offset, d *runtime.Delta, reg *registration) []string {
	first := appendKey(make([]byte, 0, keyArgSize+32), key, o)
	first = binary.BigEndian.AppendUint64(first, uint64(d.MaxBytes))
	for _, t := range [...]time.Time{d.Deadline, d.Used, d.Active} {
		first = appendMicros(first, serverclock.MoveTime(t, o.shown))
	}
	args := append(make([]string, 0, 1+3*len(d.Ops)), string(first))
	var numbers []string
	if reg != nil {
		numbers = reg.numbers
		args = append(args, "K", reg.kind, bit(reg.barred))
	}
	for i := range d.Ops {
		args, numbers = opArgs(args, &d.Ops[i], numbers)
	}
	for _, limit := range d.Limits {
		args = append(args, "L", limit.Field, strconv.Itoa(limit.Max))
	}
	if d.Idle != nil {
		args = append(args, "I", digits(d.Idle.Microseconds()))
	}
	if d.Persistence != runtime.PersistenceConfigured {
		args = append(args, "P", digits(int64(d.Persistence)))
	}
	return tokenArgs(args, o, d)
}

// tokenArgs appends what concerns tokens.
func tokenArgs(args []string, o offset, d *runtime.Delta) []string {
	if r := d.Renewal; r != nil {
		args = append(args, "R", currentText(r.Proof, r.Family), digits(int64(r.Kind)), digits(r.Grace.Microseconds()))
	}
	if s := d.SignIn; s != nil {
		args = append(args, "S", bit(s.Joins), strconv.Itoa(len(s.Fields)))
		for _, f := range s.Fields {
			args = append(args, f.Key, f.Was, f.Value, bit(f.Identity))
		}
	}
	if t := d.Ticket; t != nil {
		saw := ""
		if t.Saw != (runtime.Proof{}) {
			saw = string(t.Saw[:])
		}
		args = append(args, "T", string(t.Proof[:]), bit(t.Sole), timeText(serverclock.MoveTime(t.Ends, o.shown)), saw)
	}
	if r := d.Redeem; r != nil {
		args = append(args, "X", bit(r.Live), string(r.Presented[:]), strconv.Itoa(len(r.Same)))
		for i := range r.Same {
			args = append(args, string(r.Same[i][:]))
		}
	}
	return args
}

// opArgs appends one operation and returns the numbers that are left.
func opArgs(args []string, op *runtime.Op, numbers []string) ([]string, []string) {
	if op.If != nil && op.If.Absent {
		args = append(args, "?")
	} else if op.If != nil && op.If.Counter {
		args = append(args, "=", string(counterSign)+digits(op.If.Count))
	} else if op.If != nil {
		args = append(args, "!", op.If.Value)
	}
	switch op.Kind {
	case runtime.OpClear:
		return append(args, "c", op.Entry.Key), numbers
	case runtime.OpRemove:
		return append(args, "-", op.Entry.Key), numbers
	case runtime.OpAdd:
		letter := "a"
		if op.DropZero {
			letter = "z"
		}
		return append(args, letter, op.Entry.Key, string(counterSign)+digits(op.Entry.Count)), numbers
	default:
		number := ""
		if op.Entry.Kind == runtime.IndexedEntry {
			number, numbers = numbers[0], numbers[1:]
		}
		return append(args, "s", op.Entry.Key, textOf(op.Entry, number)), numbers
	}
}
