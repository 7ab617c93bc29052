package runtime

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// What the model of a draft knows of values that end (V14), and of steps that are
// stored at once: claims (V9) and merge=first (V15).

// A timed value ends, at so many nanoseconds since 1970.
type timed struct {
	value string
	ends  int64
}

// until returns the value with its end, 0 for none.
func until(ends int64, value string) any {
	if ends == 0 {
		return value
	}
	return timed{value, ends}
}

// lasting returns an entry, nil for one that is absent or has ended.
func (m *plain) lasting(v any) any {
	if t, ok := v.(timed); ok && m.now.UnixMilli() >= t.ends/int64(time.Millisecond) {
		return nil
	}
	return v
}

// uncrowded returns a map without its oldest elements, for which there is no room.
func uncrowded(f *Field, elements map[string]any) map[string]any {
	if !dropsOldest(f) || len(elements) <= f.Max {
		return elements
	}
	age := func(a, b string) int {
		return cmp.Or(cmp.Compare(elements[a].(timed).ends, elements[b].(timed).ends), strings.Compare(a, b))
	}
	for _, text := range slices.SortedFunc(maps.Keys(elements), age)[:len(elements)-f.Max] {
		delete(elements, text)
	}
	return elements
}

// texts returns what a field reads as without the ends of its values.
func texts(read any) any {
	return each(read, func(t timed) any { return t.value })
}

// each returns what a field reads as with every value that ends as it is made of that.
func each(read any, of func(timed) any) any {
	switch v := read.(type) {
	case timed:
		return of(v)
	case map[string]any:
		v = maps.Clone(v)
		for key, e := range v {
			v[key] = each(e, of)
		}
		return v
	}
	return read
}

// sameText reports whether two entries have the same value, whenever they end.
func sameText(a, b any) bool { return texts(a) == texts(b) }

// sameStored reports whether two fields are stored alike: their values end in the same
// millisecond.
func sameStored(a, b any) bool { return same(a, b) || same(inMillis(a), inMillis(b)) }

func inMillis(read any) any {
	return each(read, func(t timed) any { return timed{t.value, t.ends / int64(time.Millisecond)} })
}

// draftClock is the clock of drafts.
func (w *walk) draftClock() *clock {
	if w.mutant.still {
		start := w.now
		return newClock(func() time.Time { return start })
	}
	return w.clock
}

// endOf returns when a value ends that is set now: just before the draft's own.
func (w *walk) endOf(f *Field) int64 {
	if f.TTL == 0 {
		return 0
	}
	return w.clock.read().Add(f.TTL).UnixNano()
}

// someEnd is that of a stored value, some milliseconds ago or to come, and unlike any
// other.
func (w *walk) someEnd() int64 {
	in := time.Duration(w.IntN(12)-4) * time.Millisecond
	return w.clock.read().Add(in).UnixNano()
}

// pass lets some milliseconds pass.
func (w *walk) pass() {
	w.now = w.now.Add(time.Duration(1+w.IntN(8)) * time.Millisecond)
	w.before.now, w.model.now, w.passed = w.now, w.now, true
}

// hasChanged reports whether a commit was refused because others have changed a map
// from which it would have removed something.
func (w *walk) hasChanged(now *plain, err error) bool {
	tidies := slices.ContainsFunc(w.draft.pending, func(p pending) bool { return p.tidies() })
	return now != w.before && tidies && (errors.Is(err, ErrConflict) || w.draft.outgrown(err))
}

// remains returns what a commit has left that had ended, of a field that it changes;
// empty for nothing.
func (w *walk) remains(got *plain) string {
	for i, f := range w.truth.all() {
		for key, v := range got.entries {
			field := FieldOf(key)
			if f.TTL > 0 && (field == f.Key || field == f.Was) && v == w.before.entries[key] && got.lasting(v) == nil &&
				w.draft.dirty(w.fields.all()[i]) {
				return key
			}
		}
	}
	return ""
}

// keys returns the key of the part's entry, and the earlier one.
func (p part) keys() (key, was string) {
	if p.element {
		return elementKeys(p.Field, p.text)
	}
	return p.Key, p.Was
}

// pick returns the field, or one element of it, as the draft has it and as it is.
func (w *walk) pick(i int) (p, truth part) {
	f, of := w.fields.all()[i], w.truth.all()[i]
	if !f.mapped {
		return whole(f), whole(of)
	}
	text := w.text()
	return elementOf(f, text), elementOf(of, text)
}

