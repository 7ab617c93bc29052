package runtime

import (
	"context"
	"iter"
	"slices"
)

// A List is a slice field, stored as one entry. Append merges with what others
// append at the same time.
type List[S ~[]E, E any] struct {
	Field
	Codec Codec[S]
	Merge Merge // MergeLast, MergeAppend or MergeFirst
}

func (f *List[S, E]) prepare() {
	switch f.Merge {
	case MergeAppend:
		f.fold, f.rest = f.concat, f.beyond
	case MergeFirst:
		f.fold, f.first = keepFirst(f.Codec), true
	}
	prepareDefault(&f.Field, f.Codec, nil)
}

// All yields the elements over a copy.
func (f *List[S, E]) All(s *Session) iter.Seq[E] { return slices.Values(f.Snapshot(s)) }

// Slice returns a copy of the slice. An empty one is not nil, so that JSON shows
// it as [].
func (f *List[S, E]) Slice(s *Session) S {
	if v := f.Snapshot(s); v != nil {
		return v
	}
	return S{}
}

// Len returns the number of elements.
func (f *List[S, E]) Len(s *Session) int { return len(f.Snapshot(s)) }

// At returns a copy of element i. Like an index expression it panics if
// there is no such element.
func (f *List[S, E]) At(s *Session, i int) E { return f.Snapshot(s)[i] }

// Snapshot returns a copy of the slice.
func (f *List[S, E]) Snapshot(s *Session) S {
	raw, ok := read(s, &f.Field, (*draft).scalar)
	v, _ := f.decode(s, raw, ok)
	return v
}

// Take returns the slice and clears it. What another request stores meanwhile
// stays, and with MergeAppend only the elements that were read go.
func (f *List[S, E]) Take(s *Session) S {
	raw, ok := take(s, whole(&f.Field), (*draft).scalar)
	v, _ := f.decode(s, raw, ok)
	return v
}

// Claim takes the slice at once, in a conditional step of its own: of any number of
// requests one gets true, or none if an answer of the store is lost. An element that
// is appended later is for another claim.
func (f *List[S, E]) Claim(ctx context.Context, s *Session) (S, bool, error) {
	raw, ok, err := claim(ctx, s, whole(&f.Field), (*draft).scalar)
	v, ok := f.decode(s, raw, ok)
	return v, ok, err
}

// Set replaces the slice. An empty one clears the field.
func (f *List[S, E]) Set(s *Session, v S) {
	if len(v) == 0 {
		f.Clear(s)
		return
	}
	value, err := f.encode(s, v)
	s.write(&f.Field, func(d *draft) { d.replace(&f.Field, value, err) })
}

// Ensure returns the stored slice, or stores v in a conditional step of its own and
// returns what won. It is for MergeFirst. An empty slice is never stored.
func (f *List[S, E]) Ensure(ctx context.Context, s *Session, v S) (S, error) {
	value, err := f.encode(s, v)
	raw, ok, err := ensure(ctx, s, whole(&f.Field), value, err, (*draft).scalar)
	v, _ = f.decode(s, raw, ok)
	return v, err
}

func (f *List[S, E]) encode(s *Session, v S) (string, error) {
	if f.Max > 0 && len(v) > f.Max {
		return "", &LimitError{Field: f.Key, Limit: f.Max, Err: ErrTooLarge}
	}
	return encode(f.Codec, s.engine.format, v)
}

// Append adds elements at the end, after those that others have appended
// meanwhile. With Max the newest elements stay.
func (f *List[S, E]) Append(s *Session, v ...E) {
	if len(v) == 0 {
		return
	}
	value, err := encode(f.Codec, s.engine.format, S(v))
	set(s, &f.Field, value, err)
}

// decode returns nil if there is no slice, or one that does not fit.
func (f *List[S, E]) decode(s *Session, raw string, found bool) (v S, ok bool) {
	if !found {
		return nil, false
	}
	v, err := decode(f.Codec, s.engine.format, raw)
	if err != nil {
		reportMisfit(s, f.Key, err)
		return nil, false
	}
	return v, true
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

// beyond is the rest of appending: the stored elements after those that were taken.
// With Max the oldest of these may have made room for newer ones.
func (f *List[S, E]) beyond(format Format, stored, taken string) (string, error) {
	all, spelled, err := f.each(format, stored)
	if err != nil {
		return "", err
	}
	_, gone, err := f.each(format, taken)
	if err != nil {
		return "", err
	}
	full := f.Max > 0 && len(all) >= f.Max
	for ; len(gone) > 0; gone = gone[1:] {
		if len(gone) <= len(all) && slices.Equal(spelled[:len(gone)], gone) {
			break
		}
		if !full {
			return stored, nil
		}
	}
	if len(gone) == len(all) {
		return "", nil
	}
	return encode(f.Codec, format, all[len(gone):])
}

// each returns the elements of a stored slice, and each one's encoding.
func (f *List[S, E]) each(format Format, stored string) (all S, spelled []string, err error) {
	if all, err = decode(f.Codec, format, stored); err != nil {
		return nil, nil, err
	}
	for i := range all {
		one, err := encode(f.Codec, format, all[i:i+1])
		if err != nil {
			return nil, nil, err
		}
		spelled = append(spelled, one)
	}
	return all, spelled, nil
}
