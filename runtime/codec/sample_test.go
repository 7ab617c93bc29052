package codec_test

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/codec"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var formats = []runtime.Format{runtime.MessagePack, runtime.JSON}

type (
	Level  int8
	Flag   bool
	Name   string
	Secret []byte
	Names  []Name
	Scores map[Name]float64
	Stamp  time.Time
	Choice *int
	Vector [3]float32
)

// Everything has a field of every kind, and Inner is nested in all ways.
type Everything struct {
	Bool     Flag
	Int      int
	Int8     Level
	Int16    int16
	Int32    rune
	Int64    int64
	Uint     uint
	Uint8    uint8
	Uint16   uint16
	Uint32   uint32
	Uint64   uint64
	Uintptr  uintptr
	Float32  float32
	Float64  float64
	Small    complex64
	Large    complex128
	String   Name
	Bytes    Secret
	Time     time.Time
	Wait     time.Duration
	Stamp    Stamp
	Pointer  *int
	Double   **string
	Choice   Choice
	Slice    Names
	Array    Vector
	Strings  map[string]string
	Scores   Scores
	Ints     map[int16]bool
	Uints    map[uint64]Inner
	Inner    Inner
	Inners   []Inner
	Optional *Inner
	Grid     [2][2]Inner
	Address  netip.Addr
	Text     Shout
	Binary   Packed
}

type Inner struct {
	A int
	B string
	C []*Inner2
}

type Inner2 struct {
	X map[string][]int
	Y float64
}

// Shout marshals itself to text without appending.
type Shout struct{ Word string }

func (s Shout) MarshalText() ([]byte, error) { return []byte(s.Word + "!"), nil }

func (s *Shout) UnmarshalText(text []byte) error {
	if len(text) == 0 || text[len(text)-1] != '!' {
		return errNotLoud
	}
	s.Word = string(text[:len(text)-1])
	clear(text) // the text is its own
	return nil
}

var errNotLoud = errors.New("not loud")

// Packed marshals itself to bytes, by appending, and keeps what it is given.
type Packed struct{ Raw []byte }

func (p Packed) MarshalBinary() ([]byte, error) { return nil, errors.New("AppendBinary is preferred") }

func (p Packed) AppendBinary(b []byte) ([]byte, error) { return append(b, p.Raw...), nil }

func (p *Packed) UnmarshalBinary(data []byte) error {
	p.Raw = data
	return nil
}

