package codec

import (
	"bytes"
	"encoding"
	"fmt"

	"github.com/duckgen/duckgen/runtime"
	"github.com/tinylib/msgp/msgp"
)

// Binary returns the codec of types that marshal themselves to bytes. A method
// AppendBinary is preferred to MarshalBinary. Errors of the methods are
// returned; UnmarshalBinary is given bytes of its own.
func Binary[T any, P interface {
	*T
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}]() runtime.Codec[T] {
	return binaryCodec[T, P]{}
}

// Text returns the codec of types that marshal themselves to text. A method
// AppendText is preferred to MarshalText. Errors of the methods are returned;
// UnmarshalText is given bytes of its own.
func Text[T any, P interface {
	*T
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}]() runtime.Codec[T] {
	return textCodec[T, P]{}
}

type binaryCodec[T any, P interface {
	*T
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}] struct{}

func (binaryCodec[T, P]) Append(b []byte, f runtime.Format, v T) ([]byte, error) {
	if f == runtime.JSON {
		data, err := appendBinary(nil, P(&v))
		if err != nil {
			return nil, err
		}
		return appendBase64(b, data), nil
	}
	out, err := appendBinary(append(b, lengthSpace...), P(&v))
	if err != nil {
		return nil, err
	}
	return msgp.AppendBytesTwoPrefixed(out, len(out)-len(b)-len(lengthSpace)), nil
}

func (binaryCodec[T, P]) Read(b []byte, f runtime.Format) (T, []byte, error) {
	var v, none T
	data, rest, err := readBytes(b, f)
	if err != nil {
		return none, nil, err
	}
	if err := P(&v).UnmarshalBinary(data); err != nil {
		return none, nil, methodError("UnmarshalBinary", err)
	}
	return v, rest, nil
}

type textCodec[T any, P interface {
	*T
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}] struct{}

func (textCodec[T, P]) Append(b []byte, f runtime.Format, v T) ([]byte, error) {
	if f == runtime.JSON {
		text, err := appendText(nil, P(&v))
		if err != nil {
			return nil, err
		}
		return appendQuoted(b, escape(string(text))), nil
	}
	out, err := appendText(append(b, lengthSpace...), P(&v))
	if err != nil {
		return nil, err
	}
	return msgp.AppendBytesStringTwoPrefixed(out, len(out)-len(b)-len(lengthSpace)), nil
}

func (textCodec[T, P]) Read(b []byte, f runtime.Format) (T, []byte, error) {
	var v, none T
	text, rest, err := readString(b, f)
	if err != nil {
		return none, nil, err
	}
	if err := P(&v).UnmarshalText(bytes.Clone(text)); err != nil {
		return none, nil, methodError("UnmarshalText", err)
	}
	return v, rest, nil
}

// Others returns how a string of the same text is encoded.
func (c textCodec[T, P]) Others(f runtime.Format, v T) []string {
	text, err := appendText(nil, P(&v))
	if f == runtime.JSON || err != nil || len(text) > maxFixedString {
		return nil
	}
	return []string{string(msgp.AppendStringFromBytes(nil, text))}
}

// lengthSpace holds the place of a header with a length of up to 255. msgp fills
// it in once the length is known, and widens it where that is larger.
const lengthSpace = "\x00\x00"

func appendBinary(b []byte, m encoding.BinaryMarshaler) ([]byte, error) {
	if a, ok := m.(encoding.BinaryAppender); ok {
		out, err := a.AppendBinary(b)
		return checkAppended("AppendBinary", b, out, err)
	}
	data, err := m.MarshalBinary()
	if err != nil {
		return nil, methodError("MarshalBinary", err)
	}
	return append(b, data...), nil
}

func appendText(b []byte, m encoding.TextMarshaler) ([]byte, error) {
	if a, ok := m.(encoding.TextAppender); ok {
		out, err := a.AppendText(b)
		return checkAppended("AppendText", b, out, err)
	}
	text, err := m.MarshalText()
	if err != nil {
		return nil, methodError("MarshalText", err)
	}
	return append(b, text...), nil
}

func checkAppended(method string, b, out []byte, err error) ([]byte, error) {
	if err == nil && len(out) < len(b) {
		err = fmt.Errorf("it returned %d bytes, fewer than the %d it was given", len(out), len(b))
	}
	if err != nil {
		return nil, methodError(method, err)
	}
	return out, nil
}

func methodError(method string, err error) error {
	return &valueError{err: fmt.Errorf("%s: %w", method, err)}
}
