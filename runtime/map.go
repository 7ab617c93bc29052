package runtime

import (
	"context"
	"iter"
	"maps"
	"slices"
)

// A Map is a map field. Each element is an entry of its own, so that concurrent
// changes to different elements all survive.
type Map[K comparable, V any] struct {
	Field
	Keys  KeyCodec[K]
	Codec Codec[V]
	Merge Merge // of an element: MergeLast or MergeFirst
}

func (f *Map[K, V]) prepare() {
	f.mapped = true
	if c, ok := f.Codec.(elementer[V]); ok {
		f.Codec = c.Element()
	}
	if f.Merge == MergeFirst {
		f.fold, f.first = keepFirst(f.Codec), true
	}
	f.canonical = recode(f.Codec)
}

// All yields the elements in the order of their keys, over a copy.
func (f *Map[K, V]) All(s *Session) iter.Seq2[K, V] { return inOrder(f.Keys, f.Snapshot(s)) }

// Len returns the number of elements.
func (f *Map[K, V]) Len(s *Session) int { return len(f.Snapshot(s)) }

// Item returns the element with the key.
func (f *Map[K, V]) Item(s *Session, k K) (V, bool) {
	e, ok := s.readElement(&f.Field, f.Keys.Text(s.engine.format, k))
	return f.decodeIf(s, e, ok)
}

// TakeItem returns the element with the key and removes it. What another request
// stores meanwhile stays.
func (f *Map[K, V]) TakeItem(s *Session, k K) (V, bool) {
	e, ok := s.takeElement(&f.Field, f.Keys.Text(s.engine.format, k))
	return f.decodeIf(s, e, ok)
}

// ClaimItem takes the element with the key at once, in a conditional step of its
// own: of any number of requests one gets true, or none if an answer of the store is
// lost.
func (f *Map[K, V]) ClaimItem(ctx context.Context, s *Session, k K) (V, bool, error) {
	e, ok, err := claimElement(ctx, s, &f.Field, f.Keys.Text(s.engine.format, k))
	v, ok := f.decodeIf(s, e, ok)
	return v, ok, err
}

// EnsureItem returns the stored element with the key, or stores v in a conditional
// step of its own and returns what won. It is for MergeFirst.
func (f *Map[K, V]) EnsureItem(ctx context.Context, s *Session, k K, v V) (V, error) {
	text := f.Keys.Text(s.engine.format, k)
	value, err := encode(f.Codec, s.engine.format, v)
	e, ok, err := ensure(ctx, s, elementOf(&f.Field, text), value, err,
		func(d *draft, f *Field) (element, bool) { return d.element(f, text) })
	v, _ = f.decodeIf(s, e, ok)
	return v, err
}

// Snapshot returns a copy of the map, nil if it is empty.
func (f *Map[K, V]) Snapshot(s *Session) map[K]V {
	list, _ := read(s, &f.Field, (*draft).elements)
	return gather(s, &f.Field, f.Keys, list, f.decode)
}

// Take returns the map and clears it. Elements that other requests store meanwhile
// stay.
func (f *Map[K, V]) Take(s *Session) map[K]V {
	list, _ := take(s, whole(&f.Field), (*draft).elements)
	return gather(s, &f.Field, f.Keys, list, f.decode)
}

// Claim takes the map at once, in a conditional step of its own: of any number of
// requests one gets an element, or none if an answer of the store is lost.
func (f *Map[K, V]) Claim(ctx context.Context, s *Session) (map[K]V, bool, error) {
	list, _, err := claim(ctx, s, whole(&f.Field), (*draft).elements)
	m := gather(s, &f.Field, f.Keys, list, f.decode)
	return m, len(m) > 0, err
}

// SetItem stores one element.
func (f *Map[K, V]) SetItem(s *Session, k K, v V) {
	value, err := encode(f.Codec, s.engine.format, v)
	setElement(s, &f.Field, f.Keys.Text(s.engine.format, k), change{op: changeSet, value: value, err: err})
}

// DeleteItem removes one element.
func (f *Map[K, V]) DeleteItem(s *Session, k K) {
	setElement(s, &f.Field, f.Keys.Text(s.engine.format, k), change{op: changeRemove})
}

// Set replaces the whole map. An empty one clears the field.
func (f *Map[K, V]) Set(s *Session, m map[K]V) {
	elements := make(map[string]change, len(m))
	for k, v := range m {
		value, err := encode(f.Codec, s.engine.format, v)
		elements[f.Keys.Text(s.engine.format, k)] = change{op: changeSet, value: value, err: err}
	}
	replaceElements(s, &f.Field, elements)
}

func (f *Map[K, V]) decodeIf(s *Session, e element, found bool) (v V, ok bool) {
	if !found {
		return v, false
	}
	return f.decode(s, e)
}

func (f *Map[K, V]) decode(s *Session, e element) (V, bool) {
	v, err := decode(f.Codec, s.engine.format, e.value)
	if err != nil {
		reportMisfit(s, f.Key+":"+e.text, err)
	}
	return v, err == nil
}

