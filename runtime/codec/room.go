package codec

import (
	"fmt"
	"unsafe"

	"github.com/duckgen/duckgen/runtime"
)

// What is empty takes a byte where it is stored and may take thousands in memory: an
// element of a slice that is a large struct without a member that is not zero. So a
// value may take at most perByte bytes of memory for each byte of its encoding, and
// some more, whatever its type. That is judged when it is read, before its parts are
// allocated, and when it is to be stored.
const (
	perByte    = 64
	forValue   = 64 << 10
	forElement = 4 << 10 // of a map field, which may have many elements
)

// A part is a codec of values that may refer to others, of any number or size. The
// room is how many bytes of memory may still be allocated.
type part[T any] interface {
	runtime.Codec[T]

	// readIn is Read, and returns what remains of the room. What the value itself
	// takes was taken from it already.
	readIn(b []byte, f runtime.Format, room int) (v T, rest []byte, left int, err error)

	// weight returns what readIn takes from the room for a value.
	weight(v *T) int

	// refers reports whether any value has a weight.
	refers() bool
}

// whole makes a part the codec of whole values.
type whole[T any] struct{ part part[T] }

// Read implements [runtime.Codec].
func (w *whole[T]) Read(b []byte, f runtime.Format) (T, []byte, error) {
	return readWithin(w.part, b, f, perByte*len(b)+forValue)
}

// Fits returns an error if a value that is encoded in n bytes would not be read again,
// because it takes too much memory. It matches [runtime.ErrTooLarge].
func (w *whole[T]) Fits(v T, n int) error {
	return fits(w.part, &v, 0, perByte*n+forValue)
}

// Element returns the codec for elements of a map field.
func (w *whole[T]) Element() runtime.Codec[T] { return &elementCodec[T]{w.part} }

// An elementCodec does not embed the part: whoever compiles a codec would compile the
// part's methods once more.
type elementCodec[T any] struct{ part part[T] }

// Append implements [runtime.Codec].
func (c *elementCodec[T]) Append(b []byte, f runtime.Format, v T) ([]byte, error) {
	return c.part.Append(b, f, v)
}

// Read implements [runtime.Codec].
func (c *elementCodec[T]) Read(b []byte, f runtime.Format) (T, []byte, error) {
	return readWithin(c.part, b, f, perByte*len(b)+forElement-sizeOf[T]())
}

// Fits is [whole.Fits] of an element.
func (c *elementCodec[T]) Fits(v T, n int) error {
	return fits(c.part, &v, sizeOf[T](), perByte*n+forElement)
}

func readWithin[T any](p part[T], b []byte, f runtime.Format, room int) (T, []byte, error) {
	var none T
	if room < 0 {
		return none, nil, noRoom()
	}
	v, rest, _, err := p.readIn(b, f, room)
	if err != nil {
		return none, nil, err
	}
	return v, rest, nil
}

func fits[T any](p part[T], v *T, size, room int) error {
	if p.refers() {
		size += p.weight(v)
	}
	if size > room {
		return &valueError{err: fmt.Errorf("%w: most of what it holds is empty, which takes %d bytes of memory, not more than %d",
			runtime.ErrTooLarge, size, room)}
	}
	return nil
}

// take takes n bytes from the room.
func take(room, n int) (left int, err error) {
	if n > room {
		return 0, noRoom()
	}
	return room - n, nil
}

// takeEach takes n times the same size from the room.
func takeEach(room, n, size int) (left int, err error) {
	if size > 0 && n > room/size {
		return 0, noRoom()
	}
	return room - n*size, nil
}

func noRoom() error {
	return mismatch("a value that is not much larger in memory than it is stored", "one that is")
}

func sizeOf[T any]() int {
	var v T
	return int(unsafe.Sizeof(v))
}
