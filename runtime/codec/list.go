package codec

import (
	"strconv"

	"github.com/duckgen/duckgen/runtime"
	"github.com/tinylib/msgp/msgp"
)

const (
	wantArray = "an array"
	wantMap   = "a map"
)

// A list is the position of a reader in an array or map of either format.
type list struct {
	format  runtime.Format
	end     byte // what closes it in JSON
	started bool // an item has been read, in JSON

	// left is how many items are still to come, in MessagePack. There is at
	// least a byte for each, so it is safe to make room for them.
	left int
}

// openArray reads the beginning of an array.
func openArray(b []byte, f runtime.Format) (list, []byte, error) {
	if f == runtime.JSON {
		return openJSON(b, '[', ']', wantArray)
	}
	n, rest, err := msgp.ReadArrayHeaderBytes(b)
	if err == nil && uint64(n) > uint64(len(rest)) {
		err = msgp.ErrShortBytes
	}
	if err != nil {
		return list{}, nil, unread(b, wantArray, err)
	}
	return list{format: f, left: int(n)}, rest, nil
}

// openMap reads the beginning of a map. Its items are a key and a value each.
func openMap(b []byte, f runtime.Format) (list, []byte, error) {
	if f == runtime.JSON {
		return openJSON(b, '{', '}', wantMap)
	}
	n, rest, err := msgp.ReadMapHeaderBytes(b)
	if err == nil && 2*uint64(n) > uint64(len(rest)) {
		err = msgp.ErrShortBytes
	}
	if err != nil {
		return list{}, nil, unread(b, wantMap, err)
	}
	return list{format: f, left: int(n)}, rest, nil
}

func openJSON(b []byte, open, end byte, want string) (list, []byte, error) {
	rest, ok := cutByte(b, open)
	if !ok {
		return list{}, nil, unexpected(b, want)
	}
	return list{format: runtime.JSON, end: end}, rest, nil
}

// next moves to the next item, or behind the end where there is none.
func (l *list) next(b []byte) (rest []byte, more bool, err error) {
	if l.format != runtime.JSON {
		l.left--
		return b, l.left >= 0, nil
	}
	if rest, ok := cutByte(b, l.end); ok {
		return rest, false, nil
	}
	if !l.started {
		l.started = true
		return b, true, nil
	}
	rest, ok := cutByte(b, ',')
	if !ok {
		return nil, false, unexpected(b, "',' or '"+string(l.end)+"'")
	}
	return rest, true, nil
}

// item moves to item i of a list that must have n.
func (l *list) item(b []byte, i, n int) ([]byte, error) {
	rest, more, err := l.next(b)
	if err == nil && !more {
		err = mismatch(arrayOf(n), "one of length "+strconv.Itoa(i))
	}
	return rest, err
}

// close moves behind the end of a list whose n items have been read.
func (l *list) close(b []byte, n int) ([]byte, error) {
	rest, more, err := l.next(b)
	if err == nil && more {
		err = mismatch(arrayOf(n), "a longer one")
	}
	return rest, err
}

func arrayOf(n int) string { return "an array of length " + strconv.Itoa(n) }

func appendArrayStart(b []byte, f runtime.Format, n int) []byte {
	if f == runtime.JSON {
		return append(b, '[')
	}
	return msgp.AppendArrayHeader(b, uint32(n))
}

func appendMapStart(b []byte, f runtime.Format, n int) []byte {
	if f == runtime.JSON {
		return append(b, '{')
	}
	return msgp.AppendMapHeader(b, uint32(n))
}

// appendSeparator precedes the item with the given index.
func appendSeparator(b []byte, f runtime.Format, i int) []byte {
	if f == runtime.JSON && i > 0 {
		return append(b, ',')
	}
	return b
}

// appendEnd follows the last item.
func appendEnd(b []byte, f runtime.Format, end byte) []byte {
	if f == runtime.JSON {
		return append(b, end)
	}
	return b
}
