package codec

import "github.com/duckgen/duckgen/runtime"

// Convert returns the codec of T that stores values as U. The two functions must
// be inverse to each other, as the conversions between a named type and its
// underlying type are.
func Convert[T, U any](c runtime.Codec[U], to func(U) T, from func(T) U) runtime.Codec[T] {
	converted := &convertCodec[T, U]{elem: elementOf(c), to: to, from: from}
	w := boundedOf(converted, converted.elem.refers)
	w.nullable = isNullable(c)
	return w
}

type convertCodec[T, U any] struct {
	elem element[U]
	to   func(U) T
	from func(T) U
}

func (c *convertCodec[T, U]) Append(b []byte, f runtime.Format, v T) ([]byte, error) {
	return c.elem.codec.Append(b, f, c.from(v))
}

func (c *convertCodec[T, U]) readIn(b []byte, f runtime.Format, room int) (v T, rest []byte, left int, err error) {
	u, rest, left, err := c.elem.readIn(b, f, room)
	if err != nil {
		return v, nil, 0, err
	}
	return c.to(u), rest, left, nil
}

func (c *convertCodec[T, U]) weight(v *T) int {
	u := c.from(*v)
	return c.elem.weight(&u)
}

func (c *convertCodec[T, U]) zero(v T) bool {
	u := c.from(v)
	return c.elem.zero(&u)
}
