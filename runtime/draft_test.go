package runtime

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// A draft is held to a model: random changes are made to a draft and, one after
// the other, to a plain map of entries. Whatever order they come in, and whenever
// it becomes known what is stored, the draft has to read as the map does, to be
// dirty exactly if the map differs from what is stored, and its operations have
// to make the map of what is stored. The comments name the rules.

func TestDraftIsAMap(t *testing.T) {
	steps := 100_000
	if testing.Short() {
		steps = 20_000
	}
	if err := walkDraft(1, steps, mutant{}); err != nil {
		t.Error(err)
	}
}

func FuzzDraftIsAMap(f *testing.F) {
	f.Add(uint64(2))
	f.Add(uint64(122)) // takes a map of which what it has set is crowded out
	f.Fuzz(func(t *testing.T, seed uint64) {
		if err := walkDraft(seed, 300, mutant{}); err != nil {
			t.Error(err)
		}
	})
}

// A mutant breaks one rule. The model has to notice.
type mutant struct {
	breaks string
	fields func(*draftFields)                    // changes how fields are treated
	after  func(d *draft, f *Field, last change) // changes what a set or an addition left
	see    func(d *draft, r *Record)             // takes the place of draft.see
	take   func(d *draft, f *Field)              // takes the place of draft.take
	claim  func(d *draft, p part)                // takes the place of part.take
	split  func(list []pending) (own, rest []pending)
	ops    func([]Op) []Op // changes what a commit sends
	still  bool            // the draft's clock stands still
}

