package example

import (
	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/codec"
)

// Encode returns a value of the type, as [Empty] and [Typical] make them, in a
// format of the runtime.
func Encode(t *schema.Type, f runtime.Format, v any) ([]byte, error) {
	return codecOf(t).Append(nil, f, v)
}

// Key returns how the key of an entry of a map field ends.
func Key(f runtime.Format, key any) string {
	switch k := key.(type) {
	case int64:
		return codec.IntKey[int64]().Text(f, k)
	case uint64:
		return codec.UintKey[uint64]().Text(f, k)
	default:
		text, _ := key.(string)
		return codec.StringKey[string]().Text(f, text)
	}
}

// codecOf puts the runtime's codec of a type together, for values without a Go
// type of their own.
func codecOf(t *schema.Type) runtime.Codec[any] {
	switch t.Form {
	case schema.Bytes:
		return anyOf(codec.Bytes[[]byte]())
	case schema.Time:
		return anyOf(codec.Time())
	case schema.Pointer:
		return anyOf(codec.Pointer(codecOf(t.Elem)))
	case schema.Slice:
		return anyOf(codec.Slice[[]any](codecOf(t.Elem)))
	case schema.Array:
		return anyOf(codec.Array(codecOf(t.Elem), func(v *[]any) []any { return *v }))
	case schema.MapOf:
		return mapCodec(t)
	case schema.Struct:
		members := make([]codec.StructMember[[]any], len(t.Members))
		for i, m := range t.Members {
			members[i] = codec.Member(m.Key, codecOf(m.Type), func(v *[]any) *any { return &(*v)[i] })
		}
		return anyOf(codec.Struct(members...))
	default:
		return basicCodec(t.Basic)
	}
}

func basicCodec(name string) runtime.Codec[any] {
	switch name {
	case "bool":
		return anyOf(codec.Bool[bool]())
	case "string":
		return anyOf(codec.String[string]())
	case "int8", "int16", "int", "int32", "int64":
		return anyOf(codec.Int[int64]())
	case "float32":
		return anyOf(codec.Float[float32]())
	case "float64":
		return anyOf(codec.Float[float64]())
	case "complex64":
		return codec.Convert(codec.Complex[complex64](),
			func(c complex64) any { return complex128(c) },
			func(v any) complex64 { return complex64(v.(complex128)) })
	case "complex128":
		return anyOf(codec.Complex[complex128]())
	default:
		return anyOf(codec.Uint[uint64]())
	}
}

// anyOf is the codec for values whose dynamic type is T. Others count as zero.
func anyOf[T any](c runtime.Codec[T]) runtime.Codec[any] {
	return codec.Convert(c, func(v T) any { return v }, func(v any) T {
		typed, _ := v.(T)
		return typed
	})
}

func mapCodec(t *schema.Type) runtime.Codec[any] {
	elem := codecOf(t.Elem)
	switch t.Key.Basic {
	case "string":
		return entriesOf(codec.Map[map[string]any](codec.StringKey[string](), elem))
	case "int", "int8", "int16", "int32", "int64":
		return entriesOf(codec.Map[map[int64]any](codec.IntKey[int64](), elem))
	default:
		return entriesOf(codec.Map[map[uint64]any](codec.UintKey[uint64](), elem))
	}
}

func entriesOf[K comparable](c runtime.Codec[map[K]any]) runtime.Codec[any] {
	return codec.Convert(c, func(m map[K]any) any {
		var entries []Entry
		for k, v := range m {
			entries = append(entries, Entry{k, v})
		}
		return entries
	}, func(v any) map[K]any {
		entries, _ := v.([]Entry)
		m := map[K]any{}
		for _, e := range entries {
			m[e.Key.(K)] = e.Value
		}
		return m
	})
}
