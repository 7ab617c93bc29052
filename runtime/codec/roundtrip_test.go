package codec_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/codec"
	"github.com/google/go-cmp/cmp"
)

// A golden is a value and its stored forms, which no release may change.
type golden[T any] struct {
	value T
	msg   string // hexadecimal
	json  string
}

func checkGoldens[T any](t *testing.T, name string, c runtime.Codec[T], goldens ...golden[T]) {
	t.Run(name, func(t *testing.T) {
		for _, g := range goldens {
			msg := encode(t, c, runtime.MessagePack, g.value)
			if got := hex.EncodeToString(msg); got != g.msg {
				t.Errorf("MessagePack of %v is %s, want %s", g.value, got, g.msg)
			}
			text := encode(t, c, runtime.JSON, g.value)
			if string(text) != g.json {
				t.Errorf("JSON of %v is %s, want %s", g.value, text, g.json)
			}
			for _, got := range []T{
				decode(t, c, runtime.MessagePack, msg),
				decode(t, c, runtime.JSON, text),
			} {
				if diff := cmp.Diff(g.value, got, sameValue); diff != "" {
					t.Errorf("%v comes back as another value:\n%s", g.value, diff)
				}
			}
		}
	})
}

func TestScalarsHaveTheirDocumentedForm(t *testing.T) {
	checkGoldens(t, "bool", codec.Bool[Flag](),
		golden[Flag]{true, "c3", "true"},
		golden[Flag]{false, "c2", "false"})
	checkGoldens(t, "int64", codec.Int[int64](),
		golden[int64]{0, "00", "0"},
		golden[int64]{-1, "ff", "-1"},
		golden[int64]{127, "7f", "127"},
		golden[int64]{128, "d10080", "128"},
		golden[int64]{-129, "d1ff7f", "-129"},
		golden[int64]{70000, "d200011170", "70000"},
		golden[int64]{math.MaxInt64, "d37fffffffffffffff", "9223372036854775807"},
		golden[int64]{math.MinInt64, "d38000000000000000", "-9223372036854775808"})
	checkGoldens(t, "int8", codec.Int[Level](),
		golden[Level]{math.MinInt8, "d080", "-128"},
		golden[Level]{math.MaxInt8, "7f", "127"})
	checkGoldens(t, "duration", codec.Int[time.Duration](),
		golden[time.Duration]{time.Second, "d23b9aca00", "1000000000"})
	checkGoldens(t, "uint64", codec.Uint[uint64](),
		golden[uint64]{200, "ccc8", "200"},
		golden[uint64]{math.MaxUint64, "cfffffffffffffffff", "18446744073709551615"})
	checkGoldens(t, "uintptr", codec.Uint[uintptr](),
		golden[uintptr]{65535, "cdffff", "65535"})
}

func TestFloatsHaveTheirDocumentedForm(t *testing.T) {
	checkGoldens(t, "float64", codec.Float[float64](),
		golden[float64]{0, "ca00000000", "0"},
		golden[float64]{1.5, "ca3fc00000", "1.5"},
		golden[float64]{0.1, "cb3fb999999999999a", "0.1"},
		golden[float64]{1e21, "cb444b1ae4d6e2ef50", "1e+21"},
		golden[float64]{1e20, "cb4415af1d78b58c40", "100000000000000000000"},
		golden[float64]{5e-324, "cb0000000000000001", "5e-324"},
		golden[float64]{math.MaxFloat64, "cb7fefffffffffffff", "1.7976931348623157e+308"},
		golden[float64]{math.Copysign(0, -1), "ca80000000", `"-0"`},
		golden[float64]{math.Inf(1), "ca7f800000", `"Infinity"`},
		golden[float64]{math.Inf(-1), "caff800000", `"-Infinity"`},
		golden[float64]{math.NaN(), "ca7fc00000", `"NaN"`})
	checkGoldens(t, "float32", codec.Float[float32](),
		golden[float32]{0.1, "ca3dcccccd", "0.1"},
		golden[float32]{math.MaxFloat32, "ca7f7fffff", "3.4028235e+38"},
		golden[float32]{math.SmallestNonzeroFloat32, "ca00000001", "1e-45"})
	checkGoldens(t, "complex", codec.Complex[complex128](),
		golden[complex128]{complex(1.5, 0.1), "92ca3fc00000cb3fb999999999999a", "[1.5,0.1]"},
		golden[complex128]{complex(math.Inf(1), math.NaN()), "92ca7f800000ca7fc00000", `["Infinity","NaN"]`})
	checkGoldens(t, "complex64", codec.Complex[complex64](),
		golden[complex64]{complex(0.1, -2), "92ca3dcccccdcac0000000", "[0.1,-2]"})
}

