package codec

import "github.com/duckgen/duckgen/runtime"

// Convert returns the codec of T that stores values as U. The two functions must
// be inverse to each other, as the conversions between a named type and its
// underlying type are.
func Convert[T, U any](c runtime.Codec[U], to func(U) T, from func(T) U) runtime.Codec[T] {
	return &convertCodec[T, U]{elementOf(c), to, from}
}

type convertCodec[T, U any] struct {
	elem element[U]
	to   func(U) T
	from func(T) U
}

func (c *convertCodec[T, U]) Append(b []byte, f runtime.Format, v T) ([]byte, error) {
	return c.elem.codec.Append(b, f, c.from(v))
}

func (c *convertCodec[T, U]) Read(b []byte, f runtime.Format) (T, []byte, error) {
	u, rest, err := c.elem.codec.Read(b, f)
	if err != nil {
		var none T
		return none, nil, err
	}
	return c.to(u), rest, nil
}

func (c *convertCodec[T, U]) zero(v T) bool {
	u := c.from(v)
	return c.elem.zero(&u)
}

func (c *convertCodec[T, U]) nullable() bool { return isNullable(c.elem.codec) }
