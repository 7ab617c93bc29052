package breaking

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/gen/storedform"
	"github.com/duckgen/duckgen/internal/parallel"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// verdictSeed and the number of a pair draw that again.
const verdictSeed = 20261128

// TestVerdictsAreWhatHappens draws pairs of an earlier and a later program, stores
// sessions with the one and reads them with the other, in both formats. What is read
// otherwise, or is not found by its index any more, has to be a break of that field.
// Every other pair differs in what docs/breaking.md allows, and must have none.
func TestVerdictsAreWhatHappens(t *testing.T) {
	pairs := testtier.Count(300, 1500, 10000)
	var broken atomic.Int64
	parallel.Do(pairs, func(i int) {
		p := drawPair(i)
		if p.wide && len(p.breaks) > 0 {
			t.Errorf("pair %d is allowed, and is said to break %+v%s", i, p.breaks, p)
		}
		happened, err := p.happens(t)
		if err != nil {
			t.Errorf("pair %d: %v%s", i, err, p)
		}
		for _, h := range happened {
			if !p.says(h) {
				t.Errorf("pair %d: %s, and is said to break %+v%s", i, h.what, p.breaks, p)
				break
			}
		}
		if len(happened) > 0 {
			broken.Add(1)
		}
	})
	if n := broken.Load(); n < int64(pairs/8) {
		t.Errorf("of %d pairs only %d broke anything", pairs, n)
	}
}

// A pair is an earlier and a later program with what is said of them.
type pair struct {
	*drawing
	earlier, later *declared
	breaks         []Break
	kind           string
}

func drawPair(i int) *pair {
	d := &drawing{Rand: rand.New(rand.NewPCG(verdictSeed, uint64(i))), wide: i%2 == 0}
	earlier := d.declared()
	p := &pair{drawing: d, earlier: earlier, later: d.later(earlier), kind: fmt.Sprintf("k%d", i)}
	p.breaks = Compare(printed(p.earlier), printed(p.later))
	return p
}

// printed is the stored form as it is read from the comment that is generated.
func printed(d *declared) storedform.Form {
	forms, err := storedform.Read("f.go", generated("k", linesOf(d)...))
	if err != nil {
		panic(err)
	}
	return forms[0]
}

func linesOf(d *declared) []string { return storedform.Of(d.schemaOf()).Lines() }

func (p *pair) String() string {
	return fmt.Sprintf("\nearlier:\n\t%s\nlater:\n\t%s",
		strings.Join(linesOf(p.earlier), "\n\t"), strings.Join(linesOf(p.later), "\n\t"))
}

// A happening is a value that is not read, or not found, as it was stored.
type happening struct {
	keys  []string // of the field, earlier and later
	index bool     // it is read, and only not found
	what  string
}

// says reports whether the breaks have the field, and more than its index if it is
// read otherwise.
func (p *pair) says(h happening) bool {
	return slices.ContainsFunc(p.breaks, func(b Break) bool {
		named := slices.Contains(strings.FieldsFunc(b.Message, notOfKey), h.keys[0])
		return (named || slices.Contains(h.keys, b.Key)) && (h.index || b.Rule != schema.RuleIndexChanged)
	})
}

func notOfKey(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }

// jsonStore is a store of the other format.
type jsonStore struct{ *memstore.Store }

func (jsonStore) Format() runtime.Format { return runtime.JSON }

// happens returns what becomes of sessions that the earlier program, or the one before
// it, has stored.
func (p *pair) happens(t *testing.T) (all []happening, err error) {
	memory := memstore.New()
	defer func() { _ = memory.Close() }()
	for _, store := range []runtime.Store{memory, jsonStore{memory}} {
		after, err := newProgram(p.later, p.kind, store)
		if err != nil {
			return nil, err
		}
		for _, origin := range []*declared{p.earlier, p.earlier.ancestor()} {
			before, err := newProgram(origin, p.kind, store)
			if err != nil {
				return nil, err
			}
			for _, which := range []int{largest, smallest, mixed, mixed} {
				found, err := p.deploy(t, before, after, which)
				if err != nil {
					return nil, err
				}
				all = append(all, found...)
			}
		}
	}
	return all, nil
}

// deploy stores a session with one program and reads it with the later one.
func (p *pair) deploy(t *testing.T, before, after *program, which int) ([]happening, error) {
	meanings := map[int]string{} // by the identity of fields
	cookie, err := before.manager.NewCookie(t.Context(), func(s *runtime.Session) {
		for i, f := range before.properties {
			v := f.defaultValue()
			if which != mixed || p.IntN(3) > 0 {
				v = p.value(f.typ, which)
				before.fields[i].set(s, v)
			}
			meanings[f.identity] = f.typ.meaning(v)
		}
	})
	if err != nil || cookie == nil { // nothing was stored
		return nil, err
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "https://example.com/", nil)
	r.AddCookie(cookie)
	s := after.model.From(after.manager.ProcessRequest(r).Context()).core
	if err := s.Load(t.Context()); err != nil {
		return nil, err
	}
	return p.compare(t, after, s, meanings, before.declared == p.earlier), nil
}

// compare looks at every field of the later program, and at those that are gone.
func (p *pair) compare(t *testing.T, after *program, s *runtime.Session, meanings map[int]string, indexed bool) (all []happening) {
	for i, f := range p.later.properties {
		was := p.earlierOf(f)
		keys := []string{f.key}
		want := f.typ.meaning(f.defaultValue())
		if was != nil {
			keys, want = []string{was.key, f.key}, meanings[f.identity]
			delete(meanings, f.identity)
		}
		v := after.fields[i].get(s)
		got := f.typ.meaning(v)
		switch {
		case got != want:
			all = append(all, happening{keys: keys, what: fmt.Sprintf("%s means %s and is read as %s", f.key, want, got)})
		case indexed && f.index && got != f.typ.meaning(f.defaultValue()) && !finds(t, after.manager, after.fields[i], v, s):
			all = append(all, happening{keys: keys, index: true, what: fmt.Sprintf("%s is not found by %s", f.key, got)})
		}
	}
	for _, f := range p.earlier.properties {
		if meanings[f.identity] != "" && !slices.Contains(p.later.reserved, f.key) {
			all = append(all, happening{keys: []string{f.key}, what: fmt.Sprintf("%s of %s is gone", meanings[f.identity], f.key)})
		}
	}
	return all
}

func (p *pair) earlierOf(f *property) *property {
	i := slices.IndexFunc(p.earlier.properties, func(e *property) bool { return e.identity == f.identity })
	if i < 0 {
		return nil
	}
	return p.earlier.properties[i]
}

// finds reports whether a session is found by the value that was read of it.
func finds(t *testing.T, m *runtime.Manager[live], a accessor, v val, s *runtime.Session) bool {
	for found, err := range runtime.FindBy(t.Context(), m, a.field.(*runtime.Value[val]), v) {
		if err != nil {
			t.Error(err)
			return false
		}
		if found.core.Handle() == s.Handle() {
			return true
		}
	}
	return false
}