func TestStringsHaveTheirDocumentedForm(t *testing.T) {
	checkGoldens(t, "string", codec.String[string](),
		golden[string]{"", "a0", `""`},
		golden[string]{"hé€𝄞", "aa68c3a9e282acf09d849e", `"hé€𝄞"`},
		golden[string]{"a\"b\\c/\n\x1f", "a86122625c632f0a1f", `"a\"b\\c/\u000a\u001f"`},
		golden[string]{"\x00", "a100", "\"\x7f00\""},
		golden[string]{"\x7f", "a17f", "\"\x7f7f\""},
		golden[string]{"é\xc3\x28\xed\xa0\x80", "a7c3a9c328eda080", "\"é\x7fc3(\x7fed\x7fa0\x7f80\""},
		golden[string]{"\uFFFD\u2028<&>", "a9efbfbde280a83c263e", "\"\uFFFD\u2028<&>\""})
	checkGoldens(t, "bytes", codec.Bytes[Secret](),
		golden[Secret]{nil, "c400", `""`},
		golden[Secret]{Secret{0}, "c40100", `"AA=="`},
		golden[Secret]{Secret{0xfb, 0xff}, "c402fbff", `"+/8="`})
}

func TestTimesHaveTheirDocumentedForm(t *testing.T) {
	at := func(year int) time.Time { return time.Date(year, 1, 2, 3, 4, 5, 6, time.UTC) }
	checkGoldens(t, "time", codec.Time(),
		golden[time.Time]{time.Time{}, "c70cff00000000fffffff1886e0900", `"0001-01-01T00:00:00Z"`},
		golden[time.Time]{time.Unix(0, 0), "d7ff0000000000000000", `"1970-01-01T00:00:00Z"`},
		golden[time.Time]{time.Unix(1, 0), "d6ff00000001", `"1970-01-01T00:00:01Z"`},
		golden[time.Time]{time.Unix(-1, 999999999), "c70cff3b9ac9ffffffffffffffffff", `"1969-12-31T23:59:59.999999999Z"`},
		golden[time.Time]{at(2024), "d7ff0000001865937d25", `"2024-01-02T03:04:05.000000006Z"`},
		golden[time.Time]{at(0), "c70cff00000006fffffff1868d00a5", `"0000-01-02T03:04:05.000000006Z"`},
		golden[time.Time]{at(9999), "c70cff000000060000003afe148aa5", `"9999-01-02T03:04:05.000000006Z"`},
		golden[time.Time]{at(-1), "c70cff00000006fffffff184abcd25", `"@-62198657755.6"`},
		golden[time.Time]{at(10000), "c70cff000000060000003afff5be25", `"@253402398245.6"`})
}

func TestCompositesHaveTheirDocumentedForm(t *testing.T) {
	one := 1
	checkGoldens(t, "pointer", codec.Pointer(codec.Int[int]()),
		golden[*int]{nil, "c0", "null"},
		golden[*int]{&one, "01", "1"})
	checkGoldens(t, "slice", codec.Slice[Names](codec.String[Name]()),
		golden[Names]{nil, "90", "[]"},
		golden[Names]{Names{"a", ""}, "92a161a0", `["a",""]`})
	checkGoldens(t, "array", vectorCodec,
		golden[Vector]{Vector{1, 2, 3}, "93ca3f800000ca40000000ca40400000", "[1,2,3]"})
	checkGoldens(t, "empty array", codec.Array(codec.Int[int](), func(a *[0]int) []int { return a[:] }),
		golden[[0]int]{[0]int{}, "90", "[]"})
	checkGoldens(t, "map", codec.Map[map[string]int](codec.StringKey[string](), codec.Int[int]()),
		golden[map[string]int]{nil, "80", "{}"},
		golden[map[string]int]{map[string]int{"b": 0, "a": 1, "": 2}, "83a002a16101a16200", `{"":2,"a":1,"b":0}`},
		golden[map[string]int]{map[string]int{"\x00": 1}, "81a10001", "{\"\x7f00\":1}"})
	checkGoldens(t, "map of integer keys", codec.Map[map[int]bool](codec.IntKey[int](), codec.Bool[bool]()),
		golden[map[int]bool]{map[int]bool{10: true, 9: true, -1: false}, "83ffc209c30ac3", `{"-1":false,"9":true,"10":true}`})
	checkGoldens(t, "map of unsigned keys", codec.Map[map[uint64]bool](codec.UintKey[uint64](), codec.Bool[bool]()),
		golden[map[uint64]bool]{map[uint64]bool{math.MaxUint64: true, 9: true}, "8209c3cfffffffffffffffffc3", `{"9":true,"18446744073709551615":true}`})
	checkGoldens(t, "struct", innerCodec,
		golden[Inner]{Inner{}, "80", "{}"},
		golden[Inner]{Inner{A: 1, C: []*Inner2{nil}}, "82a14101a14391c0", `{"A":1,"C":[null]}`},
		golden[Inner]{Inner{B: "x", C: []*Inner2{{Y: math.Copysign(0, -1)}}}, "82a142a178a1439181a159ca80000000", `{"B":"x","C":[{"Y":"-0"}]}`})
}

