package codec

import (
	"encoding/base64"
	"unsafe"

	"github.com/duckgen/duckgen/runtime"
	"github.com/tinylib/msgp/msgp"
)

// String returns the codec of strings, whatever bytes they hold.
func String[T ~string]() runtime.Codec[T] { return stringCodec[T]{} }

// Bytes returns the codec of byte slices. An empty one is read as nil.
func Bytes[T ~[]byte]() runtime.Codec[T] { return bytesCodec[T]{} }

type stringCodec[T ~string] struct{}

func (stringCodec[T]) Append(b []byte, f runtime.Format, v T) ([]byte, error) {
	if f == runtime.JSON {
		return appendQuoted(b, escape(string(v))), nil
	}
	return msgp.AppendString(b, string(v)), nil
}

func (stringCodec[T]) Read(b []byte, f runtime.Format) (T, []byte, error) {
	text, rest, err := readString(b, f)
	if err != nil {
		return "", nil, err
	}
	return T(asString(text)), rest, nil
}

func (stringCodec[T]) zero(v T) bool { return v == "" }

// Others returns how a type that marshals itself to the same text is encoded: with
// a header of two bytes where one would do.
func (stringCodec[T]) Others(f runtime.Format, v T) []string {
	if f == runtime.JSON || len(v) > maxFixedString {
		return nil
	}
	return []string{string(msgp.AppendBytesStringTwoPrefixed([]byte(lengthSpace+string(v)), len(v)))}
}

// maxFixedString is the length up to which the header of a string is one byte.
const maxFixedString = 31

// Size returns the length in bytes, which the option max= limits.
func (stringCodec[T]) Size(v T) int { return len(v) }

type bytesCodec[T ~[]byte] struct{}

func (bytesCodec[T]) Append(b []byte, f runtime.Format, v T) ([]byte, error) {
	if f == runtime.JSON {
		return appendBase64(b, v), nil
	}
	return msgp.AppendBytes(b, v), nil
}

func (bytesCodec[T]) Read(b []byte, f runtime.Format) (T, []byte, error) {
	data, rest, err := readBytes(b, f)
	if err != nil {
		return nil, nil, err
	}
	return data, rest, nil
}

func (bytesCodec[T]) zero(v T) bool { return len(v) == 0 }

// Size returns the length in bytes, which the option max= limits.
func (bytesCodec[T]) Size(v T) int { return len(v) }

// asString returns what has been read as a string, without a copy: stored bytes
// never change.
func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// readString returns the bytes of a stored string. They may be part of b.
func readString(b []byte, f runtime.Format) (text, rest []byte, err error) {
	const want = "a string"
	if f == runtime.JSON {
		quoted, rest, err := readQuoted(b)
		if err != nil {
			return nil, nil, err
		}
		text, ok := unescape(quoted)
		if !ok {
			return nil, nil, mismatch(want, "a DEL without two hexadecimal digits in it")
		}
		return text, rest, nil
	}
	if overlong(b) {
		return nil, nil, unread(b, want, msgp.ErrShortBytes)
	}
	text, rest, err = msgp.ReadStringZC(b)
	if err != nil {
		return nil, nil, unread(b, want, err)
	}
	return text, rest, nil
}

// readBytes returns new bytes, nil where there are none.
func readBytes(b []byte, f runtime.Format) (data, rest []byte, err error) {
	const want = "bytes"
	if f == runtime.JSON {
		return readBase64(b)
	}
	if overlong(b) {
		return nil, nil, unread(b, want, msgp.ErrShortBytes)
	}
	data, rest, err = msgp.ReadBytesZC(b)
	if err != nil {
		return nil, nil, unread(b, want, err)
	}
	return append([]byte(nil), data...), rest, nil
}

// strictBase64 accepts one spelling of each value.
var strictBase64 = base64.StdEncoding.Strict()

func appendBase64(b, data []byte) []byte {
	b = append(b, '"')
	b = strictBase64.AppendEncode(b, data)
	return append(b, '"')
}

// readBase64 returns new bytes, nil where there are none.
func readBase64(b []byte) (data, rest []byte, err error) {
	const want = "a string in base64"
	text, rest, err := readQuoted(b)
	if err != nil {
		return nil, nil, unexpected(b, want)
	}
	data, err = strictBase64.AppendDecode(nil, text)
	if err != nil {
		return nil, nil, mismatch(want, "another string")
	}
	return data, rest, nil
}