// A CounterMap is a map of counters: adding to an element is exact and needs no
// load.
type CounterMap[K comparable, V Integer] struct {
	Field
	Keys KeyCodec[K]
}

func (f *CounterMap[K, V]) prepare() {
	f.mapped, f.counter = true, true
}

// All yields the elements in the order of their keys, over a copy.
func (f *CounterMap[K, V]) All(s *Session) iter.Seq2[K, V] { return inOrder(f.Keys, f.Snapshot(s)) }

// Len returns the number of elements.
func (f *CounterMap[K, V]) Len(s *Session) int { return len(f.Snapshot(s)) }

// Item returns the element with the key.
func (f *CounterMap[K, V]) Item(s *Session, k K) (V, bool) {
	e, ok := s.readElement(&f.Field, f.Keys.Text(s.engine.format, k))
	return held[V](s, f.Key+":"+e.text, e.count), ok
}

// TakeItem returns the element with the key and removes it. One that another
// request changes meanwhile stays.
func (f *CounterMap[K, V]) TakeItem(s *Session, k K) (V, bool) {
	e, ok := s.takeElement(&f.Field, f.Keys.Text(s.engine.format, k))
	return held[V](s, f.Key+":"+e.text, e.count), ok
}

// ClaimItem takes the element with the key at once, in a conditional step of its
// own: of any number of requests one gets true, or none if an answer of the store is
// lost.
func (f *CounterMap[K, V]) ClaimItem(ctx context.Context, s *Session, k K) (V, bool, error) {
	e, ok, err := claimElement(ctx, s, &f.Field, f.Keys.Text(s.engine.format, k))
	return held[V](s, f.Key+":"+e.text, e.count), ok, err
}

// Snapshot returns a copy of the map, nil if it is empty.
func (f *CounterMap[K, V]) Snapshot(s *Session) map[K]V {
	list, _ := read(s, &f.Field, (*draft).elements)
	return gather(s, &f.Field, f.Keys, list, f.decode)
}

// Take returns the map and clears it. Elements that other requests store meanwhile
// stay.
func (f *CounterMap[K, V]) Take(s *Session) map[K]V {
	list, _ := take(s, whole(&f.Field), (*draft).elements)
	return gather(s, &f.Field, f.Keys, list, f.decode)
}

// Claim takes the map at once, in a conditional step of its own: of any number of
// requests one gets an element, or none if an answer of the store is lost.
func (f *CounterMap[K, V]) Claim(ctx context.Context, s *Session) (map[K]V, bool, error) {
	list, ok, err := claim(ctx, s, whole(&f.Field), (*draft).elements)
	return gather(s, &f.Field, f.Keys, list, f.decode), ok, err
}

// SetItem makes one element n, whatever others add meanwhile.
func (f *CounterMap[K, V]) SetItem(s *Session, k K, n V) {
	setElement(s, &f.Field, f.Keys.Text(s.engine.format, k), change{op: changeSet, count: int64(n)})
}

// AddItem adds delta to one element, which begins at 0. A sum outside the range
// of int64 makes the commit fail with [ErrOverflow].
func (f *CounterMap[K, V]) AddItem(s *Session, k K, delta int64) {
	setElement(s, &f.Field, f.Keys.Text(s.engine.format, k), change{op: changeAdd, count: delta})
}

// DeleteItem removes one element.
func (f *CounterMap[K, V]) DeleteItem(s *Session, k K) {
	setElement(s, &f.Field, f.Keys.Text(s.engine.format, k), change{op: changeRemove})
}

// Set replaces the whole map. An empty one clears the field.
func (f *CounterMap[K, V]) Set(s *Session, m map[K]V) {
	elements := make(map[string]change, len(m))
	for k, n := range m {
		elements[f.Keys.Text(s.engine.format, k)] = change{op: changeSet, count: int64(n)}
	}
	replaceElements(s, &f.Field, elements)
}

func (f *CounterMap[K, V]) decode(s *Session, e element) (V, bool) {
	return held[V](s, f.Key+":"+e.text, e.count), true
}

// gather decodes elements. Those that do not fit are left out and reported.
func gather[K comparable, V any](s *Session, f *Field, keys KeyCodec[K], elements []element,
	decode func(*Session, element) (V, bool)) map[K]V {
	if len(elements) == 0 {
		return nil
	}
	m := make(map[K]V, len(elements))
	for _, e := range elements {
		k, err := keys.Parse(s.engine.format, e.text)
		if err != nil {
			reportMisfit(s, f.Key+":"+e.text, err)
			continue
		}
		if v, ok := decode(s, e); ok {
			m[k] = v
		}
	}
	return m
}

// inOrder yields the elements of m in the order of their keys.
func inOrder[K comparable, V any](keys KeyCodec[K], m map[K]V) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, k := range slices.SortedFunc(maps.Keys(m), keys.Compare) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}
