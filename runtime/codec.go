package runtime

import (
	"encoding/base64"
	"strings"
	"unsafe"
)

// A Format is how values are encoded in a store.
type Format uint8

const (
	MessagePack Format = iota // compact, the default
	JSON                      // for stores that are queried, such as Postgres
)

// String returns the format's name.
func (f Format) String() string {
	if f == JSON {
		return "JSON"
	}
	return "MessagePack"
}

// A Codec encodes values of one type. Encoding is deterministic: equal values
// have equal encodings. Package codec has them for every type that a session
// field can have.
type Codec[T any] interface {
	// Append appends the encoding of v to b. Only types that marshal themselves
	// can fail.
	Append(b []byte, f Format, v T) ([]byte, error)

	// Read decodes the value that b begins with and returns what follows it. It
	// never panics, allocates no more than a small multiple of len(b), and does
	// not change b. Nobody else does either, so that strings of v may be parts
	// of it; everything that can be changed is a copy.
	Read(b []byte, f Format) (v T, rest []byte, err error)
}

// A fitter is a codec of values that may be much larger in memory than they are
// stored, which Read refuses.
type fitter[T any] interface {
	// Fits returns an error that matches ErrTooLarge if Read would refuse v, which
	// is encoded in n bytes.
	Fits(v T, n int) error
}

// An elementer is a codec that has another one for elements of a map field.
type elementer[T any] interface {
	Element() Codec[T]
}

// A KeyCodec writes the keys of a map as the last part of an entry's key.
// Distinct keys have distinct texts.
type KeyCodec[K any] interface {
	Text(f Format, k K) string
	Parse(f Format, text string) (K, error)
	Compare(a, b K) int
}

// bytesForm writes bytes that only the runtime reads as a store of the format keeps
// them.
func bytesForm(f Format, b []byte) string {
	if f == JSON {
		return `"` + base64.StdEncoding.EncodeToString(b) + `"`
	}
	return string(b)
}

// formBytes reads what bytesForm has written, strictly: it has one spelling.
func formBytes(f Format, form string) ([]byte, bool) {
	if f != JSON {
		return []byte(form), true
	}
	text, opened := strings.CutPrefix(form, `"`)
	text, closed := strings.CutSuffix(text, `"`)
	if !opened || !closed || strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	return b, err == nil
}

// stringBytes returns the bytes of s without a copy, for readers only.
func stringBytes(s string) []byte {
	return unsafe.Slice(unsafe.StringData(s), len(s))
}

// byteString returns b as a string without a copy. Nobody changes b any more.
func byteString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