func TestBrokenDraftIsNoMap(t *testing.T) {
	forField := func(key string, tamper func(d *draft, p *pending, last change)) func(*draft, *Field, change) {
		return func(d *draft, f *Field, last change) {
			if f.Key == key {
				tamper(d, d.of(f), last)
			}
		}
	}
	for _, m := range []mutant{
		{breaks: "V2: the default is stored", after: forField("theme", func(d *draft, p *pending, last change) {
			if last.value == "light" {
				p.scalar = last
			}
		})},
		{breaks: "V2: a scalar counter of 0 is stored", after: forField("views", func(d *draft, p *pending, last change) {
			if last.op == changeSet && last.count == 0 {
				p.scalar = last
			}
		})},
		{breaks: "V3: setting what is stored is a change", after: forField("name", func(d *draft, p *pending, last change) {
			p.scalar.withdrawn = false
		})},
		{breaks: "V3: adding 0 is a change", after: forField("views", func(d *draft, p *pending, last change) {
			p.scalar.withdrawn = false
		})},
		{breaks: "V3: what is withdrawn is forgotten", after: func(d *draft, f *Field, last change) {
			if p := d.of(f); p.scalar.withdrawn {
				p.scalar = change{}
			}
		}},
		{breaks: "V3: a load judges nothing again", see: func(d *draft, r *Record) { d.stored, d.known = r, true }},
		{breaks: "V3: clearing a map and setting the same is a change", after: forField("prefs", func(d *draft, p *pending, last change) {
			if !p.changes() {
				p.cleared, p.withdrawn = true, false
			}
		})},
		{breaks: "V4: a smaller pending value replaces a larger one", after: forField("best", func(d *draft, p *pending, last change) {
			if p.scalar.op == changeFold {
				p.scalar.value = last.value
			}
		})},
		{breaks: "V4: after a clear a value is still merged into the stored one", after: forField("best", func(d *draft, p *pending, last change) {
			if p.scalar.op == changeSet {
				p.scalar.op = changeFold
			}
		})},
		{breaks: "V4: an addition forgets the set before it", after: forField("views", func(d *draft, p *pending, last change) {
			if last.op == changeAdd && p.scalar.op == changeSet {
				p.scalar = last
			}
		})},
		{breaks: "V4: setting a whole map clears nothing", after: forField("cart", func(d *draft, p *pending, last change) {
			p.cleared = false
		})},
		{breaks: "V5: a counter is stored as a value", fields: func(f *draftFields) { f.views.counter = false }},
		{breaks: "V6: appending keeps the oldest", fields: func(f *draftFields) {
			f.recent.fold = func(_ Format, stored, added string) (string, error) {
				return (stored + added)[:min(len(stored+added), recentMax)], nil
			}
		}},
		{breaks: "V6: a merged value has no condition", fields: func(f *draftFields) { f.unconditional = true }},
		{breaks: "V7: a limit is not sent", fields: func(f *draftFields) { f.prefs.Max = 0 }},
		{breaks: "V7: a value beyond its limit is stored", after: forField("theme", func(d *draft, p *pending, last change) {
			p.scalar.err = nil
		})},
		{breaks: "V8: the earlier entry is not read", fields: func(f *draftFields) { f.name.Was = "" }},
		{breaks: "V8: an element's write keeps its earlier entry", fields: func(f *draftFields) { f.prefs.Was = "" }},
		{breaks: "V9: taking clears whatever is stored", take: (*draft).clear},
		{breaks: "V9: what was appended after what was read goes, or nothing", fields: func(f *draftFields) { f.recent.rest = nil }},
		{breaks: "V9: what makes room is not taken to have been read", fields: func(f *draftFields) { f.recent.rest = cutPrefix }},
		{breaks: "V9: what was set before stays when it is taken", take: func(d *draft, f *Field) {
			if !d.answers(f) {
				d.take(f)
			}
		}},
		{breaks: "V9: a counter that was taken is judged as one that was not", take: func(d *draft, f *Field) {
			d.take(f)
			if f.Key == "views" {
				d.of(f).scalar.taken = nil
			}
		}},
		{breaks: "V8: an earlier counter does not count", fields: func(f *draftFields) { f.hits.Was = "" }},
		{breaks: "V9: claiming an element takes the whole map", claim: func(d *draft, p part) { d.take(p.Field) }},
		{breaks: "V9: what is pending of others is stored with a claim", split: func(list []pending) (own, rest []pending) {
			return list, nil
		}},
		{breaks: "V9: what is pending of others is lost by a claim", split: func(list []pending) (own, rest []pending) {
			return nil, nil
		}},
		{breaks: "V14: a value does not end", still: true},
		{breaks: "V14: setting anew keeps the earlier end", after: forField("code", func(d *draft, p *pending, last change) {
			if stored, found := d.storedEntry(p.field, "code", "pin"); found {
				p.scalar.ends = stored.ends
			}
		})},
		{breaks: "V14: what has ended is not removed", ops: func(list []Op) []Op {
			return slices.DeleteFunc(list, func(op Op) bool { return op.Kind == OpRemove && op.If != nil && FieldOf(op.Entry.Key) == "steps" })
		}},
		{breaks: "V14: a full map drops nothing", fields: func(f *draftFields) { f.steps.Max = 0 }},
		{breaks: "V14: setting the same again is no change", after: forField("code", func(d *draft, p *pending, last change) {
			stored, found := d.storedEntry(p.field, "code", "pin")
			p.scalar.withdrawn = found && stored.value == p.scalar.value
		})},
		{breaks: "V15: the last value is stored", fields: func(f *draftFields) {
			f.token.fold = func(_ Format, _, added string) (string, error) { return added, nil }
		}},
		{breaks: "V15: the value that stays ends later", fields: func(f *draftFields) { f.otp.first = false }},
		{breaks: "V15: an element is stored beside the one that is there", fields: func(f *draftFields) { f.seats.Was = "" }},
	} {
		t.Run(m.breaks, func(t *testing.T) {
			t.Parallel()
			if walkDraft(1, 100_000, m) == nil {
				t.Error("the model does not notice")
			}
		})
	}
}

const (
	recentMax = 4
	prefsMax  = 3
	stepsMax  = 3
	ttl       = 20 * time.Millisecond
)

// draftFields are one field of each kind that a draft treats in its own way.
type draftFields struct {
	theme, name, best, least, recent, views, hits, cart, prefs Field
	code, otp, token, steps, seats                             Field // with ttl or merge=first

	list []*Field

	unconditional bool // for a mutant: conditions are removed
}

