package codec_test

import (
	"math"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/codec"
	"github.com/tinylib/msgp/msgp"
)

// fits says what becomes of a stored value that was written as another type.
func fits[T comparable](t *testing.T, c runtime.Codec[T], f runtime.Format, stored []byte, want T) {
	t.Helper()
	if got := decode(t, c, f, stored); got != want {
		t.Errorf("%v: %q is read as %v, want %v", f, stored, got, want)
	}
}

func fitsNot[T any](t *testing.T, c runtime.Codec[T], f runtime.Format, stored []byte) {
	t.Helper()
	if got, err := decodeAll(c, f, stored); err == nil {
		t.Errorf("%v: %q is read as %v, want an error", f, stored, got)
	}
}

func TestAnIntegerTakesAStoredNumberOfAnyTypeThatHasItsValue(t *testing.T) {
	m := runtime.MessagePack
	for _, f := range formats {
		fits(t, codec.Int[int64](), f, encode(t, codec.Int[int8](), f, -5), -5)
		fits(t, codec.Int[int8](), f, encode(t, codec.Int[int64](), f, -128), -128)
		fits(t, codec.Int[int8](), f, encode(t, codec.Uint[uint64](), f, 127), 127)
		fits(t, codec.Uint[uint8](), f, encode(t, codec.Int[int64](), f, 255), 255)
		fits(t, codec.Uint[uint64](), f, encode(t, codec.Int[int64](), f, math.MaxInt64), math.MaxInt64)
		fits(t, codec.Int[int64](), f, encode(t, codec.Float[float64](), f, 1e15), 1e15)
		fits(t, codec.Int[int64](), f, encode(t, codec.Float[float32](), f, -2), -2)
		fits(t, codec.Uint[uint64](), f, encode(t, codec.Float[float64](), f, 1<<52), 1<<52)

		fitsNot(t, codec.Int[int8](), f, encode(t, codec.Int[int64](), f, 128))
		fitsNot(t, codec.Int[int8](), f, encode(t, codec.Int[int64](), f, -129))
		fitsNot(t, codec.Int[int64](), f, encode(t, codec.Uint[uint64](), f, math.MaxInt64+1))
		fitsNot(t, codec.Uint[uint8](), f, encode(t, codec.Uint[uint64](), f, 256))
		fitsNot(t, codec.Uint[uint64](), f, encode(t, codec.Int[int64](), f, -1))
		fitsNot(t, codec.Uint[uint64](), f, encode(t, codec.Int[int64](), f, -1000))
		fitsNot(t, codec.Int[int64](), f, encode(t, codec.Float[float64](), f, 0.5))
		fitsNot(t, codec.Int[int64](), f, encode(t, codec.Float[float64](), f, 1<<63))
		fitsNot(t, codec.Uint[uint64](), f, encode(t, codec.Float[float64](), f, 1<<64))
		fitsNot(t, codec.Uint[uint64](), f, encode(t, codec.Float[float64](), f, -1))
		fitsNot(t, codec.Int[int64](), f, encode(t, codec.Float[float64](), f, math.NaN()))
		fitsNot(t, codec.Int[int64](), f, encode(t, codec.Float[float64](), f, math.Inf(-1)))
		fitsNot(t, codec.Int[int64](), f, encode(t, codec.String[string](), f, "1"))
		fitsNot(t, codec.Int[int64](), f, encode(t, codec.Bool[bool](), f, true))
	}
	fits(t, codec.Int[int64](), m, []byte{0xd3, 0, 0, 0, 0, 0, 0, 0, 1}, 1)
	fits(t, codec.Uint[uint64](), m, []byte{0xd0, 1}, 1)
}

