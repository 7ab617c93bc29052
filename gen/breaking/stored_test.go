package breaking

import (
	"context"
	"math"
	"time"

	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/codec"
)

// A property is a field of a session.
type property struct {
	part
	counts    bool // it is a counter, or a map of them
	index     bool
	secret    bool
	ttl       bool
	byDefault any // of a basic type, as [schema.Literal] has it; nil: zero
}

// A session is what one program declares.
type declared struct {
	properties []*property
	reserved   []string
}

// schemaOf is the session as generating code knows it.
func (d *declared) schemaOf() *schema.Session {
	s := &schema.Session{Name: "Visitor", Struct: "Visitor", Kind: "k", Policy: schema.Policy{Reserved: d.reserved}}
	for _, p := range d.properties {
		f := &schema.Field{Name: "F" + p.key, Key: p.key, Was: p.was, Type: p.typ.schemaOf(), Index: p.index, Secret: p.secret}
		f.Shape = p.shape()
		if p.ttl {
			f.TTL = time.Hour
		}
		if p.byDefault != nil {
			f.Default = &schema.Literal{Value: p.byDefault}
		}
		s.Fields = append(s.Fields, f)
	}
	return s
}

func (p *property) shape() schema.Shape {
	switch {
	case p.typ.form == schema.MapOf && p.counts:
		return schema.CounterMap
	case p.typ.form == schema.MapOf:
		return schema.Map
	case p.typ.form == schema.Slice:
		return schema.List
	case p.counts:
		return schema.Counter
	default:
		return schema.Value
	}
}

// defaultValue is what the field reads if nothing is stored.
func (p *property) defaultValue() val {
	switch v := p.byDefault.(type) {
	case time.Duration:
		return val{leaf: int64(v)}
	default:
		return val{leaf: v}
	}
}

// A live is a session of a request.
type live struct{ core *runtime.Session }

// A program stores and reads the sessions of one declaration, as its generated code
// does.
type program struct {
	*declared
	model   *runtime.Model[live]
	manager *runtime.Manager[live]
	fields  []accessor // of the properties
}

// An accessor is a field of the runtime.
type accessor struct {
	field any // *runtime.Value[val] and the like
	get   func(*runtime.Session) val
	set   func(*runtime.Session, val)
}

func newProgram(d *declared, kind string, store runtime.Store) (p *program, err error) {
	p = &program{declared: d}
	var fields []any
	for _, property := range d.properties {
		a := property.accessor()
		p.fields = append(p.fields, a)
		fields = append(fields, a.field)
	}
	p.model = modelOf(runtime.NewModel[live], kind, fields)
	p.manager, err = runtime.NewManager(p.model, store, nil, func(c *runtime.Config) {
		c.Keys = [][]byte{[]byte("one key of these tests, 32 bytes.")[:32]}
		c.OnEvent = func(context.Context, runtime.Event) {}
	})
	return p, err
}

// modelOf calls NewModel, whose type of fields has no name here.
func modelOf[F any](newModel func(string, func(*runtime.Session) live, ...F) *runtime.Model[live], kind string, fields []any) *runtime.Model[live] {
	var typed []F
	for _, f := range fields {
		typed = append(typed, f.(F))
	}
	return newModel(kind, func(core *runtime.Session) live { return live{core} }, typed...)
}

func (p *property) accessor() accessor {
	field := runtime.Field{Key: p.key, Was: p.was, Index: p.index, Secret: p.secret}
	if p.ttl {
		field.TTL = time.Hour
	}
	switch p.shape() {
	case schema.Counter:
		return counters[p.typ.basic](field)
	case schema.CounterMap:
		return counterMaps[p.typ.elem.basic](field, keyCodecs[p.typ.basic])
	case schema.List:
		f := &runtime.List[[]val, val]{Field: field, Codec: listCodec(p.typ)}
		return accessor{f,
			func(s *runtime.Session) val { return val{list: f.Snapshot(s)} },
			func(s *runtime.Session, v val) { f.Set(s, v.list) }}
	case schema.Map:
		f := &runtime.Map[any, val]{Field: field, Keys: keyCodecs[p.typ.basic], Codec: p.typ.elem.codecOf()}
		return accessor{f,
			func(s *runtime.Session) val { return val{entries: itemsOf(s, f.Snapshot(s), f.Item)} },
			func(s *runtime.Session, v val) { f.Set(s, v.entries) }}
	default:
		f := &runtime.Value[val]{Field: field, Codec: p.typ.whole(), Default: p.defaultValue()}
		return accessor{f, f.Get, f.Set}
	}
}