func newDraftFields() *draftFields {
	pick := func(sign int) func(Format, string, string) (string, error) {
		return func(_ Format, stored, added string) (string, error) {
			if stored != "" && sign*cmp.Compare(stored, added) >= 0 {
				return stored, nil
			}
			return added, nil
		}
	}
	first := func(_ Format, stored, added string) (string, error) { return cmp.Or(stored, added), nil }
	f := &draftFields{
		theme:  Field{Key: "theme"},
		name:   Field{Key: "name", Was: "label"},
		best:   Field{Key: "best", fold: pick(+1)},
		least:  Field{Key: "least", Was: "lowest", fold: pick(-1)},
		recent: Field{Key: "recent"},
		views:  Field{Key: "views", counter: true},
		hits:   Field{Key: "hits", Was: "clicks", counter: true},
		cart:   Field{Key: "cart", counter: true, mapped: true},
		prefs:  Field{Key: "prefs", Was: "settings", Max: prefsMax, mapped: true},
		code:   Field{Key: "code", Was: "pin", TTL: ttl},
		otp:    Field{Key: "otp", TTL: ttl, first: true, fold: first},
		token:  Field{Key: "token", Was: "csrf", first: true, fold: first},
		steps:  Field{Key: "steps", TTL: ttl, Max: stepsMax, mapped: true},
		seats:  Field{Key: "seats", Was: "places", TTL: ttl, mapped: true, first: true, fold: first},
	}
	f.theme.defaults[MessagePack] = "light"
	f.recent.fold = func(_ Format, stored, added string) (string, error) {
		all := stored + added
		return all[max(0, len(all)-recentMax):], nil
	}
	f.recent.rest = func(format Format, stored, taken string) (string, error) {
		rest, err := cutPrefix(format, stored, taken)
		for len(stored) == recentMax && rest == stored && taken != "" {
			taken = taken[1:]
			rest, err = cutPrefix(format, stored, taken)
		}
		return rest, err
	}
	f.list = []*Field{&f.theme, &f.name, &f.best, &f.least, &f.recent, &f.views, &f.hits, &f.cart, &f.prefs,
		&f.code, &f.otp, &f.token, &f.steps, &f.seats}
	for _, field := range f.list {
		field.elements, field.wasElements = field.Key+":", field.Was+":"
	}
	return f
}

func cutPrefix(_ Format, stored, taken string) (string, error) {
	return strings.TrimPrefix(stored, taken), nil
}

func (f *draftFields) all() []*Field { return f.list }

// A plain is the model: entries by key, values as strings or timed, counters as int64.
// born are elements that additions alone have made: a net 0 leaves nothing of them.
// fixed are the keys whose entries no longer depend on what was there before.
type plain struct {
	before  map[string]any // the entries before all changes
	entries map[string]any
	born    map[string]bool
	fixed   map[string]bool
	broken  error // of a field that cannot be stored
	now     time.Time
}

// clone returns the same entries, before any change.
func (m *plain) clone() *plain {
	return &plain{before: m.entries, entries: maps.Clone(m.entries), born: map[string]bool{}, fixed: map[string]bool{}, now: m.now}
}

func (m *plain) remove(f *Field) {
	for key := range m.entries {
		if field := FieldOf(key); field == f.Key || field == f.Was {
			delete(m.entries, key)
			delete(m.born, key)
		}
	}
	m.fixed[f.Key] = true
}

func (m *plain) put(key, was string, v any) {
	m.drop(key, was)
	m.entries[key] = v
}

func (m *plain) drop(key, was string) {
	delete(m.entries, key)
	delete(m.entries, was)
	delete(m.born, key)
	m.fixed[key] = true
}

// take removes what was read of an entry, as it was before all changes, and what
// was changed since.
func (m *plain) take(f *Field, key, was string, read any) {
	if m.fixed[key] || m.fixed[f.Key] {
		m.drop(key, was)
		return
	}
	rest := m.lasting(stored(m.before, f, key, was))
	if text, isText := rest.(string); sameText(rest, read) {
		rest = nil
	} else if isText && f.rest != nil && read != nil {
		rest, _ = f.rest(MessagePack, text, read.(string))
	}
	delete(m.entries, key)
	delete(m.entries, was)
	delete(m.born, key)
	if rest == stored(m.before, f, key, was) {
		for _, key := range []string{key, was} {
			if v, found := m.before[key]; found {
				m.entries[key] = v
			}
		}
	} else if rest != nil && rest != "" {
		m.entries[key] = rest
	}
}

