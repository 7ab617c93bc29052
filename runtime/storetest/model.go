package storetest

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// A model is a store as the methods of runtime.Record define it, for one
// operation at a time.
type model struct {
	records map[runtime.ID]*runtime.Record
	revoked map[runtime.IndexValue][]runtime.Revocation
}

func newModel() *model {
	return &model{
		records: map[runtime.ID]*runtime.Record{},
		revoked: map[runtime.IndexValue][]runtime.Revocation{},
	}
}

func (m *model) load(key runtime.Key) (*runtime.Record, error) {
	next, err := m.records[key.ID].Read(key)
	m.records[key.ID] = next
	if err != nil {
		return nil, err
	}
	return next, nil
}

func (m *model) create(key runtime.Key, r *runtime.Record) error {
	if old := m.records[key.ID]; old != nil && key.Now.Before(old.Expires) {
		return runtime.ErrExists
	}
	if m.bars(key, r.Revocable()) {
		return runtime.ErrEnded
	}
	m.records[key.ID] = r
	return nil
}

func (m *model) update(key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	next, result, err := m.records[key.ID].Apply(key, d)
	if err == nil && m.bars(key, d.IndexValues(next.Kind)) {
		return nil, runtime.ErrEnded
	}
	m.records[key.ID] = next
	return result, err
}

func (m *model) delete(key runtime.Key) error {
	next, err := m.records[key.ID].End(key)
	m.records[key.ID] = next
	return err
}

// bars reports whether a revocation of one of the values bars the operation.
func (m *model) bars(key runtime.Key, values iter.Seq[runtime.IndexValue]) bool {
	for v := range values {
		if slices.ContainsFunc(m.revoked[v], func(r runtime.Revocation) bool { return r.Bars(key) }) {
			return true
		}
	}
	return false
}

func (m *model) revoke(v runtime.IndexValue, now time.Time, except []runtime.ID) (ended int) {
	m.revoked[v] = append(m.revoked[v], runtime.Revocation{At: now, Except: except})
	for _, id := range m.find(v, now) {
		if !slices.Contains(except, id) {
			m.records[id] = m.records[id].Mark(now)
			ended++
		}
	}
	return ended
}

func (m *model) find(v runtime.IndexValue, now time.Time) (ids []runtime.ID) {
	for id, r := range m.records {
		if r.Live(now) && slices.Contains(slices.Collect(r.Revocable()), v) {
			ids = append(ids, id)
		}
	}
	return ids
}

// What a store answers, as a text: two answers are the same if their texts are.

// show says everything about a record.
func show(r *runtime.Record) string {
	if r == nil {
		return "no record"
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s, proof %x, family %x, created %s, renewed %s, signed in %s, used %s, deadline %s, expires %s, ended %s, idle %s, persistence %d",
		r.Kind, r.Proof[:4], r.Family, at(r.Created), at(r.Renewed), at(r.SignedIn), at(r.Used), at(r.Deadline), at(r.Expires), at(r.Ended), r.Idle, r.Persistence)
	for _, e := range r.Earlier {
		fmt.Fprintf(&text, "\n\tearlier proof %x, ended %s by %d, presented %s, grace %s",
			e.Proof[:4], at(e.Ended), e.By, at(e.Presented), e.Grace)
	}
	if t := r.Ticket; t != nil {
		fmt.Fprintf(&text, "\n\tticket %x, ends %s, saw %x, sole %t", t.Proof[:4], at(t.Ends), t.Saw[:4], t.Sole)
	}
	for e := range r.Entries.All() {
		fmt.Fprintf(&text, "\n\t%q: %s", e.Key, [...]string{"plain", "indexed", "counter"}[e.Kind])
		if e.Kind == runtime.CounterEntry {
			fmt.Fprintf(&text, " %d", e.Count)
		} else {
			fmt.Fprintf(&text, " %q", e.Value)
		}
	}
	return text.String()
}

func showResult(r *runtime.Result) string {
	if r == nil {
		return "no result"
	}
	return fmt.Sprintf("won %t, current %t, created %s, renewed %s, signed in %s, used %s, deadline %s, expires %s, persistence %d, replaced %q",
		r.Won, r.Current, at(r.Created), at(r.Renewed), at(r.SignedIn), at(r.Used), at(r.Deadline), at(r.Expires), r.Persistence, slices.Sorted(slices.Values(r.Replaced)))
}

// at shows a time to the microsecond, which is what stores keep.
func at(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05.000000")
}

func showKey(key runtime.Key) string {
	return fmt.Sprintf("proof %x, family %x, ticket %t, now %s, age %s, held %t, live %t",
		key.Proof[:4], key.Family, key.Ticket, at(key.Now), key.Age, key.Held, key.Live)
}

func showDelta(d *runtime.Delta) string {
	var text strings.Builder
	fmt.Fprintf(&text, "an Update with limits %v, %d bytes, deadline %s, used %s, active %s, persistence %d",
		d.Limits, d.MaxBytes, at(d.Deadline), at(d.Used), at(d.Active), d.Persistence)
	if d.Idle != nil {
		fmt.Fprintf(&text, ", idle %s", *d.Idle)
	}
	for _, op := range d.Ops {
		fmt.Fprintf(&text, "\n\t%s %+v, drop zero %t", [...]string{"clear", "set", "remove", "add"}[op.Kind], op.Entry, op.DropZero)
		if op.If != nil {
			fmt.Fprintf(&text, ", if %+v", *op.If)
		}
	}
	if d.Renewal != nil {
		fmt.Fprintf(&text, "\n\trenewal %d by %x of family %x, grace %s", d.Renewal.Kind, d.Renewal.Proof[:4], d.Renewal.Family, d.Renewal.Grace)
	}
	if d.SignIn != nil {
		fmt.Fprintf(&text, "\n\tsign-in %+v", *d.SignIn)
	}
	if t := d.Ticket; t != nil {
		fmt.Fprintf(&text, "\n\tticket %x, ends %s, saw %x, sole %t", t.Proof[:4], at(t.Ends), t.Saw[:4], t.Sole)
	}
	if r := d.Redeem; r != nil {
		fmt.Fprintf(&text, "\n\tredemption with %x, live %t, and", r.Presented[:4], r.Live)
		for _, p := range r.Same {
			fmt.Fprintf(&text, " %x", p[:4])
		}
	}
	return text.String()
}

// showErr names the answer that an error is, and the limit that it names. What is
// no answer of a working store is shown as it is.
func showErr(err error) string {
	var limit *runtime.LimitError
	if errors.As(err, &limit) {
		return limit.Error()
	}
	return fmt.Sprint(answerOf(err))
}

// answerOf returns the answer of a working store that an error is, or the error
// itself.
func answerOf(err error) error {
	for _, answer := range answers {
		if errors.Is(err, answer) {
			return answer
		}
	}
	return err
}