func TestSelfMarshallingTypesHaveTheirDocumentedForm(t *testing.T) {
	checkGoldens(t, "binary", codec.Binary[netip.Addr](),
		golden[netip.Addr]{netip.MustParseAddr("192.0.2.1"), "c404c0000201", `"wAACAQ=="`},
		golden[netip.Addr]{netip.Addr{}, "c400", `""`})
	checkGoldens(t, "appended text", codec.Text[netip.Addr](),
		golden[netip.Addr]{netip.MustParseAddr("192.0.2.1"), "d9093139322e302e322e31", `"192.0.2.1"`})
	checkGoldens(t, "text", codec.Text[Shout](),
		golden[Shout]{Shout{"a\x00"}, "d903610021", "\"a\x7f00!\""})
	checkGoldens(t, "pointer methods", codec.Binary[url.URL](),
		golden[url.URL]{url.URL{Scheme: "http", Host: "h"}, "c408687474703a2f2f68", `"aHR0cDovL2g="`})
}

func TestEncodingsOfAllLengthsOfSelfMarshallingTypesComeBack(t *testing.T) {
	for _, n := range []int{0, 1, 255, 256, 65535, 65536, 70000} {
		packed := Packed{bytes.Repeat([]byte{7}, n)}
		shout := Shout{strings.Repeat("é", n)}
		for _, f := range formats {
			c, s := codec.Binary[Packed](), codec.Text[Shout]()
			if got := decode(t, c, f, encode(t, c, f, packed)); !bytes.Equal(got.Raw, packed.Raw) {
				t.Errorf("%v: %d bytes came back as %d", f, n, len(got.Raw))
			}
			if got := decode(t, s, f, encode(t, s, f, shout)); got != shout {
				t.Errorf("%v: a text of %d characters came back otherwise", f, n)
			}
		}
	}
}

func TestAStructWithEverythingComesBack(t *testing.T) {
	for _, want := range []Everything{example(), {}} {
		for _, f := range formats {
			b := encode(t, everythingCodec, f, want)
			got := decode(t, everythingCodec, f, b)
			if diff := cmp.Diff(want, got, sameValue); diff != "" {
				t.Errorf("%v: it comes back as another value:\n%s", f, diff)
			}
		}
	}
}

func TestEveryTimeThatExistsComesBack(t *testing.T) {
	times := []time.Time{
		time.Now(),
		time.Now().In(time.FixedZone("east", 5*3600)),
		time.Unix(math.MaxInt64, 999999999),
		time.Unix(math.MinInt64, 0),
		time.Unix(math.MinInt64, 1),
		time.Unix(1<<34-1, 999999999),
		time.Unix(1<<34, 0),
		time.Unix(1<<32-1, 0),
		time.Unix(1<<32, 0),
		time.Unix(-62135596801, 999999999),
		time.Time{}.Add(math.MinInt64),
		time.Time{}.Add(math.MaxInt64),
		time.Date(0, 1, 1, 0, 0, 0, 0, time.FixedZone("east", 3600)),
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("west", -3600)),
	}
	c := codec.Time()
	for _, v := range times {
		for _, f := range formats {
			b := encode(t, c, f, v)
			if got, want := decode(t, c, f, b), v.Round(0).UTC(); got != want {
				t.Errorf("%v: %v comes back as %v", f, want, got)
			}
			if elsewhere := encode(t, c, f, v.In(time.FixedZone("", 60))); !bytes.Equal(b, elsewhere) {
				t.Errorf("%v: one instant has the encodings %q and %q", f, b, elsewhere)
			}
		}
	}
}

