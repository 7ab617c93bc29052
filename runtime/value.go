package runtime

// A Value is a field that is stored as one entry: a scalar, a struct, an array,
// a pointer or a type that marshals itself.
type Value[T any] struct {
	Field
	Codec   Codec[T]
	Default T
	Merge   Merge
	Compare func(a, b T) int // for MergeMax and MergeMin
}

// sizer is a codec of values that have a length in bytes.
type sizer[T any] interface {
	Size(v T) int
}

func (f *Value[T]) prepare() {
	if f.Merge != MergeLast {
		f.fold = f.pick
	}
	prepareDefault(&f.Field, f.Codec, f.Default)
}

// Get returns the field's value, or its default if nothing is stored.
func (f *Value[T]) Get(s *Session) T {
	raw, ok := read(s, &f.Field, (*draft).scalar)
	return f.decode(s, raw, ok)
}

// Take returns the field's value and clears it. What another request stores
// meanwhile stays.
func (f *Value[T]) Take(s *Session) T {
	raw, ok := take(s, &f.Field, (*draft).scalar)
	return f.decode(s, raw, ok)
}

// Set changes the field. On MergeMax and MergeMin the stored value stays if
// it is larger or smaller.
func (f *Value[T]) Set(s *Session, v T) {
	value, err := encode(f.Codec, s.engine.format, v)
	if c, ok := f.Codec.(sizer[T]); ok && f.Max > 0 && c.Size(v) > f.Max {
		err = &LimitError{Field: f.Key, Limit: f.Max, Err: ErrTooLarge}
	}
	s.write(&f.Field, func(d *draft) { d.set(&f.Field, value, err) })
}

func (f *Value[T]) decode(s *Session, raw string, ok bool) T {
	if !ok {
		return f.Default
	}
	v, err := decode(f.Codec, s.engine.format, raw)
	if err != nil {
		reportMisfit(s, f.Key, err)
		return f.Default
	}
	return v
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
