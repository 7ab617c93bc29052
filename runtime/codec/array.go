package codec

import "github.com/duckgen/duckgen/runtime"

// Array returns the codec of arrays, which are read only from exactly as many
// elements as they have. elems returns the whole array as a slice.
func Array[A, E any](elem runtime.Codec[E], elems func(*A) []E) runtime.Codec[A] {
	return &arrayCodec[A, E]{elementOf(elem), elems}
}

type arrayCodec[A, E any] struct {
	elem  element[E]
	elems func(*A) []E
}

func (c *arrayCodec[A, E]) Append(b []byte, f runtime.Format, v A) ([]byte, error) {
	return c.appendAt(b, f, &v)
}

func (c *arrayCodec[A, E]) Read(b []byte, f runtime.Format) (A, []byte, error) {
	return readValue(c, b, f)
}

func (c *arrayCodec[A, E]) appendAt(b []byte, f runtime.Format, v *A) ([]byte, error) {
	return appendElements(b, f, &c.elem, c.elems(v))
}

func (c *arrayCodec[A, E]) readAt(b []byte, f runtime.Format, v *A) ([]byte, error) {
	l, b, err := openArray(b, f)
	if err != nil {
		return nil, err
	}
	elems := c.elems(v)
	for i := range elems {
		if b, err = l.item(b, i, len(elems)); err != nil {
			return nil, err
		}
		if b, err = c.elem.read(b, f, &elems[i]); err != nil {
			return nil, within(indexStep(i), err)
		}
	}
	return l.close(b, len(elems))
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
func readValue[T any](c placeCodec[T], b []byte, f runtime.Format) (T, []byte, error) {
	var v, none T
	rest, err := c.readAt(b, f, &v)
	if err != nil {
		return none, nil, err
	}
	return v, rest, nil
}
