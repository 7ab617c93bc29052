package codec

import (
	"errors"
	"strconv"

	"github.com/tinylib/msgp/msgp"
)

// A valueError says where in a value something is wrong. It does not show what
// is stored, which may be secret.
type valueError struct {
	path string // ".Lines[2]"; empty: the value itself
	err  error
}

func (e *valueError) Error() string {
	switch {
	case e.path == "":
		return "codec: " + e.err.Error()
	case e.path[0] == '.':
		return "codec: " + e.path[1:] + ": " + e.err.Error()
	default:
		return "codec: " + e.path + ": " + e.err.Error()
	}
}

func (e *valueError) Unwrap() error { return e.err }

// within adds a step to the path of an error that a part of a value has made.
func within(step string, err error) error {
	if e, ok := err.(*valueError); ok {
		return &valueError{path: step + e.path, err: e.err}
	}
	return &valueError{path: step, err: err}
}

func memberStep(name string) string { return "." + name }

func indexStep(i int) string { return "[" + strconv.Itoa(i) + "]" }

func keyStep(text string) string { return "[" + quoteShort(text) + "]" }

// quoteShort quotes the beginning of a text, so that a hostile one does not fill
// the log.
func quoteShort(text string) string {
	const most = 40
	if len(text) > most {
		return strconv.Quote(text[:most]) + "…"
	}
	return strconv.Quote(text)
}

// mismatch is the error of a reader that wanted something else.
func mismatch(want, found string) error {
	return &valueError{err: errors.New("want " + want + ", found " + found)}
}

// unexpected is the mismatch of a JSON reader with whatever b begins with.
func unexpected(b []byte, want string) error { return mismatch(want, describeJSON(b)) }

// unread is the mismatch of a MessagePack reader that has failed.
func unread(b []byte, want string, err error) error {
	found := describeMessagePack(b)
	switch {
	case err == msgp.ErrShortBytes && len(b) > 0:
		found += " that is cut short"
	case found == want:
		found += " that is invalid"
	}
	return mismatch(want, found)
}

func describeJSON(b []byte) string {
	switch first(b) {
	case 0:
		return "the end"
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	if _, ok := cutLiteral(b, "null"); ok {
		return "null"
	}
	if _, ok := cutLiteral(b, "true"); ok {
		return "a bool"
	}
	if _, ok := cutLiteral(b, "false"); ok {
		return "a bool"
	}
	if scanNumber(skipSpace(b)) > 0 {
		return "a number"
	}
	return "no value"
}

func describeMessagePack(b []byte) string {
	if len(b) == 0 {
		return "the end"
	}
	switch msgp.NextType(b) {
	case msgp.StrType:
		return "a string"
	case msgp.BinType:
		return "bytes"
	case msgp.MapType:
		return "a map"
	case msgp.ArrayType:
		return "an array"
	case msgp.Float32Type, msgp.Float64Type:
		return "a float"
	case msgp.BoolType:
		return "a bool"
	case msgp.IntType, msgp.UintType:
		return "an integer"
	case msgp.NilType:
		return "nil"
	case msgp.TimeType:
		return "a time"
	case msgp.InvalidType:
		return "no value"
	default:
		return "an extension"
	}
}