var (
	_ encoding.BinaryAppender = Packed{}

	inner2Codec = codec.Struct(
		codec.Member("X", codec.Map[map[string][]int](codec.StringKey[string](), codec.Slice[[]int](codec.Int[int]())), func(v *Inner2) *map[string][]int { return &v.X }),
		codec.Member("Y", codec.Float[float64](), func(v *Inner2) *float64 { return &v.Y }),
	)
	innerCodec = codec.Struct(
		codec.Member("A", codec.Int[int](), func(v *Inner) *int { return &v.A }),
		codec.Member("B", codec.String[string](), func(v *Inner) *string { return &v.B }),
		codec.Member("C", codec.Slice[[]*Inner2](codec.Pointer(inner2Codec)), func(v *Inner) *[]*Inner2 { return &v.C }),
	)
	vectorCodec = codec.Array(codec.Float[float32](), func(a *Vector) []float32 { return a[:] })
	stampCodec  = codec.Convert(codec.Time(), func(v time.Time) Stamp { return Stamp(v) }, func(v Stamp) time.Time { return time.Time(v) })
	choiceCodec = codec.Convert(codec.Pointer(codec.Int[int]()), func(v *int) Choice { return v }, func(v Choice) *int { return v })
	gridCodec   = codec.Array(codec.Array(innerCodec, func(a *[2]Inner) []Inner { return a[:] }), func(a *[2][2]Inner) [][2]Inner { return a[:] })

	everythingCodec = codec.Struct(
		codec.Member("Bool", codec.Bool[Flag](), func(v *Everything) *Flag { return &v.Bool }),
		codec.Member("Int", codec.Int[int](), func(v *Everything) *int { return &v.Int }),
		codec.Member("Int8", codec.Int[Level](), func(v *Everything) *Level { return &v.Int8 }),
		codec.Member("Int16", codec.Int[int16](), func(v *Everything) *int16 { return &v.Int16 }),
		codec.Member("Int32", codec.Int[rune](), func(v *Everything) *rune { return &v.Int32 }),
		codec.Member("Int64", codec.Int[int64](), func(v *Everything) *int64 { return &v.Int64 }),
		codec.Member("Uint", codec.Uint[uint](), func(v *Everything) *uint { return &v.Uint }),
		codec.Member("Uint8", codec.Uint[uint8](), func(v *Everything) *uint8 { return &v.Uint8 }),
		codec.Member("Uint16", codec.Uint[uint16](), func(v *Everything) *uint16 { return &v.Uint16 }),
		codec.Member("Uint32", codec.Uint[uint32](), func(v *Everything) *uint32 { return &v.Uint32 }),
		codec.Member("Uint64", codec.Uint[uint64](), func(v *Everything) *uint64 { return &v.Uint64 }),
		codec.Member("Uintptr", codec.Uint[uintptr](), func(v *Everything) *uintptr { return &v.Uintptr }),
		codec.Member("Float32", codec.Float[float32](), func(v *Everything) *float32 { return &v.Float32 }),
		codec.Member("Float64", codec.Float[float64](), func(v *Everything) *float64 { return &v.Float64 }),
		codec.Member("Small", codec.Complex[complex64](), func(v *Everything) *complex64 { return &v.Small }),
		codec.Member("Large", codec.Complex[complex128](), func(v *Everything) *complex128 { return &v.Large }),
		codec.Member("String", codec.String[Name](), func(v *Everything) *Name { return &v.String }),
		codec.Member("Bytes", codec.Bytes[Secret](), func(v *Everything) *Secret { return &v.Bytes }),
		codec.Member("Time", codec.Time(), func(v *Everything) *time.Time { return &v.Time }),
		codec.Member("Wait", codec.Int[time.Duration](), func(v *Everything) *time.Duration { return &v.Wait }),
		codec.Member("Stamp", stampCodec, func(v *Everything) *Stamp { return &v.Stamp }),
		codec.Member("Pointer", codec.Pointer(codec.Int[int]()), func(v *Everything) **int { return &v.Pointer }),
		codec.Member("Double", codec.Pointer(codec.Pointer(codec.String[string]())), func(v *Everything) ***string { return &v.Double }),
		codec.Member("Choice", choiceCodec, func(v *Everything) *Choice { return &v.Choice }),
		codec.Member("Slice", codec.Slice[Names](codec.String[Name]()), func(v *Everything) *Names { return &v.Slice }),
		codec.Member("Array", vectorCodec, func(v *Everything) *Vector { return &v.Array }),
		codec.Member("Strings", codec.Map[map[string]string](codec.StringKey[string](), codec.String[string]()), func(v *Everything) *map[string]string { return &v.Strings }),
		codec.Member("Scores", codec.Map[Scores](codec.StringKey[Name](), codec.Float[float64]()), func(v *Everything) *Scores { return &v.Scores }),
		codec.Member("Ints", codec.Map[map[int16]bool](codec.IntKey[int16](), codec.Bool[bool]()), func(v *Everything) *map[int16]bool { return &v.Ints }),
		codec.Member("Uints", codec.Map[map[uint64]Inner](codec.UintKey[uint64](), innerCodec), func(v *Everything) *map[uint64]Inner { return &v.Uints }),
		codec.Member("Inner", innerCodec, func(v *Everything) *Inner { return &v.Inner }),
		codec.Member("Inners", codec.Slice[[]Inner](innerCodec), func(v *Everything) *[]Inner { return &v.Inners }),
		codec.Member("Optional", codec.Pointer(innerCodec), func(v *Everything) **Inner { return &v.Optional }),
		codec.Member("Grid", gridCodec, func(v *Everything) *[2][2]Inner { return &v.Grid }),
		codec.Member("Address", codec.Binary[netip.Addr](), func(v *Everything) *netip.Addr { return &v.Address }),
		codec.Member("Text", codec.Text[Shout](), func(v *Everything) *Shout { return &v.Text }),
		codec.Member("Binary", codec.Binary[Packed](), func(v *Everything) *Packed { return &v.Binary }),
	)
)