// stored returns what one entry reads as, nil for absent.
func stored(entries map[string]any, f *Field, key, was string) any {
	v, found := entries[key]
	earlier, also := entries[was]
	switch {
	case f.counter && found && also:
		return v.(int64) + earlier.(int64)
	case found:
		return v
	default:
		return earlier
	}
}

func (m *plain) add(key string, n int64, dropZero bool) {
	before, found := m.entries[key].(int64)
	if !found {
		m.born[key] = true
	}
	m.entries[key] = before + n
	if before+n == 0 && (dropZero || m.born[key]) {
		delete(m.entries, key)
		delete(m.born, key)
	}
}

// read returns what a program sees of the field.
func (m *plain) read(f *Field) any {
	switch {
	case f.mapped:
		seen := map[string]any{}
		for key, v := range m.entries {
			field, text, _ := strings.Cut(key, ":")
			_, newer := m.entries[f.elements+text]
			if v = m.lasting(v); v != nil && (field == f.Key || field == f.Was && !newer) {
				seen[text] = v
			}
		}
		return uncrowded(f, seen)
	case f.counter:
		n, _ := m.entries[f.Key].(int64)
		earlier, _ := m.entries[f.Was].(int64)
		return n + earlier
	}
	return m.lasting(stored(m.entries, f, f.Key, f.Was))
}

func (m *plain) record() *Record {
	list := make([]Entry, 0, len(m.entries))
	for key, v := range m.entries {
		e := Entry{Key: key}
		switch v := v.(type) {
		case int64:
			e.Kind, e.Count = CounterEntry, v
		case timed:
			e.Value = withEnd(MessagePack, v.ends, v.value)
		case string:
			e.Value = v
		}
		list = append(list, e)
	}
	return &Record{Entries: NewEntries(list...)}
}

func (w *walk) plainOf(e Entries) *plain {
	m := &plain{entries: map[string]any{}, now: w.now}
	for entry := range e.All() {
		switch ends, value, err := splitEnd(MessagePack, entry.Value); {
		case entry.Kind == CounterEntry:
			m.entries[entry.Key] = entry.Count
		case err == nil:
			m.entries[entry.Key] = timed{value, ends}
		default:
			m.entries[entry.Key] = entry.Value
		}
	}
	return m
}

// A walk makes the same random changes to a draft and to its model.
type walk struct {
	*rand.Rand
	mutant mutant
	fields *draftFields // as the draft treats them
	truth  *draftFields // as they are

	draft  draft
	before *plain // what is stored
	made   []made // the changes since
	model  *plain // what they make of it

	clock  *clock
	now    time.Time
	passed bool // time has, since the walk began with this record
}

// made is one change of a field, or of an element of a map field.
type made struct {
	field, text string
	do          func(*plain) string
}

func (w *walk) make(f *Field, text string, do func(*plain) string) {
	w.made = append(w.made, made{f.Key, text, do})
}

func walkDraft(seed uint64, steps int, m mutant) error {
	w := &walk{Rand: rand.New(rand.NewPCG(seed, 0)), mutant: m, fields: newDraftFields(), truth: newDraftFields()}
	w.now = time.UnixMilli(1_790_000_000_000)
	w.clock = newClock(func() time.Time { return w.now })
	if m.fields != nil {
		m.fields(w.fields)
	}
	w.begin()
	for step := range steps {
		if err := w.step(); err != nil {
			var trace strings.Builder
			for _, change := range w.made {
				fmt.Fprintf(&trace, "\n\t%s", change.do(w.before.clone()))
			}
			return fmt.Errorf("seed %d, step %d, stored %v:%s\n%w", seed, step, w.before.entries, trace.String(), err)
		}
	}
	return nil
}

// begin starts a draft on another stored record, which it mostly does not know.
func (w *walk) begin() {
	w.before = w.stored()
	w.model = w.before.clone()
	w.made, w.passed = nil, false
	w.draft = draft{clock: w.draftClock()}
	if w.IntN(3) == 0 {
		w.see()
	}
}

