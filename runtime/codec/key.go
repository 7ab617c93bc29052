package codec

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/duckgen/duckgen/runtime"
	"github.com/tinylib/msgp/msgp"
)

// StringKey returns the codec of string keys. In MessagePack the text of a key
// is the string itself, in JSON the string as the package comment says.
func StringKey[K ~string]() runtime.KeyCodec[K] { return stringKey[K]{} }

// IntKey returns the codec of signed integer keys, whose text is the decimal
// number.
func IntKey[K ~int | ~int8 | ~int16 | ~int32 | ~int64]() runtime.KeyCodec[K] { return intKey[K]{} }

// UintKey returns the codec of unsigned integer keys, whose text is the decimal
// number.
func UintKey[K ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr]() runtime.KeyCodec[K] {
	return uintKey[K]{}
}

// innerKeys are the keys of a map that is part of a value.
type innerKeys[K any] interface {
	runtime.KeyCodec[K]
	appendKey(b []byte, f runtime.Format, k K) []byte
	readKey(b []byte, f runtime.Format) (k K, rest []byte, err error)
}

// textKeys stores the keys of any KeyCodec as their texts.
type textKeys[K any] struct{ runtime.KeyCodec[K] }

func (c textKeys[K]) appendKey(b []byte, f runtime.Format, k K) []byte {
	if f == runtime.JSON {
		return appendQuoted(b, c.Text(f, k))
	}
	return msgp.AppendString(b, c.Text(f, k))
}

func (c textKeys[K]) readKey(b []byte, f runtime.Format) (k K, rest []byte, err error) {
	text, rest, err := readKeyText(b, f)
	if err != nil {
		return k, nil, err
	}
	k, err = c.Parse(f, asString(text))
	return k, rest, err
}

func readKeyText(b []byte, f runtime.Format) (text, rest []byte, err error) {
	if f == runtime.JSON {
		return readQuoted(b)
	}
	return readString(b, f)
}

type stringKey[K ~string] struct{}

func (stringKey[K]) Text(f runtime.Format, k K) string {
	if f == runtime.JSON {
		return escape(string(k))
	}
	return string(k)
}

func (stringKey[K]) Parse(f runtime.Format, text string) (K, error) {
	if f != runtime.JSON {
		return K(text), nil
	}
	k, ok := unescape([]byte(text))
	if !ok || escape(asString(k)) != text {
		return "", badKey("an escaped string", text)
	}
	return K(asString(k)), nil
}

func (stringKey[K]) Compare(a, b K) int { return strings.Compare(string(a), string(b)) }

func (c stringKey[K]) appendKey(b []byte, f runtime.Format, k K) []byte {
	return textKeys[K]{c}.appendKey(b, f, k)
}

func (c stringKey[K]) readKey(b []byte, f runtime.Format) (K, []byte, error) {
	return textKeys[K]{c}.readKey(b, f)
}

type intKey[K signed] struct{}

func (intKey[K]) Text(_ runtime.Format, k K) string { return strconv.FormatInt(int64(k), 10) }

func (intKey[K]) Parse(_ runtime.Format, text string) (K, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	k := K(n)
	var space [20]byte
	if err != nil || int64(k) != n || string(strconv.AppendInt(space[:0], n, 10)) != text {
		return 0, badKey(wantInt[K](), text)
	}
	return k, nil
}

func (intKey[K]) Compare(a, b K) int { return cmp.Compare(a, b) }

func (c intKey[K]) appendKey(b []byte, f runtime.Format, k K) []byte {
	if f != runtime.JSON {
		return msgp.AppendInt64(b, int64(k))
	}
	b = append(b, '"')
	b = strconv.AppendInt(b, int64(k), 10)
	return append(b, '"')
}

func (c intKey[K]) readKey(b []byte, f runtime.Format) (K, []byte, error) {
	if f == runtime.JSON {
		return textKeys[K]{c}.readKey(b, f)
	}
	return intCodec[K]{}.Read(b, f)
}

type uintKey[K unsigned] struct{}

func (uintKey[K]) Text(_ runtime.Format, k K) string { return strconv.FormatUint(uint64(k), 10) }

func (uintKey[K]) Parse(_ runtime.Format, text string) (K, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	k := K(n)
	var space [20]byte
	if err != nil || uint64(k) != n || string(strconv.AppendUint(space[:0], n, 10)) != text {
		return 0, badKey(wantUint[K](), text)
	}
	return k, nil
}

func (uintKey[K]) Compare(a, b K) int { return cmp.Compare(a, b) }

func (c uintKey[K]) appendKey(b []byte, f runtime.Format, k K) []byte {
	if f != runtime.JSON {
		return msgp.AppendUint64(b, uint64(k))
	}
	b = append(b, '"')
	b = strconv.AppendUint(b, uint64(k), 10)
	return append(b, '"')
}

func (c uintKey[K]) readKey(b []byte, f runtime.Format) (K, []byte, error) {
	if f == runtime.JSON {
		return textKeys[K]{c}.readKey(b, f)
	}
	return uintCodec[K]{}.Read(b, f)
}

func badKey(want, text string) error {
	return mismatch(want+" as a key", quoteShort(text))
}
