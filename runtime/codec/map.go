package codec

import (
	"slices"

	"github.com/duckgen/duckgen/runtime"
)

// Map returns the codec of maps that are part of another value. An empty one is
// read as nil. Entries are written in the order of their keys.
func Map[M ~map[K]V, K comparable, V any](keys runtime.KeyCodec[K], elem runtime.Codec[V]) runtime.Codec[M] {
	inner, ok := keys.(innerKeys[K])
	if !ok {
		inner = textKeys[K]{keys}
	}
	return boundedOf(&mapCodec[M, K, V]{keys: inner, elem: elementOf(elem)}, true)
}

type mapCodec[M ~map[K]V, K comparable, V any] struct {
	keys innerKeys[K]
	elem element[V]
}

func (c *mapCodec[M, K, V]) Append(b []byte, f runtime.Format, m M) ([]byte, error) {
	var space [16]K // so that most maps are sorted without allocating
	keys := space[:0]
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, c.keys.Compare)
	b = appendMapStart(b, f, len(keys))
	var v V
	for i, k := range keys {
		b = c.keys.appendKey(appendSeparator(b, f, i), f, k)
		if f == runtime.JSON {
			b = append(b, ':')
		}
		v = m[k]
		var err error
		if b, err = c.elem.append(b, f, &v); err != nil {
			return nil, within(keyStep(c.keys.Text(f, k)), err)
		}
	}
	return appendEnd(b, f, '}'), nil
}

func (c *mapCodec[M, K, V]) readIn(b []byte, f runtime.Format, room int) (M, []byte, int, error) {
	l, b, err := openMap(b, f)
	if err != nil {
		return nil, nil, 0, err
	}
	var m M
	if l.left > 0 {
		if room, err = takeEach(room, l.left, c.size()); err != nil {
			return nil, nil, 0, err
		}
		m = make(M, l.left)
	}
	var k K
	var v *V // where each is read
	var more bool
	for {
		if b, more, err = l.next(b); err != nil {
			return nil, nil, 0, err
		}
		if !more {
			return m, b, room, nil
		}
		if m == nil {
			m = make(M)
		}
		if v == nil {
			if room, err = take(room, sizeOf[V]()); err != nil {
				return nil, nil, 0, err
			}
			v = new(V)
		}
		if f == runtime.JSON { // which does not say how many there are
			if room, err = take(room, c.size()); err != nil {
				return nil, nil, 0, err
			}
		}
		if k, b, err = c.readKey(b, f); err != nil {
			return nil, nil, 0, err
		}
		if b, room, err = c.elem.read(b, f, v, room); err != nil {
			return nil, nil, 0, within(keyStep(c.keys.Text(f, k)), err)
		}
		m[k] = *v
	}
}

// size is what an entry takes.
func (c *mapCodec[M, K, V]) size() int { return sizeOf[K]() + sizeOf[V]() }

func (c *mapCodec[M, K, V]) weight(m *M) int {
	if len(*m) == 0 {
		return 0
	}
	total := len(*m)*c.size() + sizeOf[V]()
	if !c.elem.refers {
		return total
	}
	for _, v := range *m {
		total += c.elem.weight(&v)
	}
	return total
}

func (c *mapCodec[M, K, V]) readKey(b []byte, f runtime.Format) (k K, rest []byte, err error) {
	k, rest, err = c.keys.readKey(b, f)
	if err != nil || f != runtime.JSON {
		return k, rest, err
	}
	rest, err = readColon(rest)
	return k, rest, err
}

func (c *mapCodec[M, K, V]) zero(m M) bool { return len(m) == 0 }
