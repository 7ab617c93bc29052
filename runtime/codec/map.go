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
	return &mapCodec[M, K, V]{inner, elementOf(elem)}
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

func (c *mapCodec[M, K, V]) Read(b []byte, f runtime.Format) (M, []byte, error) {
	l, b, err := openMap(b, f)
	if err != nil {
		return nil, nil, err
	}
	var m M
	if l.left > 0 {
		m = make(M, l.left)
	}
	var k K
	var v V
	var more bool
	for {
		if b, more, err = l.next(b); err != nil {
			return nil, nil, err
		}
		if !more {
			return m, b, nil
		}
		if m == nil {
			m = make(M)
		}
		if k, b, err = c.readKey(b, f); err != nil {
			return nil, nil, err
		}
		if b, err = c.elem.read(b, f, &v); err != nil {
			return nil, nil, within(keyStep(c.keys.Text(f, k)), err)
		}
		m[k] = v
	}
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
