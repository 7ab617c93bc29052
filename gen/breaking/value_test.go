package breaking

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/codec"
)

// A node is a type that values are drawn of and stored as, without a Go type of its
// own: all values are a val.
type node struct {
	form    schema.TypeForm
	basic   string // also the basic type of a map's keys
	elem    *node
	size    int64 // of an array
	members []*part
}

// A part is a member of a struct or a field of a session. Its identity stays the same
// in the later struct, whatever it is called there.
type part struct {
	identity int
	key, was string
	typ      *node
}

// A val is a value of any type.
type val struct {
	leaf    any // int64, uint64, float64, complex128, bool, string, []byte, time.Time
	list    []val
	entries map[any]val
	pointer *val
}

// The types that marshal themselves.
type (
	word string
	blob string
)

func (w word) MarshalText() ([]byte, error)       { return []byte(w), nil }
func (w *word) UnmarshalText(b []byte) error      { *w = word(b); return nil }
func (b blob) MarshalBinary() ([]byte, error)     { return []byte(b), nil }
func (b *blob) UnmarshalBinary(data []byte) error { *b = blob(data); return nil }

// schemaOf is the type as generating code knows it.
func (n *node) schemaOf() *schema.Type {
	t := &schema.Type{Form: n.form, Len: n.size}
	switch n.form {
	case schema.Basic:
		t.Basic = n.basic
	case schema.Pointer, schema.Slice, schema.Array:
		t.Elem = n.elem.schemaOf()
	case schema.MapOf:
		t.Key, t.Elem = &schema.Type{Form: schema.Basic, Basic: n.basic}, n.elem.schemaOf()
	case schema.Struct:
		for _, m := range n.members {
			member := schema.StructField{Name: "M" + m.key, Type: m.typ.schemaOf()}
			t.Members = append(t.Members, schema.Member{StructField: member, Key: m.key, Was: m.was})
		}
	case schema.TextMarshaler:
		t.Name = &schema.Name{Path: "x", Package: "x", Name: "Word"}
	case schema.BinaryMarshaler:
		t.Name = &schema.Name{Path: "x", Package: "x", Name: "Blob"}
	}
	return t
}

// codecOf puts together the codec that generated code has for a part of the type.
func (n *node) codecOf() runtime.Codec[val] {
	if l, ok := n.whole().(leafCodec); ok {
		return l.Codec
	}
	return n.whole()
}

// whole puts together the codec that generated code has for a field of the type.
func (n *node) whole() runtime.Codec[val] {
	switch n.form {
	case schema.Bytes:
		return leaf(codec.Bytes[[]byte](), same[[]byte], same[[]byte])
	case schema.Time:
		return leaf(codec.Time(), same[time.Time], same[time.Time])
	case schema.TextMarshaler:
		return leaf(codec.Text[word](), func(w word) string { return string(w) }, func(s string) word { return word(s) })
	case schema.BinaryMarshaler:
		return leaf(codec.Binary[blob](), func(b blob) []byte { return []byte(b) }, func(b []byte) blob { return blob(b) })
	case schema.Pointer:
		return codec.Convert(codec.Pointer(n.elem.codecOf()),
			func(p *val) val { return val{pointer: p} }, func(v val) *val { return v.pointer })
	case schema.Slice:
		return codec.Convert(codec.Slice[[]val](n.elem.codecOf()),
			func(list []val) val { return val{list: list} }, func(v val) []val { return v.list })
	case schema.Array:
		return codec.Array(n.elem.codecOf(), func(v *val) []val { return v.places(int(n.size)) })
	case schema.MapOf:
		return mapCodecs[n.basic](n.elem.codecOf())
	case schema.Struct:
		members := make([]codec.StructMember[val], len(n.members))
		for i, m := range n.members {
			members[i] = codec.Member(m.key, m.typ.codecOf(), func(v *val) *val { return &v.places(len(n.members))[i] })
			if m.was != "" {
				members[i] = members[i].Was(m.was)
			}
		}
		return codec.Struct(members...)
	default:
		return basicCodecs[n.basic]
	}
}

// places returns the elements of an array or the members of a struct, n of them.
func (v *val) places(n int) []val {
	if v.list == nil {
		v.list = make([]val, n)
	}
	return v.list
}

func same[T any](v T) T { return v }

// leaf stores a val as what its leaf stands for. One without a leaf is zero.
func leaf[T, L any](c runtime.Codec[T], to func(T) L, from func(L) T) runtime.Codec[val] {
	value := func(v val) (t T) {
		if l, ok := v.leaf.(L); ok {
			t = from(l)
		}
		return t
	}
	l := leafCodec{Codec: codec.Convert(c, func(v T) val { return val{leaf: to(v)} }, value)}
	if c, ok := c.(interface {
		Others(f runtime.Format, v T) []string
	}); ok {
		l.others = func(f runtime.Format, v val) []string { return c.Others(f, value(v)) }
	}
	return l
}

// A leafCodec also has the other encodings of a value, by which an index looks.
type leafCodec struct {
	runtime.Codec[val]
	others func(runtime.Format, val) []string // nil: there are none
}

func (c leafCodec) Others(f runtime.Format, v val) []string {
	if c.others == nil {
		return nil
	}
	return c.others(f, v)
}

type (
	signed interface {
		~int | ~int8 | ~int16 | ~int32 | ~int64
	}
	unsigned interface {
		~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64
	}
)

func ofInt[T signed]() runtime.Codec[val] {
	return leaf(codec.Int[T](), func(n T) int64 { return int64(n) }, func(n int64) T { return T(n) })
}

