package runtime

import (
	"context"
	"errors"
	"sync"
)

// A Value is a field that is stored as one entry: a scalar, a struct, an array,
// a pointer or a type that marshals itself.
type Value[T any] struct {
	Field
	Codec   Codec[T]
	Default T
	Merge   Merge
	Compare func(a, b T) int // for MergeMax and MergeMin
}

// A respeller is a codec of values that other types, which the field may have had
// before, encode differently: an index compares encodings.
type respeller[T any] interface {
	// Others returns the other encodings of v.
	Others(f Format, v T) []string
}

// sizer is a codec of values that have a length in bytes.
type sizer[T any] interface {
	Size(v T) int
}

func (f *Value[T]) prepare() {
	switch f.Merge {
	case MergeMax, MergeMin:
		f.fold = f.pick
	case MergeFirst:
		f.fold, f.first = keepFirst(f.Codec), true
	}
	prepareDefault(&f.Field, f.Codec, f.Default)
	f.spellings = f.others
}

// others returns the other encodings of the value that one encodes.
func (f *Value[T]) others(format Format, encoded string) []string {
	c, ok := f.Codec.(respeller[T])
	if !ok {
		return nil
	}
	v, err := decode(f.Codec, format, encoded)
	if err != nil {
		return nil
	}
	return c.Others(format, v)
}

// Get returns the field's value, or its default if nothing is stored.
func (f *Value[T]) Get(s *Session) T {
	raw, ok := read(s, &f.Field, (*draft).scalar)
	v, _ := f.decode(s, raw, ok)
	return v
}

// Take returns the field's value and clears it. What another request stores
// meanwhile stays.
func (f *Value[T]) Take(s *Session) T {
	raw, ok := take(s, whole(&f.Field), (*draft).scalar)
	v, _ := f.decode(s, raw, ok)
	return v
}

// Claim takes the field's value at once, in a conditional step of its own: of any
// number of requests one gets true, or none if an answer of the store is lost.
func (f *Value[T]) Claim(ctx context.Context, s *Session) (T, bool, error) {
	raw, ok, err := claim(ctx, s, whole(&f.Field), (*draft).scalar)
	v, ok := f.decode(s, raw, ok)
	return v, ok, err
}

// Set changes the field. On MergeMax and MergeMin the stored value stays if
// it is larger or smaller, on MergeFirst whatever it is.
func (f *Value[T]) Set(s *Session, v T) {
	value, err := f.encode(s, v)
	set(s, &f.Field, value, err)
}

// Ensure returns the stored value, or stores v in a conditional step of its own and
// returns what won. It is for MergeFirst.
func (f *Value[T]) Ensure(ctx context.Context, s *Session, v T) (T, error) {
	value, err := f.encode(s, v)
	raw, ok, err := ensure(ctx, s, whole(&f.Field), value, err, (*draft).scalar)
	v, _ = f.decode(s, raw, ok)
	return v, err
}

func (f *Value[T]) encode(s *Session, v T) (string, error) {
	value, err := encode(f.Codec, s.engine.format, v)
	if c, ok := f.Codec.(sizer[T]); ok && f.Max > 0 && c.Size(v) > f.Max {
		err = &LimitError{Field: f.Key, Limit: f.Max, Err: ErrTooLarge}
	}
	return value, err
}

// decode returns the default if there is no value, or one that does not fit.
func (f *Value[T]) decode(s *Session, raw string, found bool) (v T, ok bool) {
	if !found {
		return f.Default, false
	}
	v, err := decode(f.Codec, s.engine.format, raw)
	if err != nil {
		reportMisfit(s, f.Key, err)
		return f.Default, false
	}
	return v, true
}

// pick is the fold of MergeMax and MergeMin.
func (f *Value[T]) pick(format Format, stored, pending string) (string, error) {
	if stored == "" {
		return pending, nil
	}
	before, err := decode(f.Codec, format, stored)
	if err != nil {
		return "", misfitError{err}
	}
	after, err := decode(f.Codec, format, pending)
	if err != nil {
		return "", err
	}
	order := f.Compare(before, after)
	if f.Merge == MergeMin {
		order = -order
	}
	if order >= 0 {
		return stored, nil
	}
	return pending, nil
}

// How values become encodings, and encodings values.

var errTrailing = errors.New("bytes after the value")

// scratch holds the buffers that values are encoded in, so that what is kept has
// exactly its size.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// maxScratch bounds what is kept of a buffer that a large value has let grow.
const maxScratch = 64 << 10

func encode[T any](c Codec[T], f Format, v T) (string, error) {
	space := scratch.Get().(*[]byte)
	b, err := c.Append((*space)[:0], f, v)
	if err != nil {
		return "", err
	}
	value := string(b)
	if cap(b) <= maxScratch {
		*space = b
	}
	scratch.Put(space)
	if c, ok := c.(fitter[T]); ok {
		return value, c.Fits(v, len(value))
	}
	return value, nil
}

func decode[T any](c Codec[T], f Format, raw string) (T, error) {
	v, rest, err := c.Read(stringBytes(raw), f)
	if err == nil && len(rest) > 0 {
		err = errTrailing
	}
	if err != nil {
		var none T
		return none, err
	}
	return v, nil
}

// recode returns the function that spells a stored value as the codec would.
func recode[T any](c Codec[T]) func(Format, string) (string, error) {
	return func(f Format, stored string) (string, error) {
		v, err := decode(c, f, stored)
		if err != nil {
			return "", err
		}
		return encode(c, f, v)
	}
}

// keepFirst returns the fold of MergeFirst.
func keepFirst[T any](c Codec[T]) func(Format, string, string) (string, error) {
	return func(f Format, stored, pending string) (string, error) {
		if stored == "" {
			return pending, nil
		}
		if _, err := decode(c, f, stored); err != nil {
			return "", misfitError{err}
		}
		return stored, nil
	}
}

// prepareDefault encodes the default in every format.
func prepareDefault[T any](f *Field, c Codec[T], v T) {
	for _, format := range []Format{MessagePack, JSON} {
		f.defaults[format] = defaultForm(c, format, v)
	}
	f.canonical = recode(c)
}

// defaultForm returns the encoding of the default, none of a type that cannot
// marshal its zero value, or panics: then no value is the default.
func defaultForm[T any](c Codec[T], format Format, v T) (form string) {
	defer func() {
		if recover() != nil {
			form = ""
		}
	}()
	form, _ = encode(c, format, v)
	return form
}
