package codec

import (
	"errors"
	"math"
	"strconv"
	"unsafe"

	"github.com/duckgen/duckgen/runtime"
	"github.com/tinylib/msgp/msgp"
)

type signed interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64
}

type unsigned interface {
	~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

// Int returns the codec of signed integers, also of rune and time.Duration. A
// stored number out of T's range is an error.
func Int[T ~int | ~int8 | ~int16 | ~int32 | ~int64]() runtime.Codec[T] { return intCodec[T]{} }

// Uint returns the codec of unsigned integers. A stored number out of T's range
// is an error.
func Uint[T ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr]() runtime.Codec[T] {
	return uintCodec[T]{}
}

type intCodec[T signed] struct{}

func (intCodec[T]) Append(b []byte, f runtime.Format, v T) ([]byte, error) {
	if f == runtime.JSON {
		return strconv.AppendInt(b, int64(v), 10), nil
	}
	return msgp.AppendInt64(b, int64(v)), nil
}

func (intCodec[T]) Read(b []byte, f runtime.Format) (T, []byte, error) {
	n, rest, err := readInt(b, f)
	if err != nil {
		return 0, nil, unexpectedInteger(b, f, wantInt[T](), err)
	}
	v := T(n)
	if int64(v) != n {
		return 0, nil, unexpectedInteger(b, f, wantInt[T](), errRange)
	}
	return v, rest, nil
}

func (intCodec[T]) zero(v T) bool { return v == 0 }

// Others returns how an unsigned integer of the same value is encoded.
func (intCodec[T]) Others(f runtime.Format, v T) []string {
	if f == runtime.JSON || v <= math.MaxInt8 {
		return nil
	}
	return []string{string(msgp.AppendUint64(nil, uint64(v)))}
}

type uintCodec[T unsigned] struct{}

func (uintCodec[T]) Append(b []byte, f runtime.Format, v T) ([]byte, error) {
	if f == runtime.JSON {
		return strconv.AppendUint(b, uint64(v), 10), nil
	}
	return msgp.AppendUint64(b, uint64(v)), nil
}

func (uintCodec[T]) Read(b []byte, f runtime.Format) (T, []byte, error) {
	n, rest, err := readUint(b, f)
	if err != nil {
		return 0, nil, unexpectedInteger(b, f, wantUint[T](), err)
	}
	v := T(n)
	if uint64(v) != n {
		return 0, nil, unexpectedInteger(b, f, wantUint[T](), errRange)
	}
	return v, rest, nil
}

func (uintCodec[T]) zero(v T) bool { return v == 0 }

// Others returns how a signed integer of the same value is encoded.
func (uintCodec[T]) Others(f runtime.Format, v T) []string {
	if f == runtime.JSON || v <= math.MaxInt8 || uint64(v) > math.MaxInt64 {
		return nil
	}
	return []string{string(msgp.AppendInt64(nil, int64(v)))}
}

func wantInt[T signed]() string {
	return "a signed integer of " + bitsText(unsafe.Sizeof(T(0)))
}

func wantUint[T unsigned]() string {
	return "an unsigned integer of " + bitsText(unsafe.Sizeof(T(0)))
}

func bitsText(size uintptr) string { return strconv.Itoa(8*int(size)) + " bits" }

// errRange marks a number that is not one of the target's values.
var errRange = errors.New("out of range")

func unexpectedInteger(b []byte, f runtime.Format, want string, err error) error {
	switch {
	case err == errRange:
		return mismatch(want, "a number that does not fit")
	case f == runtime.JSON:
		return unexpected(b, want)
	default:
		return unread(b, want, err)
	}
}

func readInt(b []byte, f runtime.Format) (int64, []byte, error) {
	if f != runtime.JSON {
		n, rest, err := msgp.ReadInt64Bytes(b)
		if err != nil {
			return readOtherInt(b, err)
		}
		return n, rest, nil
	}
	text, rest, err := readNumber(b)
	if err != nil {
		return 0, nil, err
	}
	negative, magnitude, ok := integer(text)
	switch {
	case !ok || !negative && magnitude > math.MaxInt64 || negative && magnitude > -math.MinInt64:
		return 0, nil, errRange
	case negative:
		return -int64(magnitude), rest, nil
	default:
		return int64(magnitude), rest, nil
	}
}

func readUint(b []byte, f runtime.Format) (uint64, []byte, error) {
	if f != runtime.JSON {
		n, rest, err := msgp.ReadUint64Bytes(b)
		if err != nil {
			return readOtherUint(b, err)
		}
		return n, rest, nil
	}
	text, rest, err := readNumber(b)
	if err != nil {
		return 0, nil, err
	}
	negative, magnitude, ok := integer(text)
	if !ok || negative && magnitude != 0 {
		return 0, nil, errRange
	}
	return magnitude, rest, nil
}

// readOtherInt reads what is no int64 in MessagePack: a whole float is one
// nevertheless.
func readOtherInt(b []byte, err error) (int64, []byte, error) {
	if _, ok := err.(msgp.UintOverflow); ok {
		return 0, nil, errRange
	}
	v, rest, ok := readWholeFloat(b)
	switch {
	case !ok:
		return 0, nil, err
	case v >= -1<<63 && v < 1<<63:
		return int64(v), rest, nil
	default:
		return 0, nil, errRange
	}
}

func readOtherUint(b []byte, err error) (uint64, []byte, error) {
	if _, ok := err.(msgp.UintBelowZero); ok {
		return 0, nil, errRange
	}
	v, rest, ok := readWholeFloat(b)
	switch {
	case !ok:
		return 0, nil, err
	case v >= 0 && v < 1<<64:
		return uint64(v), rest, nil
	default:
		return 0, nil, errRange
	}
}

// readWholeFloat reads a MessagePack float. One that is not whole is returned
// as NaN, which is in no range.
func readWholeFloat(b []byte) (v float64, rest []byte, ok bool) {
	v, rest, err := msgp.ReadFloat64Bytes(b)
	if err != nil {
		return 0, nil, false
	}
	if v != math.Trunc(v) {
		return math.NaN(), rest, true
	}
	return v, rest, true
}
