package codec_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/codec"
	"github.com/google/go-cmp/cmp"
)

// Wide takes 16 KiB, and a byte or two where it is stored empty.
type Wide struct{ N [2048]int64 }

var wideCodec = codec.Struct(codec.Member("N",
	codec.Array(codec.Int[int64](), func(a *[2048]int64) []int64 { return a[:] }), func(v *Wide) *[2048]int64 { return &v.N }))

// keeper is a struct that refers to a Wide in several ways.
type keeper struct {
	At   *Wide
	List []Wide
	Map  map[string]Wide
}

var keeperCodec = codec.Struct(
	codec.Member("At", codec.Pointer(wideCodec), func(v *keeper) **Wide { return &v.At }),
	codec.Member("List", codec.Slice[[]Wide](wideCodec), func(v *keeper) *[]Wide { return &v.List }),
	codec.Member("Map", codec.Map[map[string]Wide](codec.StringKey[string](), wideCodec), func(v *keeper) *map[string]Wide { return &v.Map }),
)

var spacious = []subject{
	subjectOf("structs", codec.Slice[[]Wide](wideCodec)),
	subjectOf("pointers", codec.Slice[[]*Wide](codec.Pointer(wideCodec))),
	subjectOf("arrays of structs", codec.Slice[[][1]Wide](arrayOf(wideCodec))),
	subjectOf("slices of structs", codec.Slice[[][]Wide](codec.Slice[[]Wide](wideCodec))),
	subjectOf("maps of structs", codec.Slice[[]map[string]Wide](codec.Map[map[string]Wide](codec.StringKey[string](), wideCodec))),
	subjectOf("keepers", codec.Slice[[]keeper](keeperCodec)),
	subjectOf("a map of structs", codec.Map[map[uint16]Wide](codec.UintKey[uint16](), wideCodec)),
	subjectOf("a map of pointers", codec.Map[map[uint16]*Wide](codec.UintKey[uint16](), codec.Pointer(wideCodec))),
	subjectOf("a map of arrays", codec.Map[map[uint16][2]Wide](codec.UintKey[uint16](), pairOf(wideCodec))),
	subjectOf("converted structs", codec.Convert(codec.Slice[[]Wide](wideCodec),
		func(v []Wide) Wides { return v }, func(v Wides) []Wide { return v })),
}

type Wides []Wide

func arrayOf[E any](elem runtime.Codec[E]) runtime.Codec[[1]E] {
	return codec.Array(elem, func(a *[1]E) []E { return a[:] })
}

func pairOf[E any](elem runtime.Codec[E]) runtime.Codec[[2]E] {
	return codec.Array(elem, func(a *[2]E) []E { return a[:] })
}

func listOf(f runtime.Format, member string, n int) []byte {
	if f == runtime.JSON {
		return []byte("[" + strings.Repeat(member+",", n-1) + member + "]")
	}
	return append(binary.BigEndian.AppendUint32([]byte("\xdd"), uint32(n)), strings.Repeat(member, n)...)
}

func mapOf(f runtime.Format, member string, n int) []byte {
	b := binary.BigEndian.AppendUint32([]byte("\xdf"), uint32(n))
	if f == runtime.JSON {
		b = []byte("{")
	}
	for i := range n {
		switch {
		case f != runtime.JSON:
			b = append(binary.BigEndian.AppendUint16(append(b, 0xcd), uint16(i)), member...)
		case i > 0:
			b = fmt.Appendf(b, `,"%d":%s`, i, member)
		default:
			b = fmt.Appendf(b, `"%d":%s`, i, member)
		}
	}
	if f == runtime.JSON {
		b = append(b, '}')
	}
	return b
}

// fitter is what the runtime asks a codec for before it stores a value.
type fitter[T any] interface{ Fits(v T, n int) error }

// TestWhatFitsIsReadAgain holds what is refused when it is to be stored to what is
// refused when it is read.
func TestWhatFitsIsReadAgain(t *testing.T) {
	sameVerdict(t, wideCodec, Wide{}) // which is too large as an element
	sameVerdict(t, pairOf(wideCodec), [2]Wide{})
	for n := range 12 {
		v := keeper{List: make([]Wide, n)}
		sameVerdict(t, keeperCodec, v)
		v.At = new(Wide)
		sameVerdict(t, keeperCodec, v)
		v.Map = map[string]Wide{"a": {}}
		sameVerdict(t, keeperCodec, v)
		sameVerdict(t, codec.Pointer(keeperCodec), &v)
		sameVerdict(t, arrayOf(keeperCodec), [1]keeper{v})
		sameVerdict(t, codec.Slice[[]keeper](keeperCodec), []keeper{v, v})
		sameVerdict(t, codec.Slice[[][1]keeper](arrayOf(keeperCodec)), [][1]keeper{{v}})
		sameVerdict(t, codec.Map[map[string]keeper](codec.StringKey[string](), keeperCodec), map[string]keeper{"v": v, "w": v})
		sameVerdict(t, codec.Convert(codec.Slice[[]Wide](wideCodec), func(v []Wide) Wides { return v }, func(v Wides) []Wide { return v }), v.List)
	}
}

func sameVerdict[T any](t *testing.T, c runtime.Codec[T], v T) {
	t.Helper()
	element := c.(interface{ Element() runtime.Codec[T] }).Element()
	for _, f := range formats {
		for name, c := range map[string]runtime.Codec[T]{"value": c, "element": element} {
			b := encode(t, c, f, v)
			fits := c.(fitter[T]).Fits(v, len(b))
			read, err := decodeAll(c, f, b)
			if (fits == nil) != (err == nil) {
				t.Errorf("%v, %s of type %T in %d bytes: Fits says %v, Read %v", f, name, v, len(b), fits, err)
			}
			if fits != nil && !errors.Is(fits, runtime.ErrTooLarge) {
				t.Errorf("%v, %s of type %T: %v, want %v", f, name, v, fits, runtime.ErrTooLarge)
			}
			if err == nil && !cmp.Equal(encode(t, c, f, read), b) {
				t.Errorf("%v, %s of type %T in %d bytes is read as another value", f, name, v, len(b))
			}
		}
	}
}

// What is not empty, and what is small, has room whatever its type.
func TestUsualValuesFit(t *testing.T) {
	full := Wide{}
	for i := range full.N {
		full.N[i] = int64(i)
	}
	fitsWhole(t, codec.Slice[[]Wide](wideCodec), []Wide{full, full, full, full, full, full, full, full}, true)
	fitsWhole(t, codec.Slice[[]Wide](wideCodec), make([]Wide, 4), true)
	fitsWhole(t, codec.Slice[[]Wide](wideCodec), make([]Wide, 5), false)
	fitsWhole(t, codec.Slice[[]Realistic](realisticCodec), make([]Realistic, 100), true)
	fitsWhole(t, codec.Slice[[]int64](codec.Int[int64]()), make([]int64, 1_000_000), true)
	fitsWhole(t, codec.Slice[[]string](codec.String[string]()), make([]string, 1_000_000), true)
	fitsWhole(t, codec.Slice[[]struct{}](codec.Struct[struct{}]()), make([]struct{}, 1_000_000), true)
	fitsWhole(t, wideCodec, Wide{}, true)
}

func fitsWhole[T any](t *testing.T, c runtime.Codec[T], v T, want bool) {
	t.Helper()
	for _, f := range formats {
		if err := c.(fitter[T]).Fits(v, len(encode(t, c, f, v))); (err == nil) != want {
			t.Errorf("%v, %T: %v", f, v, err)
		}
	}
}