// claim takes a part at once, if that is still stored.
func (w *walk) claim(i int) error {
	p, truth := w.pick(i)
	if w.model.broken != nil && p.Key == "theme" {
		return nil
	}
	if !p.answered(&w.draft) && !w.draft.known {
		w.see()
	}
	if !w.readsPart(p) {
		return nil
	}
	take := p.take
	if w.mutant.claim != nil {
		take = func(d *draft) { w.mutant.claim(d, p) }
	}
	if p.answered(&w.draft) || !p.stored(&w.draft) {
		take(&w.draft)
		w.taken(truth)
		return nil
	}
	if err := w.atOnce(p, truth, take, w.taking(truth)); err != nil {
		return err
	}
	return w.compare(i)
}

func (w *walk) readsPart(p part) (ok bool) {
	if p.element {
		_, ok = w.draft.element(p.Field, p.text)
		return ok
	}
	return w.reads(p.Field)
}

// ensure stores a value unless there is one.
func (w *walk) ensure() error {
	var first []int
	for i, f := range w.truth.all() {
		if f.first {
			first = append(first, i)
		}
	}
	i := first[w.IntN(len(first))]
	p, truth := w.pick(i)
	if !w.draft.known {
		w.see()
	}
	value, ends := w.value(), w.endOf(truth.Field)
	key, was := truth.keys()
	err := w.atOnce(p, truth, func(d *draft) { p.set(d, value) }, func(m *plain) string {
		if m.lasting(stored(m.entries, truth.Field, key, was)) == nil {
			m.put(key, was, until(ends, value))
		}
		return fmt.Sprintf("ensure %s, or %s", key, value)
	})
	if err != nil {
		return err
	}
	return w.compare(i)
}

// atOnce stores one change of a part, with what else is pending of that, while
// everything else stays pending.
func (w *walk) atOnce(p, truth part, act func(*draft), inModel func(*plain) string) error {
	before, now := w.draft.pending, w.before
	if !w.passed && w.IntN(4) == 0 {
		now = w.stored()
	}
	split := p.split
	if w.mutant.split != nil {
		split = w.mutant.split
	}
	own, rest := split(before)
	w.draft.pending = own
	act(&w.draft)
	got, err := w.apply(now)
	w.draft.pending = before
	key, was := truth.keys()
	overtaken := now.entries[key] != w.before.entries[key] || now.entries[was] != w.before.entries[was]
	switch {
	case err != nil && (overtaken || w.otherwise(truth.Field, now)):
		w.turnTo(now)
		return nil
	case err != nil:
		return fmt.Errorf("at once, of %s: %w", key, err)
	}
	own1, rest1 := w.parted(truth)
	want := now.clone()
	for _, change := range own1 {
		change.do(want)
	}
	what := inModel(want)
	stale := now != w.before && maps.Equal(got.entries, now.entries) // it was there already, when it was loaded
	for _, f := range w.truth.all() {
		if !stale && !sameStored(got.read(f), want.read(f)) {
			return fmt.Errorf("%s, on %v: %s is stored as %v, not %v", what, now.entries, f.Key, got.read(f), want.read(f))
		}
	}
	w.draft.pending, w.made = rest, rest1
	w.draft.known = true
	w.turnTo(got)
	return nil
}

// otherwise reports whether others have changed the field.
func (w *walk) otherwise(f *Field, now *plain) bool {
	of := func(m *plain) map[string]any {
		own := maps.Clone(m.entries)
		maps.DeleteFunc(own, func(key string, _ any) bool { return FieldOf(key) != f.Key && FieldOf(key) != f.Was })
		return own
	}
	return !maps.Equal(of(now), of(w.before))
}

// parted returns which changes are of the part, and all others. An element of a map
// that is set or cleared as a whole cannot go without the rest.
func (w *walk) parted(p part) (own, rest []made) {
	whole := slices.ContainsFunc(w.made, func(c made) bool { return c.field == p.Key && c.text == "" })
	for _, c := range w.made {
		if c.field == p.Key && (whole || c.text == p.text) {
			own = append(own, c)
		} else {
			rest = append(rest, c)
		}
	}
	return own, rest
}
