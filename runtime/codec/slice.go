package codec

import (
	"slices"

	"github.com/duckgen/duckgen/runtime"
)

// Slice returns the codec of slices. An empty one is read as nil.
func Slice[S ~[]E, E any](elem runtime.Codec[E]) runtime.Codec[S] {
	return boundedOf(&sliceCodec[S, E]{elementOf(elem)}, true)
}

type sliceCodec[S ~[]E, E any] struct {
	elem element[E]
}

func (c *sliceCodec[S, E]) Append(b []byte, f runtime.Format, v S) ([]byte, error) {
	return appendElements(b, f, &c.elem, v)
}

func (c *sliceCodec[S, E]) readIn(b []byte, f runtime.Format, room int) (S, []byte, int, error) {
	l, b, err := openArray(b, f)
	if err != nil {
		return nil, nil, 0, err
	}
	var v S
	if l.left > 0 {
		if room, err = takeEach(room, l.left, sizeOf[E]()); err != nil {
			return nil, nil, 0, err
		}
		v = make(S, 0, l.left)
	}
	var more bool
	for {
		if b, more, err = l.next(b); err != nil {
			return nil, nil, 0, err
		}
		if !more {
			return v, b, room, nil
		}
		if f == runtime.JSON { // which does not say how many there are
			if room, err = take(room, sizeOf[E]()); err != nil {
				return nil, nil, 0, err
			}
		}
		last := len(v)
		v = extend(v)
		if b, room, err = c.elem.read(b, f, &v[last], room); err != nil {
			return nil, nil, 0, within(indexStep(last), err)
		}
	}
}

func (c *sliceCodec[S, E]) weight(v *S) int {
	total := len(*v) * sizeOf[E]()
	if !c.elem.refers {
		return total
	}
	for i := range *v {
		total += c.elem.weight(&(*v)[i])
	}
	return total
}

// extend adds an element that is to be overwritten. Where there is no room, it
// doubles, which leaves less behind than append does.
func extend[S ~[]E, E any](v S) S {
	if len(v) == cap(v) {
		v = slices.Grow(v, max(4, len(v)))
	}
	return v[:len(v)+1]
}

func (c *sliceCodec[S, E]) zero(v S) bool { return len(v) == 0 }

func appendElements[E any](b []byte, f runtime.Format, elem *element[E], v []E) ([]byte, error) {
	b = appendArrayStart(b, f, len(v))
	for i := range v {
		var err error
		if b, err = elem.append(appendSeparator(b, f, i), f, &v[i]); err != nil {
			return nil, within(indexStep(i), err)
		}
	}
	return appendEnd(b, f, ']'), nil
}
