package codec

import (
	"github.com/duckgen/duckgen/runtime"
	"github.com/tinylib/msgp/msgp"
)

// Pointer returns the codec of pointers, which are optional values.
func Pointer[E any](elem runtime.Codec[E]) runtime.Codec[*E] {
	if isNullable(elem) {
		elem = boxed(elem)
	}
	w := boundedOf(&pointerCodec[E]{elementOf(elem)}, true)
	w.nullable = true
	return w
}

// boxed puts a value that may be nil into an array of its own, so that a pointer
// to it is not taken for nil.
func boxed[E any](elem runtime.Codec[E]) runtime.Codec[E] {
	array := Array(elem, func(a *[1]E) []E { return a[:] })
	return Convert(array,
		func(a [1]E) E { return a[0] },
		func(v E) [1]E { return [1]E{v} })
}

// isNullable reports whether a codec's values may be encoded as nil.
func isNullable[E any](c runtime.Codec[E]) bool {
	n, ok := c.(interface{ isNullable() bool })
	return ok && n.isNullable()
}

type pointerCodec[E any] struct {
	elem element[E]
}

func (c *pointerCodec[E]) Append(b []byte, f runtime.Format, v *E) ([]byte, error) {
	switch {
	case v != nil:
		return c.elem.append(b, f, v)
	case f == runtime.JSON:
		return append(b, "null"...), nil
	default:
		return msgp.AppendNil(b), nil
	}
}

func (c *pointerCodec[E]) readIn(b []byte, f runtime.Format, room int) (*E, []byte, int, error) {
	if rest, ok := cutNil(b, f); ok {
		return nil, rest, room, nil
	}
	room, err := take(room, sizeOf[E]())
	if err != nil {
		return nil, nil, 0, err
	}
	v := new(E)
	rest, room, err := c.elem.read(b, f, v, room)
	return v, rest, room, err
}

func (c *pointerCodec[E]) weight(v **E) int {
	if *v == nil {
		return 0
	}
	return sizeOf[E]() + c.elem.weight(*v)
}

func (c *pointerCodec[E]) zero(v *E) bool { return v == nil }

func cutNil(b []byte, f runtime.Format) (rest []byte, ok bool) {
	if f == runtime.JSON {
		return cutLiteral(b, "null")
	}
	rest, err := msgp.ReadNilBytes(b)
	return rest, err == nil
}
