package codec

import (
	"encoding/binary"
	"strconv"

	"github.com/duckgen/duckgen/runtime"
	"github.com/tinylib/msgp/msgp"
)

// maxDepth is how deep the JSON of a member that is not known may be nested.
const maxDepth = 200

// skip moves behind a value of any type.
func skip(b []byte, f runtime.Format) (rest []byte, err error) {
	if f == runtime.JSON {
		return skipJSON(b, maxDepth)
	}
	return skipMessagePack(b)
}

// skipMessagePack counts the values that are still to come instead of calling
// itself for each level, so depth costs nothing.
func skipMessagePack(b []byte) ([]byte, error) {
	for left := uint64(1); left > 0; left-- {
		rest, inside, err := skipHead(b)
		if err == nil && left-1+inside > uint64(len(rest)) {
			err = msgp.ErrShortBytes
		}
		if err != nil {
			return nil, unread(b, "any value", err)
		}
		b = rest
		left += inside
	}
	return b, nil
}

// skipHead moves behind a scalar, or the header of an array or map, of which it
// returns how many values are inside.
func skipHead(b []byte) (rest []byte, inside uint64, err error) {
	switch msgp.NextType(b) {
	case msgp.ArrayType:
		n, rest, err := msgp.ReadArrayHeaderBytes(b)
		return rest, uint64(n), err
	case msgp.MapType:
		n, rest, err := msgp.ReadMapHeaderBytes(b)
		return rest, 2 * uint64(n), err
	default:
		if overlong(b) {
			return nil, 0, msgp.ErrShortBytes
		}
		rest, err = msgp.Skip(b)
		return rest, 0, err
	}
}

// overlong reports whether b begins with a length of 32 bits that is beyond its
// end. msgp cannot be asked: such a length may be a negative int where int has
// 32 bits.
func overlong(b []byte) bool {
	const bin32, ext32, str32 = 0xc6, 0xc9, 0xdb
	if len(b) < 5 || b[0] != bin32 && b[0] != ext32 && b[0] != str32 {
		return false
	}
	return uint64(binary.BigEndian.Uint32(b[1:])) > uint64(len(b)-5)
}

func skipJSON(b []byte, depth int) ([]byte, error) {
	const want = "a JSON value"
	if depth == 0 {
		return nil, mismatch(want, "more than "+strconv.Itoa(maxDepth)+" levels")
	}
	switch first(b) {
	case '{':
		return skipItems(b, '}', depth)
	case '[':
		return skipItems(b, ']', depth)
	case '"':
		_, rest, err := readQuoted(b)
		return rest, err
	}
	for _, literal := range [...]string{"true", "false", "null"} {
		if rest, ok := cutLiteral(b, literal); ok {
			return rest, nil
		}
	}
	_, rest, err := readNumber(b)
	if err != nil {
		return nil, unexpected(b, want)
	}
	return rest, nil
}

// skipItems moves behind an object or an array that ends with the given byte.
func skipItems(b []byte, end byte, depth int) (rest []byte, err error) {
	l := list{format: runtime.JSON, end: end}
	b = skipSpace(b)[1:]
	var more bool
	for {
		if b, more, err = l.next(b); err != nil || !more {
			return b, err
		}
		if end == '}' {
			if _, b, err = readName(b, runtime.JSON); err != nil {
				return nil, err
			}
		}
		if b, err = skipJSON(b, depth-1); err != nil {
			return nil, err
		}
	}
}