func (w *walk) see() {
	r := w.before.record()
	if w.mutant.see != nil {
		w.mutant.see(&w.draft, r)
	} else {
		w.draft.see(r)
	}
}

// turnTo lets another record be what is stored: every change that was made counts
// of that (V3).
func (w *walk) turnTo(r *plain) {
	w.before = r
	w.model = r.clone()
	for _, change := range w.made {
		change.do(w.model)
	}
	if w.draft.known || w.IntN(2) == 0 {
		w.see()
	}
}

// stored returns random entries.
func (w *walk) stored() *plain {
	m := &plain{entries: map[string]any{}, now: w.now}
	for _, f := range w.truth.all() {
		for _, key := range []string{f.Key, f.Was} {
			if key == "" || w.IntN(2) == 0 {
				continue
			}
			if !f.mapped {
				m.entries[key] = w.content(f)
				continue
			}
			for range w.IntN(prefsMax) {
				m.entries[key+":"+w.text()] = w.content(f)
			}
		}
	}
	return m
}

func (w *walk) content(f *Field) any {
	if f.counter {
		return int64(w.IntN(4) + 1)
	}
	if f.TTL > 0 {
		return timed{w.value(), w.someEnd()}
	}
	if f.rest == nil {
		return w.value()
	}
	elements := ""
	for range 1 + w.IntN(recentMax) {
		elements += string(rune('a' + w.IntN(2)))
	}
	return elements
}

func (w *walk) value() string { return string(rune('a' + w.IntN(4))) }
func (w *walk) text() string  { return string(rune('v' + w.IntN(5))) }

func (w *walk) step() error {
	switch n := w.IntN(20); {
	case n == 0:
		w.begin()
		return nil
	case n == 1:
		w.see()
	case n == 2 && !w.passed:
		w.turnTo(w.stored())
	case n == 3:
		return w.commit()
	case n == 4:
		w.pass()
	case n == 5:
		return w.claim(w.IntN(len(w.fields.all())))
	case n == 6:
		return w.ensure()
	default:
		i := w.IntN(len(w.fields.all()))
		w.change(i)
		return w.compare(i)
	}
	for i := range w.fields.all() {
		if err := w.compare(i); err != nil {
			return err
		}
	}
	return nil
}

// change makes one random change of the field.
func (w *walk) change(i int) {
	f, truth := w.fields.all()[i], w.truth.all()[i]
	last := change{op: changeSet, value: w.value(), count: int64(w.IntN(5) - 2)}
	var inModel func(*plain) string
	text := "" // of a map's element
	switch {
	case w.IntN(6) == 0:
		w.draft.clear(f)
		inModel = func(m *plain) string {
			m.remove(truth)
			if f.Key == "theme" {
				m.broken = nil
			}
			return "clear " + f.Key
		}
		w.make(f, "", inModel)
		last = change{op: changeRemove}
	case w.IntN(10) == 0:
		w.take(f, truth)
		return
	case truth.first: // is ensured
		return
	case f.mapped:
		inModel, text, last = w.changeMap(f, truth, last)
	case truth.counter:
		inModel, last = w.changeCounter(f, truth, last)
	default:
		inModel, last = w.changeScalar(f, truth, last)
	}
	if last.op != changeRemove {
		w.make(f, text, inModel)
	}
	inModel(w.model)
	if w.mutant.after != nil && last.op != changeRemove {
		w.mutant.after(&w.draft, f, last)
	}
}

// take takes what the field reads as, if that is anything: then it is known.
func (w *walk) take(f, truth *Field) {
	if !w.draft.answers(f) && !w.draft.known {
		w.see()
	}
	if !w.reads(f) || w.model.broken != nil && f.Key == "theme" {
		return
	}
	if w.mutant.take != nil {
		w.mutant.take(&w.draft, f)
	} else {
		w.draft.take(f)
	}
	if !f.mapped {
		w.taken(whole(truth))
		return
	}
	for text := range w.model.read(truth).(map[string]any) {
		w.taken(elementOf(truth, text))
	}
}

