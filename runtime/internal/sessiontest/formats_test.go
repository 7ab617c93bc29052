package sessiontest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// A storeFormat is a way in which a store may keep values.
type storeFormat struct {
	name string
	wrap func(runtime.Store) runtime.Store
}

// storeFormats are what every rule about values is shown on.
var storeFormats = []storeFormat{
	{"MessagePack", func(s runtime.Store) runtime.Store { return s }},
	{"JSON", func(s runtime.Store) runtime.Store {
		return &jsonStore{Store: s, spell: func(value string) (string, error) { return value, nil }}
	}},
	{"JSON in another spelling", func(s runtime.Store) runtime.Store {
		return &jsonStore{Store: s, spell: respell}
	}},
}

// newStore returns an empty store that keeps values in the format.
func (f storeFormat) newStore(t testing.TB) *spyStore {
	t.Helper()
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	return &spyStore{Store: f.wrap(store)}
}

// inEveryFormat shows a rule on a site for each format.
func inEveryFormat(t *testing.T, show func(t *testing.T, s *site), configure ...func(*runtime.Config)) {
	t.Helper()
	for _, format := range storeFormats {
		t.Run(format.name, func(t *testing.T) { show(t, newSiteOn(t, format.newStore(t), configure...)) })
	}
}

// A jsonStore keeps JSON in a spelling of its own. Like a database it compares
// conditions with what it keeps, which is what it has handed out.
type jsonStore struct {
	runtime.Store
	spell func(value string) (string, error)
}

func (s *jsonStore) Format() runtime.Format { return runtime.JSON }

// Unwrap keeps the abilities of the store.
func (s *jsonStore) Unwrap() runtime.Store { return s.Store }

func (s *jsonStore) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	var entries []runtime.Entry
	for e := range r.Entries.All() {
		kept, err := s.keep(e)
		if err != nil {
			return err
		}
		entries = append(entries, kept)
	}
	respelled := *r
	respelled.Entries = runtime.NewEntries(entries...)
	return s.Store.Create(ctx, key, &respelled)
}

func (s *jsonStore) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	respelled := *d
	respelled.Ops = slices.Clone(d.Ops)
	for i := range respelled.Ops {
		op := &respelled.Ops[i]
		if op.Kind != runtime.OpSet {
			continue
		}
		var err error
		if op.Entry, err = s.keep(op.Entry); err != nil {
			return nil, err
		}
	}
	return s.Store.Update(ctx, key, &respelled)
}

func (s *jsonStore) keep(e runtime.Entry) (runtime.Entry, error) {
	if e.Kind == runtime.CounterEntry {
		return e, nil
	}
	value, err := s.spell(e.Value)
	e.Value = value
	return e, err
}

// respell writes JSON as Postgres jsonb does: the members of an object by the
// length of their names and then by these, numbers without an exponent, a blank
// after each colon and comma. Like jsonb it refuses NUL and what is not UTF-8.
func respell(value string) (string, error) {
	d := json.NewDecoder(strings.NewReader(value))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	if err != nil || !json.Valid([]byte(value)) || !utf8.ValidString(value) || holdsNUL(value) {
		return "", fmt.Errorf("refused as jsonb: %q: %v", value, err)
	}
	var b bytes.Buffer
	writeSpelled(&b, v)
	return b.String(), nil
}

func holdsNUL(value string) bool {
	d := json.NewDecoder(strings.NewReader(value))
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		if text, ok := token.(string); ok && strings.Contains(text, "\x00") {
			return true
		}
	}
}

func writeSpelled(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.SortFunc(names, func(x, y string) int {
			if len(x) != len(y) {
				return len(x) - len(y)
			}
			return strings.Compare(x, y)
		})
		b.WriteByte('{')
		for i, name := range names {
			separate(b, i)
			writeSpelled(b, name)
			b.WriteString(": ")
			writeSpelled(b, v[name])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			separate(b, i)
			writeSpelled(b, item)
		}
		b.WriteByte(']')
	case json.Number:
		b.WriteString(withoutExponent(string(v)))
	default:
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			panic(err) // a decoded string, bool or null
		}
		b.Truncate(b.Len() - len("\n"))
	}
}

func separate(b *bytes.Buffer, i int) {
	if i > 0 {
		b.WriteString(", ")
	}
}

// withoutExponent spells 1.5e-7 as 0.00000015 and 2e3 as 2000.
func withoutExponent(number string) string {
	n, ok := new(big.Rat).SetString(number)
	if !ok || !strings.ContainsAny(number, "eE") {
		return number
	}
	digits, _ := n.FloatPrec()
	return n.FloatString(digits)
}