func listCodec(n *node) runtime.Codec[[]val] { return codec.Slice[[]val](n.elem.codecOf()) }

// itemsOf returns the elements of a map that are also found one by one.
func itemsOf[V any](s *runtime.Session, all map[any]V, item func(*runtime.Session, any) (V, bool)) map[any]V {
	found := map[any]V{}
	for k := range all {
		if v, ok := item(s, k); ok {
			found[k] = v
		}
	}
	return found
}

func counter[T runtime.Integer](field runtime.Field) accessor {
	f := &runtime.Counter[T]{Field: field}
	return accessor{f,
		func(s *runtime.Session) val { return val{leaf: int64(f.Get(s))} },
		func(s *runtime.Session, v val) { f.Set(s, T(integer(v.leaf))) }}
}

func counterMap[T runtime.Integer](field runtime.Field, keys runtime.KeyCodec[any]) accessor {
	f := &runtime.CounterMap[any, T]{Field: field, Keys: keys}
	return accessor{f,
		func(s *runtime.Session) val {
			v := val{entries: map[any]val{}}
			for k, n := range itemsOf(s, f.Snapshot(s), f.Item) {
				v.entries[k] = val{leaf: int64(n)}
			}
			return v
		},
		func(s *runtime.Session, v val) {
			m := map[any]T{}
			for k, n := range v.entries {
				m[k] = T(integer(n.leaf))
			}
			f.Set(s, m)
		}}
}

func integer(leaf any) int64 {
	if n, ok := leaf.(uint64); ok {
		return int64(min(n, math.MaxInt64))
	}
	n, _ := leaf.(int64)
	return n
}

var counters = map[string]func(runtime.Field) accessor{
	"int": counter[int], "int8": counter[int8], "int16": counter[int16], "int32": counter[int32], "int64": counter[int64],
	"uint8": counter[uint8], "uint16": counter[uint16], "uint32": counter[uint32],
}

var counterMaps = map[string]func(runtime.Field, runtime.KeyCodec[any]) accessor{
	"int": counterMap[int], "int8": counterMap[int8], "int16": counterMap[int16], "int32": counterMap[int32], "int64": counterMap[int64],
	"uint8": counterMap[uint8], "uint16": counterMap[uint16], "uint32": counterMap[uint32],
}

// anyKeys are the keys of a map field, without a type of their own.
type anyKeys[K, L comparable] struct {
	keys runtime.KeyCodec[K]
	to   func(K) L
	from func(L) K
}

func (c anyKeys[K, L]) Text(f runtime.Format, k any) string {
	return c.keys.Text(f, c.from(k.(L)))
}

func (c anyKeys[K, L]) Parse(f runtime.Format, text string) (any, error) {
	k, err := c.keys.Parse(f, text)
	return c.to(k), err
}

func (c anyKeys[K, L]) Compare(a, b any) int { return c.keys.Compare(c.from(a.(L)), c.from(b.(L))) }

func intKeys[K signed]() runtime.KeyCodec[any] {
	return anyKeys[K, int64]{codec.IntKey[K](), func(k K) int64 { return int64(k) }, func(n int64) K { return K(n) }}
}

func uintKeys[K unsigned]() runtime.KeyCodec[any] {
	return anyKeys[K, uint64]{codec.UintKey[K](), func(k K) uint64 { return uint64(k) }, func(n uint64) K { return K(n) }}
}

var keyCodecs = map[string]runtime.KeyCodec[any]{
	"string": anyKeys[string, string]{codec.StringKey[string](), same[string], same[string]},
	"int":    intKeys[int](), "int8": intKeys[int8](), "int16": intKeys[int16](), "int64": intKeys[int64](),
	"uint8": uintKeys[uint8](), "uint16": uintKeys[uint16](), "uint64": uintKeys[uint64](),
}