func TestTheZeroTimeIsReadAsTheZeroValue(t *testing.T) {
	for _, f := range formats {
		b := encode(t, codec.Time(), f, time.Time{})
		if got := decode(t, codec.Time(), f, b); got != (time.Time{}) {
			t.Errorf("%v: got %#v", f, got)
		}
	}
}

func TestAnEmptySliceOrMapIsReadAsNil(t *testing.T) {
	for _, f := range formats {
		bytesBack := decode(t, codec.Bytes[[]byte](), f, encode(t, codec.Bytes[[]byte](), f, []byte{}))
		names := codec.Slice[Names](codec.String[Name]())
		sliceBack := decode(t, names, f, encode(t, names, f, Names{}))
		scores := codec.Map[Scores](codec.StringKey[Name](), codec.Float[float64]())
		mapBack := decode(t, scores, f, encode(t, scores, f, Scores{}))
		if bytesBack != nil || sliceBack != nil || mapBack != nil {
			t.Errorf("%v: got %#v, %#v, %#v", f, bytesBack, sliceBack, mapBack)
		}
	}
}

func TestPointersToPointersStayApart(t *testing.T) {
	var none *Choice
	var inner Choice
	n := 3
	number := Choice(&n)
	c := codec.Pointer(choiceCodec)
	for _, f := range formats {
		for _, want := range []*Choice{none, &inner, &number} {
			got := decode(t, c, f, encode(t, c, f, want))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%v: it comes back as another value:\n%s", f, diff)
			}
		}
	}
}

func TestWhatFollowsAValueIsReturned(t *testing.T) {
	for _, f := range formats {
		b := encode(t, everythingCodec, f, example())
		_, rest, err := everythingCodec.Read(append(b, "]more"...), f)
		if err != nil || string(rest) != "]more" {
			t.Errorf("%v: rest is %q, error %v", f, rest, err)
		}
	}
}

// Strings may be parts of what was read, which never changes: nothing that a
// caller can change may be.
func TestNeitherReadingNorTheValueChangesTheBytes(t *testing.T) {
	for _, f := range formats {
		b := encode(t, everythingCodec, f, example())
		before := bytes.Clone(b)
		got := decode(t, everythingCodec, f, b)
		clear(got.Bytes)
		clear(got.Binary.Raw)
		if !bytes.Equal(b, before) {
			t.Errorf("%v: the bytes have changed", f)
		}
	}
}

func TestMapsAreEncodedAlikeInWhateverOrderTheyWereFilled(t *testing.T) {
	c := codec.Map[map[int]int](codec.IntKey[int](), codec.Int[int]())
	up, down := map[int]int{}, map[int]int{}
	for i := range 1000 {
		up[i], down[999-i] = i, 999-i
	}
	for _, f := range formats {
		if a, b := encode(t, c, f, up), encode(t, c, f, down); !bytes.Equal(a, b) {
			t.Errorf("%v: the encodings differ", f)
		}
	}
}

func TestAllNaNsAreEncodedAlike(t *testing.T) {
	for _, f := range formats {
		want := encode(t, codec.Float[float64](), f, math.NaN())
		for _, bits := range []uint64{0x7ff0000000000001, 0xfff8000000000000, 0x7fffffffffffffff} {
			if got := encode(t, codec.Float[float64](), f, math.Float64frombits(bits)); !bytes.Equal(got, want) {
				t.Errorf("%v: NaN %x is %q, want %q", f, bits, got, want)
			}
		}
		if got := encode(t, codec.Float[float32](), f, math.Float32frombits(0xff800001)); !bytes.Equal(got, want) {
			t.Errorf("%v: a NaN of 32 bits is %q, want %q", f, got, want)
		}
	}
}

func TestStringsAndBytesHaveASizeInBytes(t *testing.T) {
	names, secrets := codec.String[Name](), codec.Bytes[Secret]()
	name := names.(interface{ Size(Name) int }).Size("Zoë")
	secret := secrets.(interface{ Size(Secret) int }).Size(Secret{1, 2, 3})
	if name != 4 || secret != 3 {
		t.Errorf("the sizes are %d and %d", name, secret)
	}
}