// taken has the model let go what a part reads as.
func (w *walk) taken(p part) {
	inModel := w.taking(p)
	w.make(p.Field, p.text, inModel)
	inModel(w.model)
}

func (w *walk) taking(p part) func(*plain) string {
	key, was := p.keys()
	read := w.before.lasting(stored(w.before.entries, p.Field, key, was))
	return func(m *plain) string {
		m.take(p.Field, key, was, read)
		return fmt.Sprintf("take %s, of which %v was stored", key, read)
	}
}

// reads reports whether there is something to read of the field.
func (w *walk) reads(f *Field) (ok bool) {
	switch {
	case f.mapped:
		_, ok = w.draft.elements(f)
	case f.counter:
		_, ok = w.draft.count(f)
	default:
		_, ok = w.draft.scalar(f)
	}
	return ok
}

func (w *walk) changeScalar(f, truth *Field, last change) (func(*plain) string, change) {
	if f.Key == "theme" {
		switch w.IntN(6) {
		case 0:
			last.value = "light"
		case 1:
			last.value, last.err = "too long", &LimitError{Field: f.Key, Limit: 1, Err: ErrTooLarge}
		}
	}
	if f.Key == "recent" && w.IntN(4) == 0 {
		w.draft.replace(f, last.value, nil)
		return func(m *plain) string {
			m.put(f.Key, truth.Was, last.value)
			return fmt.Sprintf("replace %s by %s", f.Key, last.value)
		}, last
	}
	ends := w.endOf(truth)
	w.draft.set(f, last.value, last.err)
	return func(m *plain) string {
		value, fixed := last.value, true
		if truth.fold != nil {
			stored, _ := m.read(truth).(string)
			value, _ = truth.fold(MessagePack, stored, value)
			fixed = m.fixed[f.Key]
		}
		if f.Key == "theme" {
			m.broken = last.err
		}
		switch {
		case last.err != nil:
		case value == truth.defaults[MessagePack]:
			m.remove(truth)
		default:
			m.put(f.Key, truth.Was, until(ends, value))
			m.fixed[f.Key] = fixed
		}
		return fmt.Sprintf("set %s to %s %v", f.Key, last.value, last.err)
	}, last
}

func (w *walk) changeCounter(f, truth *Field, last change) (func(*plain) string, change) {
	if w.IntN(2) == 0 {
		last.op = changeAdd
		w.draft.addCount(f, last.count)
		return func(m *plain) string {
			m.add(f.Key, last.count, true)
			return fmt.Sprintf("add %d to %s", last.count, f.Key)
		}, last
	}
	w.draft.setCount(f, last.count)
	return func(m *plain) string {
		m.remove(truth)
		if last.count != 0 {
			m.put(f.Key, truth.Was, last.count)
		}
		return fmt.Sprintf("set %s to %d", f.Key, last.count)
	}, last
}

func (w *walk) changeMap(f, truth *Field, last change) (_ func(*plain) string, text string, _ change) {
	if w.IntN(5) == 0 {
		inModel, last := w.changeWholeMap(f, truth, last)
		return inModel, "", last
	}
	text = w.text()
	ends := w.endOf(truth)
	key, was := elementKeys(truth, text)
	switch {
	case w.IntN(4) == 0:
		last.op = changeRemove
	case f.counter && w.IntN(2) == 0:
		last.op = changeAdd
	}
	w.draft.setElement(f, text, last)
	inModel := func(m *plain) string {
		switch {
		case last.op == changeRemove:
			m.drop(key, was)
		case last.op == changeAdd:
			m.add(key, last.count, false)
		case f.counter:
			m.put(key, was, last.count)
		default:
			m.put(key, was, until(ends, last.value))
		}
		return fmt.Sprintf("element %s: %v %s %d", key, last.op, last.value, last.count)
	}
	if last.op == changeRemove {
		w.make(f, text, inModel)
	}
	return inModel, text, last
}

