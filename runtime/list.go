package runtime

import (
	"iter"
	"slices"
)

// A List is a slice field, stored as one entry. Append merges with what others
// append at the same time.
type List[S ~[]E, E any] struct {
	Field
	Codec Codec[S]
}

func (f *List[S, E]) prepare() {
	f.fold = f.concat
	prepareDefault(&f.Field, f.Codec, nil)
}

// All yields the elements over a copy.
func (f *List[S, E]) All(s *Session) iter.Seq[E] { return slices.Values(f.Snapshot(s)) }

// Len returns the number of elements.
func (f *List[S, E]) Len(s *Session) int { return len(f.Snapshot(s)) }

// At returns a copy of element i. Like an index expression it panics if
// there is no such element.
func (f *List[S, E]) At(s *Session, i int) E { return f.Snapshot(s)[i] }

// Snapshot returns a copy of the slice.
func (f *List[S, E]) Snapshot(s *Session) S {
	raw, ok := read(s, &f.Field, (*draft).scalar)
	return f.decode(s, raw, ok)
}

// Take returns the slice and clears it.
func (f *List[S, E]) Take(s *Session) S {
	raw, ok := take(s, &f.Field, (*draft).scalar)
	return f.decode(s, raw, ok)
}

// Set replaces the slice. An empty one clears the field.
func (f *List[S, E]) Set(s *Session, v S) {
	if len(v) == 0 {
		f.Clear(s)
		return
	}
	value, err := encode(f.Codec, s.engine.format, v)
	if f.Max > 0 && len(v) > f.Max {
		err = &LimitError{Field: f.Key, Limit: f.Max, Err: ErrTooLarge}
	}
	s.write(&f.Field, func(d *draft) { d.replace(&f.Field, value, err) })
}

// Append adds elements at the end, after those that others have appended
// meanwhile. With Max the newest elements stay.
func (f *List[S, E]) Append(s *Session, v ...E) {
	if len(v) == 0 {
		return
	}
	value, err := encode(f.Codec, s.engine.format, S(v))
	s.write(&f.Field, func(d *draft) { d.set(&f.Field, value, err) })
}

func (f *List[S, E]) decode(s *Session, raw string, ok bool) S {
	if !ok {
		return nil
	}
	v, err := decode(f.Codec, s.engine.format, raw)
	if err != nil {
		reportMisfit(s, f.Key, err)
		return nil
	}
	return v
}

// concat is the fold of appending.
func (f *List[S, E]) concat(format Format, stored, pending string) (string, error) {
	var before S
	if stored != "" {
		var err error
		if before, err = decode(f.Codec, format, stored); err != nil {
			return "", misfitError{err}
		}
	}
	after, err := decode(f.Codec, format, pending)
	if err != nil {
		return "", err
	}
	all := append(before, after...)
	if f.Max > 0 && len(all) > f.Max {
		all = all[len(all)-f.Max:]
	}
	return encode(f.Codec, format, all)
}
