package storedform

import (
	"strings"

	"github.com/duckgen/duckgen/gen/schema"
)

// A Type is how the values of a key are stored. The names of Go types are not
// part of it, except where a type marshals itself.
type Type struct {
	Form    TypeForm
	Name    string // of a basic type or a counter, "int8", or of the Go type that marshals itself
	Len     int64  // of an array
	Key     *Type  // of a map
	Elem    *Type  // of a pointer, slice, array or map
	Members []Member
}

// A Member is a part of a stored struct.
type Member struct {
	Name string
	Was  string // an earlier name that is still read; empty: none
	Type *Type
}

// A TypeForm is the kind of a stored type.
type TypeForm uint8

const (
	Basic TypeForm = iota // a boolean, number or string
	Bytes
	Time
	Count // a counter
	Pointer
	Slice
	Array
	Map // of a map field, each element is an entry
	Struct
	Binary // what the type's MarshalBinary returns
	Text   // what the type's MarshalText returns
)

// Counts reports whether a type is stored as counters, which are entries of a
// kind of their own.
func (t *Type) Counts() bool {
	return t.Form == Count || t.Form == Map && t.Elem.Form == Count
}

// TypeOf returns how the entries of a field are stored.
func TypeOf(f *schema.Field) *Type {
	switch f.Shape {
	case schema.Counter:
		return countOf(f.Type)
	case schema.CounterMap:
		return &Type{Form: Map, Key: typeOf(f.Type.Key), Elem: countOf(f.Type.Elem)}
	default:
		return typeOf(f.Type)
	}
}

// countOf returns the counter of a type. One that holds whatever is stored, which is an
// int64, has no name.
func countOf(t *schema.Type) *Type {
	name := basicName(t.Basic)
	if name == "int64" || name == "int" {
		name = ""
	}
	return &Type{Form: Count, Name: name}
}

func typeOf(t *schema.Type) *Type {
	switch t.Form {
	case schema.Bytes:
		return &Type{Form: Bytes}
	case schema.Time:
		return &Type{Form: Time}
	case schema.Pointer:
		return &Type{Form: Pointer, Elem: typeOf(t.Elem)}
	case schema.Slice:
		return &Type{Form: Slice, Elem: typeOf(t.Elem)}
	case schema.Array:
		return &Type{Form: Array, Len: t.Len, Elem: typeOf(t.Elem)}
	case schema.MapOf:
		return &Type{Form: Map, Key: typeOf(t.Key), Elem: typeOf(t.Elem)}
	case schema.Struct:
		return structOf(t.Members)
	case schema.BinaryMarshaler:
		return &Type{Form: Binary, Name: goType(t)}
	case schema.TextMarshaler:
		return &Type{Form: Text, Name: goType(t)}
	default:
		return &Type{Form: Basic, Name: basicName(t.Basic)}
	}
}

func structOf(members []schema.Member) *Type {
	t := &Type{Form: Struct}
	for _, m := range members {
		t.Members = append(t.Members, Member{m.Key, m.Was, typeOf(m.Type)})
	}
	return t
}

// goType is the name of a Go type without blanks, which end a type in a line.
func goType(t *schema.Type) string { return strings.ReplaceAll(t.Identity(), " ", "") }

// basicName gives a type that has two names one of them.
func basicName(basic string) string {
	switch basic {
	case "byte":
		return "uint8"
	case "rune":
		return "int32"
	default:
		return basic
	}
}