func (w *walk) changeWholeMap(f, truth *Field, last change) (func(*plain) string, change) {
	elements := map[string]change{}
	for range w.IntN(prefsMax) {
		elements[w.text()] = change{op: changeSet, value: w.value(), count: int64(w.IntN(3))}
	}
	ends := w.endOf(truth)
	w.draft.replaceElements(f, maps.Clone(elements))
	return func(m *plain) string {
		m.remove(truth)
		for text, c := range elements {
			if f.counter {
				m.entries[f.Key+":"+text] = c.count
			} else {
				m.entries[f.Key+":"+text] = until(ends, c.value)
			}
		}
		return fmt.Sprintf("set %s to %v", f.Key, elements)
	}, last
}

// compare holds one field of the draft to the model as far as it can know it:
// what it reads as and whether it is dirty (V1, V3, V4, V5).
func (w *walk) compare(i int) error {
	f, truth := w.fields.all()[i], w.truth.all()[i]
	if w.model.broken != nil && f.Key == "theme" {
		if !w.draft.dirty(f) {
			return errors.New("a value that cannot be stored is withdrawn")
		}
		return nil
	}
	want := w.model.read(truth)
	if w.draft.known || w.draft.answers(f) {
		if got := w.read(f); !same(got, texts(want)) {
			return fmt.Errorf("%s reads as %v, not %v", f.Key, got, want)
		}
	}
	judged := w.draft.known && (truth.TTL == 0 || !w.passed) // what ends is as it was, and stays a change
	if changed := !same(want, w.before.read(truth)); judged && w.draft.dirty(f) != changed {
		return fmt.Errorf("%s: dirty is %v, changed is %v", f.Key, !changed, changed)
	}
	return nil
}

func same(a, b any) bool {
	m, ok := a.(map[string]any)
	if !ok {
		return a == b
	}
	n, ok := b.(map[string]any)
	return ok && maps.Equal(m, n)
}

func (w *walk) read(f *Field) any {
	switch {
	case f.mapped:
		seen := map[string]any{}
		list, _ := w.draft.elements(f)
		for _, e := range list {
			if f.counter {
				seen[e.text] = e.count
			} else {
				seen[e.text] = e.value
			}
		}
		return seen
	case f.counter:
		n, _ := w.draft.count(f)
		return n
	default:
		if v, ok := w.draft.scalar(f); ok {
			return v
		}
	}
	return nil
}

// commit applies the operations to what is stored, or to what others have made of
// it meanwhile.
func (w *walk) commit() error {
	if w.draft.needsRecord() {
		w.see()
	}
	now, want := w.before, w.model
	if !w.passed && (!w.draft.known && w.IntN(2) == 0 || w.draft.needsRecord() && w.IntN(4) == 0) {
		now = w.stored()
		want = now.clone()
		for _, change := range w.made {
			change.do(want)
		}
	}
	got, err := w.apply(now)
	switch why, refusal := w.refusal(now, want); {
	case refusal != nil:
		if !errors.Is(err, refusal) {
			return fmt.Errorf("%s: the commit says %v", why, err)
		}
		w.begin()
		return nil
	case errors.Is(err, ErrTooLarge) && outgrows(want, now), w.hasChanged(now, err):
		w.begin()
		return nil
	case err != nil:
		return fmt.Errorf("commit on %v: %w", now.entries, err)
	case outgrows(got, now):
		return errors.New("prefs has outgrown its limit")
	}
	for _, f := range w.truth.all() {
		// What was withdrawn of what was seen is not made of what others have stored
		// since.
		if (now == w.before || !w.draft.known) && !sameStored(got.read(f), want.read(f)) {
			return fmt.Errorf("on %v: %s is stored as %v, not %v", now.entries, f.Key, got.read(f), want.read(f))
		}
	}
	if key := w.remains(got); key != "" {
		return fmt.Errorf("%s has ended, and is still stored: %v", key, got.entries)
	}
	if v, found := got.entries["theme"]; found && v == "light" {
		return errors.New("a default is stored")
	}
	w.begin()
	return nil
}

// refusal returns the error that the commit must have, nil for none, and why.
func (w *walk) refusal(now, want *plain) (why string, err error) {
	if want.broken != nil {
		return "a value is too long", ErrTooLarge
	}
	for _, f := range w.truth.all() {
		for _, p := range w.draft.pending {
			if p.field.Key == f.Key && w.overtaken(now, f, &p) {
				return f.Key + " was merged into what is no longer stored, or taken of it", ErrConflict
			}
		}
	}
	return "", nil
}

