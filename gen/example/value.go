// Package example has an example of every type that a session can store, empty
// and typical, and what the runtime makes of it in a store. It is what explain
// measures, and what the stored forms that tests hold on to are made of.
package example

import (
	"time"

	"github.com/duckgen/duckgen/gen/schema"
)

// A value of a type is, by the form of the type:
//
//	Basic                 bool, int64, uint64, float32, float64, complex128, string
//	Bytes                 []byte
//	Time                  time.Time
//	Pointer               *any, nil for none
//	Slice, Array, Struct  []any: elements, or members in order
//	MapOf                 []Entry
type value = any

// An Entry is an entry of a map.
type Entry struct{ Key, Value any }

// maxParts bounds how large an example becomes.
const maxParts = 1000

// Empty returns the zero value of a type. It is false for a type that marshals
// itself somewhere, so that only its own code knows its form, and for one that
// is too large to be shown.
func Empty(t *schema.Type) (value, bool) { return build(t, builder{}) }

// Typical returns a value with something in every part, under the same
// condition as [Empty].
func Typical(t *schema.Type) (value, bool) {
	return build(t, builder{typical: true})
}

// Measured is [Typical] with times to the nanosecond, as a clock has them. They
// take more bytes.
func Measured(t *schema.Type) (value, bool) {
	return build(t, builder{typical: true, nanoseconds: 6_000_007})
}

func build(t *schema.Type, b builder) (value, bool) {
	b.left = maxParts
	v := b.value(t)
	return v, b.left > 0
}

// A builder makes one example. It has nothing left where there can be none.
type builder struct {
	typical     bool
	nanoseconds int // of typical times
	left        int
}

func (b *builder) value(t *schema.Type) value {
	if b.left--; b.left <= 0 {
		return nil
	}
	switch t.Form {
	case schema.Basic:
		return b.basic(t.Basic)
	case schema.Bytes:
		return []byte(b.text())
	case schema.Time:
		if b.typical {
			return time.Date(2026, time.January, 2, 15, 4, 5, b.nanoseconds, time.UTC)
		}
		return time.Time{}
	case schema.Pointer:
		if !b.typical {
			return (*any)(nil)
		}
		elem := b.value(t.Elem)
		return &elem
	case schema.Slice:
		return b.slice(t.Elem)
	case schema.Array:
		return b.array(t)
	case schema.MapOf:
		return b.mapping(t)
	case schema.Struct:
		members := make([]any, len(t.Members))
		for i, m := range t.Members {
			members[i] = b.value(m.Type)
		}
		return members
	default:
		b.left = 0
		return nil
	}
}

func (b *builder) text() string {
	if b.typical {
		return "example"
	}
	return ""
}

func (b *builder) slice(elem *schema.Type) value {
	if !b.typical {
		b.value(elem) // only to learn whether there is an example
		return []any(nil)
	}
	return []any{b.value(elem), b.value(elem)}
}

// array fills the first element only, as a literal of the array would.
func (b *builder) array(t *schema.Type) value {
	if t.Len > maxParts {
		b.left = 0
		return nil
	}
	elements := make([]any, t.Len)
	first := b.typical
	for i := range elements {
		b.typical = first && i == 0
		elements[i] = b.value(t.Elem)
	}
	b.typical = first
	return elements
}

func (b *builder) mapping(t *schema.Type) value {
	elem := b.value(t.Elem)
	if !b.typical {
		return []Entry(nil)
	}
	return []Entry{{b.value(t.Key), elem}}
}

// basic returns numbers that need most of the width of their type.
func (b *builder) basic(name string) value {
	switch name {
	case "bool":
		return b.typical
	case "string":
		return b.text()
	case "int8":
		return pick(b, int64(42))
	case "int16":
		return pick(b, int64(1000))
	case "int", "int32", "int64":
		return pick(b, int64(100_000))
	case "uint8":
		return pick(b, uint64(42))
	case "uint16":
		return pick(b, uint64(1000))
	case "float32":
		return pick(b, float32(2.5))
	case "float64":
		return pick(b, 0.1)
	case "complex64", "complex128":
		return pick(b, 2.5+1i)
	default:
		return pick(b, uint64(100_000))
	}
}

func pick[T any](b *builder, typical T) value {
	var empty T
	if b.typical {
		return typical
	}
	return empty
}