func TestAFloatTakesTheNearestValue(t *testing.T) {
	for _, f := range formats {
		fits(t, codec.Float[float64](), f, encode(t, codec.Float[float32](), f, 0.5), 0.5)
		fits(t, codec.Float[float32](), f, encode(t, codec.Float[float64](), f, 0.1), 0.1)
		fits(t, codec.Float[float64](), f, encode(t, codec.Int[int64](), f, -3), -3)
		fits(t, codec.Float[float64](), f, encode(t, codec.Int[int64](), f, 1<<53+1), 1<<53)
		fits(t, codec.Float[float64](), f, encode(t, codec.Uint[uint64](), f, math.MaxUint64), 1<<64)
		fits(t, codec.Float[float32](), f, encode(t, codec.Float[float64](), f, math.Inf(1)), float32(math.Inf(1)))

		fitsNot(t, codec.Float[float32](), f, encode(t, codec.Float[float64](), f, 1e39))
		fitsNot(t, codec.Complex[complex64](), f, encode(t, codec.Complex[complex128](), f, complex(0, -1e39)))
		fitsNot(t, codec.Float[float64](), f, encode(t, codec.String[string](), f, "1"))
		fitsNot(t, codec.Float[float64](), f, encode(t, codec.Bool[bool](), f, true))
	}
	fitsNot(t, codec.Float[float64](), runtime.JSON, []byte("1e309"))
	fitsNot(t, codec.Float[float64](), runtime.JSON, []byte(`"nan"`))
}

func TestAJSONIntegerIsReadExactlyHoweverItIsSpelled(t *testing.T) {
	zeros := strings.Repeat("0", 5000)
	same := map[string]int64{
		"-0": 0, "0.000": 0, "0e99999999999999999999": 0, "-0E-5": 0,
		"100.0": 100, "1e2": 100, "1E+2": 100, "1.00e2": 100, "10000e-2": 100, "0.1e3": 100, "0.00100e5": 100,
		"1" + zeros + "e-5000": 1, "0." + zeros + "1e5001": 1,
		"9223372036854775807":        math.MaxInt64,
		"9223372036854775807.000":    math.MaxInt64,
		"9.223372036854775807e18":    math.MaxInt64,
		"9007199254740993":           1<<53 + 1,
		"90071992547409930e-1":       1<<53 + 1,
		"-9223372036854775808":       math.MinInt64,
		"-9223372036854775808000E-3": math.MinInt64,
	}
	for text, want := range same {
		fits(t, codec.Int[int64](), runtime.JSON, []byte(text), want)
	}
	fits(t, codec.Uint[uint64](), runtime.JSON, []byte("1844674407370955161500e-2"), math.MaxUint64)
	fits(t, codec.Uint[uint64](), runtime.JSON, []byte("-0.0"), 0)
	for _, text := range []string{
		"0.5", "1e-1", "12345678901234567890.5", "1.5e0", "1e-99999999999999999999",
		"9223372036854775808", "-9223372036854775809", "1e19", "1e99999999999999999999", "18446744073709551616",
		"9" + zeros,
	} {
		fitsNot(t, codec.Int[int64](), runtime.JSON, []byte(text))
	}
	for _, text := range []string{"18446744073709551616", "18446744073709551616e0", "184467440737095516150", "-1"} {
		fitsNot(t, codec.Uint[uint64](), runtime.JSON, []byte(text))
	}
}

func TestWhatIsNoJSONNumberIsRefused(t *testing.T) {
	for _, text := range []string{"", " ", "-", "+1", ".5", "1.", "1.e2", "1e", "1e+", "01", "-01", "0x1", "1_0", "Infinity", "NaN", "--1", "1 2"} {
		fitsNot(t, codec.Int[int64](), runtime.JSON, []byte(text))
		fitsNot(t, codec.Float[float64](), runtime.JSON, []byte(text))
	}
}

func TestTimesOfOtherWritersAreRead(t *testing.T) {
	want := example().Time
	old := msgp.AppendTime(nil, want)
	fits(t, codec.Time(), runtime.MessagePack, old, want)
	fits(t, codec.Time(), runtime.JSON, []byte(`"2024-02-29T14:30:00.123456789+02:00"`), want)
	for _, text := range []string{
		`""`, `"@"`, `"@1"`, `"@1."`, `"@1.-1"`, `"@1.1000000000"`, `"@9223372036854775808.0"`, `"@x.0"`,
		`"2024-02-30T00:00:00Z"`, `"2024-02-29 14:30:00Z"`, `"2024-02-29"`, `1709217000`, `null`,
	} {
		fitsNot(t, codec.Time(), runtime.JSON, []byte(text))
	}
	for _, stored := range []string{
		"\xd7\xff\xff\xff\xff\xff\x00\x00\x00\x00", // more than 999999999 nanoseconds
		"\xc7\x0c\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00",
		"\xd6\x02\x00\x00\x00\x00", // another extension
		"\xc7\x01\xff\x00",
		"\x00",
	} {
		fitsNot(t, codec.Time(), runtime.MessagePack, []byte(stored))
	}
}
