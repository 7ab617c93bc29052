package redisstore

import (
	"strconv"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// What the scripts are given. scripts/record.lua reads the key, delta.lua the
// delta.

func digits(n int64) string { return strconv.FormatInt(n, 10) }

func timeText(t time.Time) string { return digits(micros(t)) }

// ageText tells how long before Now the request arrived, in microseconds.
func ageText(key runtime.Key) string { return digits(micros(key.Now) - micros(key.Arrived())) }

func bit(v bool) string {
	if v {
		return "1"
	}
	return "0"
}

// keyArgs begins the arguments of a script, with room for more.
func keyArgs(key runtime.Key, room int) []string {
	flags := ""
	if key.Ticket {
		flags += "t"
	}
	if key.Held {
		flags += "h"
	}
	if key.Live {
		flags += "l"
	}
	return append(make([]string, 0, 4+room), timeText(key.Now), ageText(key), string(key.Proof[:]), flags)
}

// deltaArgs appends a delta. The numbers are those of the indexed values that it
// sets, in order; the kind is the one that they were registered for.
func deltaArgs(args []string, d *runtime.Delta, kind string, numbers []string) []string {
	if len(numbers) > 0 {
		args = append(args, "K", kind)
	}
	for i := range d.Ops {
		args, numbers = opArgs(args, &d.Ops[i], numbers)
	}
	for _, limit := range d.Limits {
		args = append(args, "L", limit.Field, strconv.Itoa(limit.Max))
	}
	if d.MaxBytes != 0 {
		args = append(args, "M", strconv.Itoa(d.MaxBytes))
	}
	if !d.Deadline.IsZero() {
		args = append(args, "D", timeText(d.Deadline))
	}
	if !d.Active.IsZero() {
		args = append(args, "A", timeText(d.Active))
	}
	if d.CurrentOnly {
		args = append(args, "C")
	}
	if r := d.Renewal; r != nil {
		args = append(args, "R", string(r.Proof[:]), bit(r.SignIn), digits(r.Grace.Microseconds()))
	}
	if t := d.Ticket; t != nil {
		saw := ""
		if t.Saw != (runtime.Proof{}) {
			saw = string(t.Saw[:])
		}
		args = append(args, "T", string(t.Proof[:]), bit(t.Sole), timeText(t.Ends), saw)
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
		return append(args, letter, op.Entry.Key, digits(op.Entry.Count)), numbers
	default:
		number := ""
		if op.Entry.Kind == runtime.IndexedEntry {
			number, numbers = numbers[0], numbers[1:]
		}
		return append(args, "s", op.Entry.Key, textOf(op.Entry, number)), numbers
	}
}
