package codec

import "github.com/duckgen/duckgen/runtime"

// An element is the codec of a part of a value: a struct's member, an element of
// a slice, array or map, what a pointer points to. Parts have an address, so the
// large ones are not copied.
type element[E any] struct {
	_ [0]func() // not compared, for which a function would be compiled for each type

	codec  runtime.Codec[E]
	place  placeCodec[E] // nil: the codec works by value
	part   part[E]       // nil: its values refer to nothing
	refers bool          // some values of the part do
	test   zeroTester[E] // nil: no value counts as zero
}

// A placeCodec works on values where they are.
type placeCodec[E any] interface {
	appendAt(b []byte, f runtime.Format, v *E) ([]byte, error)
	readAt(b []byte, f runtime.Format, v *E, room int) (rest []byte, left int, err error) // overwrites all of *v
	zeroAt(v *E) bool
}

// A composite is the codec of a part. Only [bounded] is one: with that type in the place
// of this, its methods would be compiled for scalars, too.
type composite[E any] interface {
	inside() (p part[E], refers bool)
}

// A zeroTester knows which values have the same encoding as the zero value.
// Codecs of types that marshal themselves do not.
type zeroTester[E any] interface {
	zero(v E) bool
}

func elementOf[E any](c runtime.Codec[E]) element[E] {
	e := element[E]{codec: c}
	inner, ok := c.(composite[E])
	if !ok {
		e.test, _ = c.(zeroTester[E])
		return e
	}
	e.part, e.refers = inner.inside()
	e.place, _ = e.part.(placeCodec[E])
	e.test, _ = e.part.(zeroTester[E])
	return e
}

func (e *element[E]) append(b []byte, f runtime.Format, v *E) ([]byte, error) {
	if e.place != nil {
		return e.place.appendAt(b, f, v)
	}
	return e.codec.Append(b, f, *v)
}

// read reads into *v and returns what remains of the room.
func (e *element[E]) read(b []byte, f runtime.Format, v *E, room int) (rest []byte, left int, err error) {
	if e.place != nil {
		return e.place.readAt(b, f, v, room)
	}
	*v, rest, left, err = e.readIn(b, f, room)
	return rest, left, err
}

// readIn is that of a [part].
func (e *element[E]) readIn(b []byte, f runtime.Format, room int) (v E, rest []byte, left int, err error) {
	if e.part != nil {
		return e.part.readIn(b, f, room)
	}
	v, rest, err = e.codec.Read(b, f)
	return v, rest, room, err
}

// weight is that of a [part].
func (e *element[E]) weight(v *E) int {
	if e.part == nil {
		return 0
	}
	return e.part.weight(v)
}

func (e *element[E]) zero(v *E) bool {
	switch {
	case e.place != nil:
		return e.place.zeroAt(v)
	case e.test != nil:
		return e.test.zero(*v)
	default:
		return false
	}
}
