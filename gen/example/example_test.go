package example_test

import (
	"testing"

	"github.com/duckgen/duckgen/gen/example"
	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/runtime"
)

func basic(name string) *schema.Type { return &schema.Type{Form: schema.Basic, Basic: name} }

func around(form schema.TypeForm, elem *schema.Type) *schema.Type {
	return &schema.Type{Form: form, Elem: elem}
}

func TestExamplesInJSON(t *testing.T) {
	address := &schema.Type{Form: schema.Struct, Members: []schema.Member{
		{StructField: schema.StructField{Name: "Street", Type: basic("string")}, Key: "Street"},
		{StructField: schema.StructField{Name: "Lines", Type: around(schema.Slice, basic("int8"))}, Key: "lines", Was: "Lines"},
	}}
	array := around(schema.Array, basic("int16"))
	array.Len = 3
	for _, c := range []struct {
		typ            *schema.Type
		empty, typical string
	}{
		{basic("bool"), "false", "true"},
		{basic("string"), `""`, `"example"`},
		{basic("int"), "0", "100000"},
		{basic("uint8"), "0", "42"},
		{basic("uint64"), "0", "100000"},
		{basic("uintptr"), "0", "100000"},
		{basic("float32"), "0", "2.5"},
		{basic("float64"), "0", "0.1"},
		{basic("complex64"), "[0,0]", "[2.5,1]"},
		{basic("complex128"), "[0,0]", "[2.5,1]"},
		{&schema.Type{Form: schema.Bytes}, `""`, `"ZXhhbXBsZQ=="`},
		{&schema.Type{Form: schema.Time}, `"0001-01-01T00:00:00Z"`, `"2026-01-02T15:04:05Z"`},
		{around(schema.Pointer, basic("string")), "null", `"example"`},
		{around(schema.Slice, basic("bool")), "[]", "[true,true]"},
		{array, "[0,0,0]", "[1000,0,0]"},
		{&schema.Type{Form: schema.MapOf, Key: basic("string"), Elem: address}, "{}", `{"example":{"Street":"example","lines":[42,42]}}`},
		{&schema.Type{Form: schema.MapOf, Key: basic("int64"), Elem: basic("bool")}, "{}", `{"100000":true}`},
		{&schema.Type{Form: schema.MapOf, Key: basic("uint8"), Elem: basic("bool")}, "{}", `{"42":true}`},
		{address, "{}", `{"Street":"example","lines":[42,42]}`},
	} {
		check(t, c.typ, example.Empty, c.empty)
		check(t, c.typ, example.Typical, c.typical)
	}
}

func TestAMeasuredTimeHasNanoseconds(t *testing.T) {
	check(t, &schema.Type{Form: schema.Time}, example.Measured, `"2026-01-02T15:04:05.006000007Z"`)
	check(t, basic("string"), example.Measured, `"example"`)
}

func check(t *testing.T, typ *schema.Type, of func(*schema.Type) (any, bool), want string) {
	t.Helper()
	v, ok := of(typ)
	got, err := example.Encode(typ, runtime.JSON, v)
	if !ok || err != nil || string(got) != want {
		t.Errorf("%+v is %s, not %s (%v, %v)", typ, got, want, ok, err)
	}
}

func TestWhatMarshalsItselfOrIsHugeHasNoExample(t *testing.T) {
	wide := &schema.Type{Form: schema.Struct}
	for range 40 {
		wide.Members = append(wide.Members, schema.Member{StructField: schema.StructField{Name: "X", Type: basic("int")}})
	}
	wider := &schema.Type{Form: schema.Struct}
	for range 40 {
		wider.Members = append(wider.Members, schema.Member{StructField: schema.StructField{Name: "X", Type: wide}})
	}
	huge := around(schema.Array, basic("uint8"))
	huge.Len = 1 << 40
	for name, typ := range map[string]*schema.Type{
		"binary":            {Form: schema.BinaryMarshaler},
		"text":              {Form: schema.TextMarshaler},
		"a slice of these":  around(schema.Slice, &schema.Type{Form: schema.TextMarshaler}),
		"a map to these":    {Form: schema.MapOf, Key: basic("string"), Elem: &schema.Type{Form: schema.TextMarshaler}},
		"a large structure": wider,
		"a large array":     huge,
	} {
		if _, ok := example.Typical(typ); ok {
			t.Errorf("%s has a typical value", name)
		}
	}
	if _, ok := example.Empty(wider); ok {
		t.Error("a large structure has an empty value")
	}
}

func TestKeysOfEntries(t *testing.T) {
	for want, key := range map[string]any{"a": "a", "-7": int64(-7), "7": uint64(7)} {
		if got := example.Key(runtime.MessagePack, key); got != want {
			t.Errorf("%v is %q", key, got)
		}
	}
}