func ofUint[T unsigned]() runtime.Codec[val] {
	return leaf(codec.Uint[T](), func(n T) uint64 { return uint64(n) }, func(n uint64) T { return T(n) })
}

var basicCodecs = map[string]runtime.Codec[val]{
	"bool": leaf(codec.Bool[bool](), same[bool], same[bool]),
	"int":  ofInt[int](), "int8": ofInt[int8](), "int16": ofInt[int16](), "int32": ofInt[int32](), "int64": ofInt[int64](),
	"uint": ofUint[uint](), "uint8": ofUint[uint8](), "uint16": ofUint[uint16](), "uint32": ofUint[uint32](), "uint64": ofUint[uint64](),
	"float32":    leaf(codec.Float[float32](), func(v float32) float64 { return float64(v) }, func(v float64) float32 { return float32(v) }),
	"float64":    leaf(codec.Float[float64](), same[float64], same[float64]),
	"complex64":  leaf(codec.Complex[complex64](), func(v complex64) complex128 { return complex128(v) }, func(v complex128) complex64 { return complex64(v) }),
	"complex128": leaf(codec.Complex[complex128](), same[complex128], same[complex128]),
	"string":     leaf(codec.String[string](), same[string], same[string]),
}

func mapOf[K comparable, L comparable](keys runtime.KeyCodec[K], to func(K) L, from func(L) K) func(runtime.Codec[val]) runtime.Codec[val] {
	return func(elem runtime.Codec[val]) runtime.Codec[val] {
		return codec.Convert(codec.Map[map[K]val](keys, elem), func(m map[K]val) val {
			v := val{entries: map[any]val{}}
			for k, e := range m {
				v.entries[to(k)] = e
			}
			return v
		}, func(v val) map[K]val {
			m := map[K]val{}
			for k, e := range v.entries {
				m[from(k.(L))] = e
			}
			return m
		})
	}
}

func mapOfInt[K signed]() func(runtime.Codec[val]) runtime.Codec[val] {
	return mapOf(codec.IntKey[K](), func(k K) int64 { return int64(k) }, func(n int64) K { return K(n) })
}

func mapOfUint[K unsigned]() func(runtime.Codec[val]) runtime.Codec[val] {
	return mapOf(codec.UintKey[K](), func(k K) uint64 { return uint64(k) }, func(n uint64) K { return K(n) })
}

var mapCodecs = map[string]func(runtime.Codec[val]) runtime.Codec[val]{
	"string": mapOf(codec.StringKey[string](), same[string], same[string]),
	"int":    mapOfInt[int](), "int8": mapOfInt[int8](), "int16": mapOfInt[int16](), "int64": mapOfInt[int64](),
	"uint8": mapOfUint[uint8](), "uint16": mapOfUint[uint16](), "uint64": mapOfUint[uint64](),
}

// meaning writes what a value means to a program, so that a value and what a wider
// type reads of it are the same: members go by their identity, a pointer is what it
// points to, and all that is zero is the same.
func (n *node) meaning(v val) string {
	switch n.form {
	case schema.Pointer:
		if v.pointer == nil {
			return ""
		}
		return n.elem.meaning(*v.pointer)
	case schema.Slice, schema.Array:
		return bracket("[", "]", n.eachMeaning(v.list), func(s string) bool { return s != "" })
	case schema.MapOf:
		var texts []string
		for k, e := range v.entries {
			texts = append(texts, fmt.Sprintf("%v:%s", k, n.elem.meaning(e)))
		}
		slices.Sort(texts)
		return bracket("map[", "]", texts, func(string) bool { return true })
	case schema.Struct:
		var texts []string
		for i, m := range n.members {
			if i < len(v.list) {
				if text := m.typ.meaning(v.list[i]); text != "" {
					texts = append(texts, fmt.Sprintf("%03d:%s", m.identity, text))
				}
			}
		}
		slices.Sort(texts)
		return bracket("{", "}", texts, func(string) bool { return true })
	default:
		return meaningOf(v.leaf)
	}
}

func (n *node) eachMeaning(list []val) []string {
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = n.elem.meaning(e)
	}
	return texts
}

// bracket joins texts, to nothing if none of them counts.
func bracket(open, end string, texts []string, counts func(string) bool) string {
	if !slices.ContainsFunc(texts, counts) {
		return ""
	}
	return open + strings.Join(texts, ",") + end
}

func meaningOf(leaf any) string {
	switch v := leaf.(type) {
	case int64:
		return unlessZero(float64(v), strconv.FormatInt(v, 10))
	case uint64:
		return unlessZero(float64(v), strconv.FormatUint(v, 10))
	case float64:
		return floating(v)
	case complex128:
		if re, im := floating(real(v)), floating(imag(v)); re+im != "" {
			return "(" + re + "," + im + ")"
		}
	case bool:
		if v {
			return "true"
		}
	case string:
		if v != "" {
			return strconv.Quote(v)
		}
	case []byte:
		if len(v) > 0 {
			return fmt.Sprintf("%x", v)
		}
	case time.Time:
		if !v.IsZero() {
			return v.UTC().Format(time.RFC3339Nano)
		}
	}
	return ""
}

func unlessZero(v float64, text string) string {
	if v == 0 {
		return ""
	}
	return text
}

// floating writes the digits that tell a float32 apart: JSON has those, and a float64
// reads them.
func floating(v float64) string {
	switch {
	case math.Float64bits(v) == 0:
		return ""
	case v == math.Trunc(v) && v != 0 && math.Abs(v) < 1<<53:
		return strconv.FormatInt(int64(v), 10)
	default:
		return strconv.FormatFloat(v, 'g', -1, 32)
	}
}