// example has a value other than zero in every field.
func example() Everything {
	n, word := 7, "inside"
	inside := &word
	return Everything{
		Bool: true, Int: -1, Int8: math.MinInt8, Int16: math.MaxInt16, Int32: 'é', Int64: math.MinInt64,
		Uint: 1, Uint8: math.MaxUint8, Uint16: math.MaxUint16, Uint32: math.MaxUint32, Uint64: math.MaxUint64, Uintptr: 9,
		Float32: 0.1, Float64: -1e300, Small: complex(1.5, -2), Large: complex(0, math.Pi),
		String: "Zoë", Bytes: Secret{0, 1, 255},
		Time:  time.Date(2024, 2, 29, 12, 30, 0, 123456789, time.UTC),
		Stamp: Stamp(time.Date(1969, 12, 31, 23, 59, 59, 500, time.UTC)),
		Wait:  time.Minute, Pointer: &n, Double: &inside, Choice: &n,
		Slice: Names{"a", "", "c"}, Array: Vector{1, 2, 3},
		Strings: map[string]string{"b": "2", "a": "1"}, Scores: Scores{"x": 0.5},
		Ints: map[int16]bool{-3: true, 20: false}, Uints: map[uint64]Inner{math.MaxUint64: {A: 1}},
		Inner:    Inner{A: 5, B: "b", C: []*Inner2{nil, {X: map[string][]int{"k": {1, 2}}, Y: 2}}},
		Inners:   []Inner{{}, {B: "only"}},
		Optional: &Inner{},
		Grid:     [2][2]Inner{{{A: 1}, {A: 2}}, {{A: 3}, {A: 4}}},
		Address:  netip.MustParseAddr("192.0.2.1"), Text: Shout{"hey"}, Binary: Packed{[]byte{1, 2}},
	}
}

// sameValue compares values as a session promises to keep them: floats by their
// bits, all NaNs alike, times as instants, empty as nil.
var sameValue = cmp.Options{
	cmp.Comparer(sameFloat[float64]),
	cmp.Comparer(sameFloat[float32]),
	cmp.Comparer(func(a, b complex128) bool { return sameFloat(real(a), real(b)) && sameFloat(imag(a), imag(b)) }),
	cmp.Comparer(func(a, b complex64) bool { return sameFloat(real(a), real(b)) && sameFloat(imag(a), imag(b)) }),
	cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }),
	cmp.Comparer(func(a, b Stamp) bool { return time.Time(a).Equal(time.Time(b)) }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmpopts.EquateEmpty(),
}

func sameFloat[T float32 | float64](a, b T) bool {
	return a != a && b != b || math.Float64bits(float64(a)) == math.Float64bits(float64(b))
}

// encode appends a value to bytes that must stay, and returns only its encoding.
func encode[T any](t testing.TB, c runtime.Codec[T], f runtime.Format, v T) []byte {
	t.Helper()
	const before = "before"
	b, err := c.Append([]byte(before), f, v)
	if err != nil {
		t.Fatalf("%v: Append(%v): %v", f, v, err)
	}
	if string(b[:len(before)]) != before {
		t.Fatalf("%v: Append(%v) changed what was before it: %q", f, v, b)
	}
	return b[len(before):]
}

// decode reads a value that nothing may follow.
func decode[T any](t testing.TB, c runtime.Codec[T], f runtime.Format, b []byte) T {
	t.Helper()
	v, err := decodeAll(c, f, b)
	if err != nil {
		t.Fatalf("%v: Read(%.500q): %v", f, b, err)
	}
	return v
}

func decodeAll[T any](c runtime.Codec[T], f runtime.Format, b []byte) (T, error) {
	v, rest, err := c.Read(b, f)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes follow", len(rest))
	}
	return v, err
}
