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

// A part is what encodes values that may refer to others, of any number or size. The
// room is how many bytes of memory may still be allocated.
type part[T any] interface {
	// Append is that of [runtime.Codec].
	Append(b []byte, f runtime.Format, v T) ([]byte, error)

	// readIn returns what remains of the room, too. What the value itself takes was
	// taken from it already.
	readIn(b []byte, f runtime.Format, room int) (v T, rest []byte, left int, err error)

	// weight returns what readIn takes from the room for a value.
	weight(v *T) int
}

// bounded is the codec of whole values that a part encodes, or of elements of a map field.
// It is one type for all parts: with its methods in each of them, a program would compile
// them several times for each type of values.
type bounded[T any] struct {
	_ [0]func() // as in an [element]

	part     part[T]
	refers   bool // some values have a weight
	nullable bool // some are encoded as nil
	room     int  // for what is empty in a value
	size     int  // what the value itself takes of that
}

func boundedOf[T any](p part[T], refers bool) *bounded[T] {
	return &bounded[T]{part: p, refers: refers, room: forValue}
}

// Append implements [runtime.Codec].
func (c *bounded[T]) Append(b []byte, f runtime.Format, v T) ([]byte, error) {
	return c.part.Append(b, f, v)
}

// Read implements [runtime.Codec].
func (c *bounded[T]) Read(b []byte, f runtime.Format) (T, []byte, error) {
	var none T
	room, err := take(perByte*len(b)+c.room, c.size)
	if err != nil {
		return none, nil, err
	}
	v, rest, _, err := c.part.readIn(b, f, room)
	if err != nil {
		return none, nil, err
	}
	return v, rest, nil
}

// Fits returns an error if a value that is encoded in n bytes would not be read again,
// because it takes too much memory. It matches [runtime.ErrTooLarge].
func (c *bounded[T]) Fits(v T, n int) error {
	size := c.size
	if c.refers {
		size += c.part.weight(&v)
	}
	return fits(size, perByte*n+c.room)
}

// Element returns the codec for elements of a map field.
func (c *bounded[T]) Element() runtime.Codec[T] {
	e := *c
	e.room, e.size = forElement, sizeOf[T]()
	return &e
}

func (c *bounded[T]) inside() (p part[T], refers bool) { return c.part, c.refers }

func (c *bounded[T]) isNullable() bool { return c.nullable }

func fits(size, room int) error {
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
