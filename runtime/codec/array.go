package codec

import "github.com/duckgen/duckgen/runtime"

// Array returns the codec of arrays, which are read only from exactly as many
// elements as they have. elems returns the whole array as a slice.
func Array[A, E any](elem runtime.Codec[E], elems func(*A) []E) runtime.Codec[A] {
	c := &arrayCodec[A, E]{elem: elementOf(elem), elems: elems}
	return boundedOf(c, c.elem.refers)
}

type arrayCodec[A, E any] struct {
	elem  element[E]
	elems func(*A) []E
}

func (c *arrayCodec[A, E]) Append(b []byte, f runtime.Format, v A) ([]byte, error) {
	return c.appendAt(b, f, &v)
}

func (c *arrayCodec[A, E]) appendAt(b []byte, f runtime.Format, v *A) ([]byte, error) {
	return appendElements(b, f, &c.elem, c.elems(v))
}

func (c *arrayCodec[A, E]) readIn(b []byte, f runtime.Format, room int) (A, []byte, int, error) {
	return readValue(c, b, f, room)
}

func (c *arrayCodec[A, E]) readAt(b []byte, f runtime.Format, v *A, room int) ([]byte, int, error) {
	l, b, err := openArray(b, f)
	if err != nil {
		return nil, 0, err
	}
	elems := c.elems(v)
	for i := range elems {
		if b, err = l.item(b, i, len(elems)); err != nil {
			return nil, 0, err
		}
		if b, room, err = c.elem.read(b, f, &elems[i], room); err != nil {
			return nil, 0, within(indexStep(i), err)
		}
	}
	b, err = l.close(b, len(elems))
	return b, room, err
}

func (c *arrayCodec[A, E]) weight(v *A) (total int) {
	elems := c.elems(v)
	for i := range elems {
		total += c.elem.weight(&elems[i])
	}
	return total
}

func (c *arrayCodec[A, E]) zeroAt(v *A) bool {
	elems := c.elems(v)
	for i := range elems {
		if !c.elem.zero(&elems[i]) {
			return false
		}
	}
	return true
}

// readValue reads by value with a codec that reads in place.
func readValue[T any](c placeCodec[T], b []byte, f runtime.Format, room int) (v T, rest []byte, left int, err error) {
	rest, left, err = c.readAt(b, f, &v, room)
	return v, rest, left, err
}
