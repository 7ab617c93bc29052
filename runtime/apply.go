package runtime

import (
	"math"
	"slices"
	"time"
)

// The three methods below define what a store does in one atomic step. Each
// takes the stored record, nil where there is none, and returns the record to
// store instead: the same pointer where nothing has to be written. A returned
// record that differs is to be stored even when there is an error, which is how
// reuse ends a session.

// Read judges a Load.
func (r *Record) Read(key Key) (*Record, error) {
	next, _, err := r.admit(key, false)
	return next, err
}

// Apply judges an Update and applies the delta.
func (r *Record) Apply(key Key, d *Delta) (*Record, *Result, error) {
	admitted, current, err := r.admit(key, true)
	if err != nil {
		return admitted, nil, err
	}
	if d.CurrentOnly && !current {
		return r, nil, ErrSuperseded
	}
	if key.Ticket && !r.Ticket.admits(d.Redeem) {
		return r, nil, ErrConflict
	}
	entries, replaced, err := r.Entries.apply(d)
	if err != nil {
		return r, nil, err
	}
	// One allocation for both, as every commit needs them.
	out := &struct {
		record Record
		result Result
	}{record: *admitted}
	next := &out.record
	next.Entries = entries
	won := d.Renewal != nil && current
	if won {
		next.renew(d.Renewal, key.Now)
	}
	if d.Ticket != nil && current {
		next.Ticket = d.Ticket
	}
	if key.Ticket {
		next.Ticket = nil
	}
	next.reschedule(d, key.Ticket)
	out.result = Result{
		Won:      won,
		Current:  current,
		Created:  next.Created,
		Renewed:  next.Renewed,
		Deadline: next.Deadline,
		Expires:  next.Expires,
		Replaced: replaced,
	}
	return next, &out.result, nil
}

// End judges a Delete and returns the mark that stays.
func (r *Record) End(key Key) (*Record, error) {
	admitted, _, err := r.admit(key, true)
	switch err {
	case nil:
		if key.Ticket && !r.Ticket.Sole {
			return r, nil
		}
		return r.Mark(key.Now), nil
	case ErrNotFound, ErrEnded:
		return r, nil
	default:
		return admitted, err
	}
}

// renew replaces the proof. A sign-in also ends the earlier tokens that were
// still accepted; those whose life was over stay evidence of reuse. An
// outstanding ticket belongs to the proof before and ends with it: whoever kept
// one could follow the sign-in.
func (r *Record) renew(renewal *Renewal, now time.Time) {
	earlier := make([]EarlierProof, 0, MaxEarlier)
	earlier = append(earlier, EarlierProof{
		Proof:  r.Proof,
		Ended:  now,
		SignIn: renewal.SignIn,
		Grace:  renewal.Grace,
	})
	for _, e := range r.Earlier[:min(len(r.Earlier), MaxEarlier-1)] {
		alive := !e.SignIn && (e.Presented.IsZero() || now.Before(e.Presented.Add(e.Grace)))
		if renewal.SignIn && alive {
			e.Ended, e.SignIn, e.Grace = now, true, renewal.Grace
		}
		earlier = append(earlier, e)
	}
	r.Earlier = earlier
	r.Proof = renewal.Proof
	r.Renewed = now.Truncate(time.Millisecond)
	r.Ticket = nil
}

// reschedule moves the end of the session. Activity moves it only forward; a
// session that only a ticket can deliver ends with the ticket.
func (r *Record) reschedule(d *Delta, redeemed bool) {
	if !d.Deadline.IsZero() {
		r.Deadline = d.Deadline
	}
	end := r.Deadline
	if !d.Active.IsZero() {
		end = earliest(end, latest(d.Active, r.Expires))
	}
	switch {
	case r.Ticket != nil && r.Ticket.Sole:
		r.Expires = earliest(end, r.Ticket.Ends)
	case redeemed || !d.Deadline.IsZero() || !d.Active.IsZero():
		r.Expires = end
	}
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// apply checks everything first and then makes the new set.
func (e Entries) apply(d *Delta) (next Entries, replaced []string, err error) {
	if len(d.Ops) == 0 {
		return e, nil, nil
	}
	for i := range d.Ops {
		if !e.holds(&d.Ops[i]) {
			return e, nil, ErrConflict
		}
	}
	next.list = make([]Entry, len(e.list), len(e.list)+len(d.Ops))
	copy(next.list, e.list)
	for i := range d.Ops {
		old, err := next.applyOp(&d.Ops[i])
		if err != nil {
			return e, nil, err
		}
		if old {
			replaced = append(replaced, d.Ops[i].Entry.Key)
		}
	}
	return next, replaced, next.within(d, e)
}

func (e Entries) holds(op *Op) bool {
	if op.If == nil {
		return true
	}
	entry, found := e.Get(op.Entry.Key)
	if op.If.Absent || !found {
		return op.If.Absent && !found
	}
	return entry.Kind != CounterEntry && entry.Value == op.If.Value
}

// applyOp changes a list that nobody else has. It reports whether an addition
// replaced an entry that is no counter.
func (e *Entries) applyOp(op *Op) (replaced bool, err error) {
	i, found := e.find(op.Entry.Key)
	switch op.Kind {
	case OpClear:
		e.list = slices.DeleteFunc(e.list, func(entry Entry) bool { return FieldOf(entry.Key) == op.Entry.Key })
	case OpRemove:
		e.remove(op.Entry.Key)
	case OpSet:
		e.put(i, found, op.Entry)
	case OpAdd:
		sum := Entry{Key: op.Entry.Key, Kind: CounterEntry, Count: op.Entry.Count}
		if found && e.list[i].Kind == CounterEntry {
			var ok bool
			if sum.Count, ok = addCounts(e.list[i].Count, sum.Count); !ok {
				return false, &LimitError{Field: FieldOf(sum.Key), Err: ErrOverflow}
			}
		}
		replaced = found && e.list[i].Kind != CounterEntry
		if sum.Count == 0 && op.DropZero {
			e.remove(sum.Key)
		} else {
			e.put(i, found, sum)
		}
	}
	return replaced, nil
}

func (e *Entries) put(i int, found bool, entry Entry) {
	if found {
		e.list[i] = entry
		return
	}
	e.list = slices.Insert(e.list, i, entry)
}

func (e *Entries) remove(key string) {
	if i, found := e.find(key); found {
		e.list = slices.Delete(e.list, i, i+1)
	}
}

// within checks the limits of a delta that lets the set grow.
func (e Entries) within(d *Delta, before Entries) error {
	for _, limit := range d.Limits {
		prefix := limit.Field + ":"
		n := e.elements(prefix).len()
		if n > limit.Max && n > before.elements(prefix).len() {
			return &LimitError{Field: limit.Field, Limit: limit.Max, Err: ErrTooLarge}
		}
	}
	if d.MaxBytes == 0 {
		return nil
	}
	if size := e.Size(); size > d.MaxBytes && size > before.Size() {
		return &LimitError{Limit: d.MaxBytes, Err: ErrTooLarge}
	}
	return nil
}

// addCounts adds without leaving the range of int64.
func addCounts(a, b int64) (sum int64, ok bool) {
	if b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b {
		return 0, false
	}
	return a + b, true
}
