package runtime

import "context"

// A Counter is an integer that the store adds to, exact whatever runs at the
// same time. Adding needs no load.
type Counter[T Integer] struct {
	Field
}

func (f *Counter[T]) prepare() {
	f.counter = true
}

// Get returns what is stored and pending together, held to the range of T.
func (f *Counter[T]) Get(s *Session) T {
	n, _ := read(s, &f.Field, (*draft).count)
	return held[T](s, f.Key, n)
}

// Take returns the field's value and clears it. A counter that another request
// changes meanwhile stays.
func (f *Counter[T]) Take(s *Session) T {
	n, _ := take(s, whole(&f.Field), (*draft).count)
	return held[T](s, f.Key, n)
}

// Claim takes the field's value at once, in a conditional step of its own: of any
// number of requests one gets true, or none if an answer of the store is lost.
func (f *Counter[T]) Claim(ctx context.Context, s *Session) (T, bool, error) {
	n, ok, err := claim(ctx, s, whole(&f.Field), (*draft).count)
	return held[T](s, f.Key, n), ok, err
}

// Set makes the counter n, whatever others add meanwhile.
func (f *Counter[T]) Set(s *Session, n T) {
	s.write(&f.Field, func(d *draft) { d.setCount(&f.Field, int64(n)) })
}

// Add adds delta to the counter. A sum outside the range of int64 makes the
// commit fail with [ErrOverflow].
func (f *Counter[T]) Add(s *Session, delta int64) {
	s.write(&f.Field, func(d *draft) { d.addCount(&f.Field, delta) })
}

// held returns the nearest value to n that T has, and reports it if that is another
// one.
func held[T Integer](s *Session, entry string, n int64) T {
	v := saturate[T](n)
	if int64(v) != n {
		reportMisfit(s, entry, errSaturated)
	}
	return v
}

// saturate holds n to the range of T: the nearest value that T has.
func saturate[T Integer](n int64) T {
	if v := T(n); int64(v) == n {
		return v
	}
	least, most := bounds[T]()
	if n < 0 {
		return least
	}
	return most
}

func bounds[T Integer]() (least, most T) {
	if ones := T(0) - 1; ones > 0 {
		return 0, ones
	}
	most = 1
	for next := most*2 + 1; next > most; next = most*2 + 1 {
		most = next
	}
	return -most - 1, most
}
