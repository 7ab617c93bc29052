package codec_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// oddString draws strings with NUL, DEL, invalid UTF-8 and escape sequences in
// them, more often than chance would.
func oddString() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.Map(rapid.SliceOf(rapid.SampledFrom([]string{
			"\x00", "\x7f", "7f", "00", "\xff", "\xed\xa0\x80", "é", "𝄞", `"`, `\`, `\u0000`, "\n", "\x1f", "/", "a",
		})), func(parts []string) string {
			var s string
			for _, p := range parts {
				s += p
			}
			return s
		}),
	)
}

func oddFloat() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.Float64(),
		rapid.Map(rapid.Uint64(), math.Float64frombits),
		rapid.Map(rapid.Int32(), func(n int32) float64 { return float64(n) }),
		rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), 1e-6, 1e21, 1e300}),
	)
}

func anyTime() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		seconds := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1<<36, 1<<38)).Draw(t, "seconds")
		return time.Unix(seconds, rapid.Int64Range(0, 999999999).Draw(t, "nanoseconds"))
	})
}

func anyInner() *rapid.Generator[Inner] {
	inner2 := rapid.Custom(func(t *rapid.T) Inner2 {
		return Inner2{
			X: rapid.MapOf(oddString(), rapid.SliceOfN(rapid.Int(), 0, 3)).Draw(t, "X"),
			Y: oddFloat().Draw(t, "Y"),
		}
	})
	return rapid.Custom(func(t *rapid.T) Inner {
		return Inner{
			A: rapid.Int().Draw(t, "A"),
			B: oddString().Draw(t, "B"),
			C: rapid.SliceOfN(rapid.Ptr(inner2, true), 0, 3).Draw(t, "C"),
		}
	})
}

func anything() *rapid.Generator[Everything] {
	return rapid.Custom(func(t *rapid.T) Everything {
		v := Everything{
			Bool:    Flag(rapid.Bool().Draw(t, "Bool")),
			Int:     rapid.Int().Draw(t, "Int"),
			Int8:    Level(rapid.Int8().Draw(t, "Int8")),
			Int16:   rapid.Int16().Draw(t, "Int16"),
			Int32:   rapid.Int32().Draw(t, "Int32"),
			Int64:   rapid.Int64().Draw(t, "Int64"),
			Uint:    rapid.Uint().Draw(t, "Uint"),
			Uint8:   rapid.Uint8().Draw(t, "Uint8"),
			Uint16:  rapid.Uint16().Draw(t, "Uint16"),
			Uint32:  rapid.Uint32().Draw(t, "Uint32"),
			Uint64:  rapid.Uint64().Draw(t, "Uint64"),
			Uintptr: rapid.Uintptr().Draw(t, "Uintptr"),
			Float32: math.Float32frombits(rapid.Uint32().Draw(t, "Float32")),
			Float64: oddFloat().Draw(t, "Float64"),
			Small:   complex(rapid.Float32().Draw(t, "real"), float32(oddFloat().Draw(t, "imag"))),
			Large:   complex(oddFloat().Draw(t, "real"), oddFloat().Draw(t, "imag")),
			String:  Name(oddString().Draw(t, "String")),
			Bytes:   rapid.SliceOf(rapid.Byte()).Draw(t, "Bytes"),
			Time:    anyTime().Draw(t, "Time"),
			Wait:    time.Duration(rapid.Int64().Draw(t, "Wait")),
			Stamp:   Stamp(anyTime().Draw(t, "Stamp")),
			Pointer: rapid.Ptr(rapid.Int(), true).Draw(t, "Pointer"),
			Double:  rapid.Ptr(rapid.Ptr(oddString(), true), true).Draw(t, "Double"),
			Choice:  rapid.Ptr(rapid.Int(), true).Draw(t, "Choice"),
		}
		drawComposites(t, &v)
		return v
	})
}

func drawComposites(t *rapid.T, v *Everything) {
	for _, s := range rapid.SliceOfN(oddString(), 0, 20).Draw(t, "Slice") {
		v.Slice = append(v.Slice, Name(s))
	}
	for i := range v.Array {
		v.Array[i] = rapid.Float32().Draw(t, "Array")
	}
	v.Strings = rapid.MapOf(oddString(), oddString()).Draw(t, "Strings")
	v.Scores = Scores{}
	for k, score := range rapid.MapOfN(oddString(), oddFloat(), 0, 20).Draw(t, "Scores") {
		v.Scores[Name(k)] = score
	}
	v.Ints = rapid.MapOf(rapid.Int16(), rapid.Bool()).Draw(t, "Ints")
	v.Uints = rapid.MapOfN(rapid.Uint64(), anyInner(), 0, 3).Draw(t, "Uints")
	v.Inner = anyInner().Draw(t, "Inner")
	v.Inners = rapid.SliceOfN(anyInner(), 0, 3).Draw(t, "Inners")
	v.Optional = rapid.Ptr(anyInner(), true).Draw(t, "Optional")
	v.Grid[rapid.IntRange(0, 1).Draw(t, "row")][1] = anyInner().Draw(t, "Grid")
	v.Address = netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "Address")))
	v.Text = Shout{oddString().Draw(t, "Text")}
	v.Binary = Packed{rapid.SliceOf(rapid.Byte()).Draw(t, "Binary")}
}

func TestAnyValueComesBackFromBothFormats(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := anything().Draw(rt, "value")
		for _, f := range formats {
			b := encode(t, everythingCodec, f, want)
			got := decode(t, everythingCodec, f, b)
			if diff := cmp.Diff(want, got, sameValue); diff != "" {
				rt.Fatalf("%v: it comes back as another value:\n%s", f, diff)
			}
			if again := encode(t, everythingCodec, f, got); !bytes.Equal(again, b) {
				rt.Fatalf("%v: an equal value has the encodings\n%q and\n%q", f, b, again)
			}
		}
	})
}

func TestAnyJSONIsValidAndReadInAnySpelling(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := anything().Draw(rt, "value")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		b := encode(t, everythingCodec, runtime.JSON, want)
		if !json.Valid(b) {
			rt.Fatalf("encoding/json does not read %q", b)
		}
		got := decode(t, everythingCodec, runtime.JSON, respell(t, b, random))
		if diff := cmp.Diff(want, got, sameValue); diff != "" {
			rt.Fatalf("it comes back as another value:\n%s", diff)
		}
	})
}
