package codec

import (
	"math"
	"strconv"
	"unsafe"

	"github.com/duckgen/duckgen/runtime"
	"github.com/tinylib/msgp/msgp"
)

// Float returns the codec of floats. A stored number beyond T's range is an
// error; one between two of its values is rounded to the nearest.
func Float[T ~float32 | ~float64]() runtime.Codec[T] { return floatCodec[T]{} }

type floatCodec[T ~float32 | ~float64] struct{}

func (floatCodec[T]) Append(b []byte, f runtime.Format, v T) ([]byte, error) {
	return appendFloat(b, f, float64(v), bitsOf(v)), nil
}

func (floatCodec[T]) Read(b []byte, f runtime.Format) (v T, rest []byte, err error) {
	wide, rest, err := readFloat(b, f, bitsOf(v))
	if err != nil {
		return 0, nil, err
	}
	return T(wide), rest, nil
}

// zero is false for -0, which is another value.
func (floatCodec[T]) zero(v T) bool { return isZeroFloat(float64(v)) }

func isZeroFloat(v float64) bool { return math.Float64bits(v) == 0 }

func bitsOf[T ~float32 | ~float64](v T) int { return 8 * int(unsafe.Sizeof(v)) }

const (
	wantFloat   = "a number"
	beyondFloat = "one that does not fit"
)

// appendFloat writes a float of 32 or 64 bits.
func appendFloat(b []byte, f runtime.Format, v float64, bits int) []byte {
	switch {
	case f == runtime.JSON:
		return appendJSONFloat(b, v, bits)
	case math.IsNaN(v):
		return msgp.AppendFloat32(b, float32(math.NaN()))
	default:
		return msgp.AppendFloat(b, v)
	}
}

// readFloat reads a float that fits 32 or 64 bits.
func readFloat(b []byte, f runtime.Format, bits int) (v float64, rest []byte, err error) {
	if f == runtime.JSON {
		return readJSONFloat(b, bits)
	}
	v, rest, err = readMessagePackFloat(b)
	if err != nil {
		return 0, nil, err
	}
	if bits == 32 && math.IsInf(float64(float32(v)), 0) && !math.IsInf(v, 0) {
		return 0, nil, mismatch(wantFloat, beyondFloat)
	}
	return v, rest, nil
}

func readMessagePackFloat(b []byte) (float64, []byte, error) {
	v, rest, err := msgp.ReadFloat64Bytes(b)
	if err == nil {
		return v, rest, nil
	}
	if n, rest, err := msgp.ReadInt64Bytes(b); err == nil {
		return float64(n), rest, nil
	}
	if n, rest, err := msgp.ReadUint64Bytes(b); err == nil {
		return float64(n), rest, nil
	}
	return 0, nil, unread(b, wantFloat, err)
}

func readJSONFloat(b []byte, bits int) (float64, []byte, error) {
	if first(b) == '"' {
		return readSpecialFloat(b)
	}
	text, rest, err := readNumber(b)
	if err != nil {
		return 0, nil, unexpected(b, wantFloat)
	}
	v, err := strconv.ParseFloat(string(text), bits)
	if err != nil {
		return 0, nil, mismatch(wantFloat, beyondFloat)
	}
	return v, rest, nil
}

// appendJSONFloat writes a number, or a string where JSON, or the jsonb of
// Postgres, has no number for the value.
func appendJSONFloat(b []byte, v float64, bits int) []byte {
	switch size := math.Abs(v); {
	case math.IsNaN(v):
		return append(b, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(b, `"-Infinity"`...)
	case size == 0 && math.Signbit(v):
		return append(b, `"-0"`...)
	case size != 0 && (size < 1e-6 || size >= 1e21):
		return strconv.AppendFloat(b, v, 'e', -1, bits)
	default:
		return strconv.AppendFloat(b, v, 'f', -1, bits)
	}
}

// readSpecialFloat reads what appendJSONFloat writes as a string.
func readSpecialFloat(b []byte) (float64, []byte, error) {
	text, rest, err := readQuoted(b)
	if err != nil {
		return 0, nil, err
	}
	switch string(text) {
	case "NaN":
		return math.NaN(), rest, nil
	case "Infinity":
		return math.Inf(1), rest, nil
	case "-Infinity":
		return math.Inf(-1), rest, nil
	case "-0":
		return math.Copysign(0, -1), rest, nil
	default:
		return 0, nil, unexpected(b, wantFloat)
	}
}