// overtaken reports whether something else is stored now of what the pending change
// was made of.
func (w *walk) overtaken(now *plain, f *Field, p *pending) bool {
	differs := func(key, was string, c change) bool {
		if c.op != changeFold && !w.draft.goes(p.field, key, was, c) {
			return false
		}
		return now.entries[key] != w.before.entries[key] || now.entries[was] != w.before.entries[was]
	}
	for text := range p.elements {
		if key, was := elementKeys(f, text); differs(key, was, p.element(text)) {
			return true
		}
	}
	return differs(f.Key, f.Was, p.scalar.effective())
}

// outgrows reports whether the limited field has grown beyond its limit.
func outgrows(after, before *plain) bool {
	n := count(after, "prefs:")
	return n > prefsMax && n > count(before, "prefs:")
}

func count(m *plain, prefix string) (n int) {
	for key := range m.entries {
		if strings.HasPrefix(key, prefix) {
			n++
		}
	}
	return n
}

func (w *walk) apply(now *plain) (*plain, error) {
	if !w.fields.unconditional && w.mutant.ops == nil {
		var delta Delta
		entries, err := w.draft.on(now.record().Entries, nil, &delta, 0)
		return w.plainOf(entries), err
	}
	ops, _, err := w.draft.ops(nil)
	if err != nil {
		return nil, err
	}
	if w.mutant.ops != nil {
		ops = w.mutant.ops(ops)
	}
	for i := range ops {
		if w.fields.unconditional {
			ops[i].If = nil
		}
	}
	entries, _, err := now.record().Entries.apply(&Delta{Ops: ops, Limits: w.draft.limits()})
	return w.plainOf(entries), err
}

func TestSealedValueFollowsTheID(t *testing.T) {
	ring, err := newKeyRing("kind", [][]byte{binary.BigEndian.AppendUint64(make([]byte, 24), 1)})
	if err != nil {
		t.Fatal(err)
	}
	id := newID()
	d := draft{sealer: sealer{ring: ring, id: &id}, known: true}
	f := &Field{Key: "secret", Secret: true}
	d.set(f, "value", nil)
	id = newID() // a session that begins anew has another one
	var delta Delta
	entries, err := d.on(Entries{}, nil, &delta, 0)
	if err != nil {
		t.Fatal(err)
	}
	d = draft{sealer: sealer{ring: ring, id: &id}}
	d.see(&Record{Entries: entries})
	if value, ok := d.scalar(f); !ok || value != "value" {
		t.Errorf("the sealed value reads as %q, %v", value, ok)
	}
}

// T8: a sign-in joins only if everything that it sets can be compared with what is
// stored, which a sealed value cannot.
func TestWhatASignInSetsHasToBeComparable(t *testing.T) {
	user := &Field{Key: "user_id", Index: true, Renew: true}
	secret := &Field{Key: "secret", Secret: true, Renew: true}
	for _, c := range []struct {
		sets  []*Field
		joins bool
	}{
		{[]*Field{user}, true},
		{[]*Field{user, secret}, false},
		{[]*Field{secret}, false},
	} {
		d := &draft{}
		for _, f := range c.sets {
			p := d.of(f)
			p.scalar, p.signIn = change{op: changeSet, value: "v"}, true
		}
		s := d.signIn([]*Field{user, secret})
		if s.Joins != c.joins || len(s.Fields) != 2 {
			t.Errorf("a sign-in that sets %d fields: %+v, want Joins %v", len(c.sets), s, c.joins)
		}
	}
}

// R12: a handler that failed has lost nothing if it had changed nothing.
func TestWhatIsNoChangeIsNotDropped(t *testing.T) {
	for _, c := range []struct {
		change change
		others bool
	}{
		{change{}, false},
		{change{op: changeSet, value: "v"}, true},
	} {
		d := &draft{}
		d.of(&Field{Key: "theme"}).scalar = c.change
		if got := d.keepSignOuts(); got != c.others || len(d.pending) > 0 {
			t.Errorf("%+v: others %v, and %d are left", c.change, got, len(d.pending))
		}
	}
}
