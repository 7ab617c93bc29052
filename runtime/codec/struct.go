package codec

import (
	"github.com/duckgen/duckgen/runtime"
	"github.com/tinylib/msgp/msgp"
)

// Struct returns the codec of structs with the given members, whose names,
// earlier ones included, must differ. Zero members are not written, so adding a
// member changes no stored value.
func Struct[T any](members ...StructMember[T]) runtime.Codec[T] {
	c := &structCodec[T]{members: members, index: make(map[string]int, len(members))}
	refers := false
	for i, m := range members {
		c.index[m.name] = i
		refers = refers || m.refers
		if m.earlier == "" {
			continue
		}
		if c.earlier == nil {
			c.earlier = map[string]int{}
		}
		c.earlier[m.earlier] = i
	}
	return boundedOf(c, refers)
}

// A StructMember is a field of a struct of type T; [Member] makes it.
type StructMember[T any] struct {
	name    string
	earlier string // empty: none
	refers  bool   // its value may refer to others
	field   memberField[T]
}

// Was returns the member with an earlier name: what is stored under that is read
// if nothing is stored under its own name. It is always written under its own.
func (m StructMember[T]) Was(earlier string) StructMember[T] {
	m.earlier = earlier
	return m
}

// A memberField encodes one field of a struct.
type memberField[T any] interface {
	// append appends the name and the value, or nothing where that is zero. n
	// members precede it.
	append(b []byte, f runtime.Format, n int, v *T) (out []byte, written bool, err error)
	read(b []byte, f runtime.Format, v *T, room int) (rest []byte, left int, err error)
	zero(v *T) bool
	weight(v *T) int
}

// Member describes a field: its stored name, its codec and where it is.
func Member[T, F any](name string, field runtime.Codec[F], at func(*T) *F) StructMember[T] {
	m := &member[T, F]{elem: elementOf(field), at: at, spelled: spell(name)}
	return StructMember[T]{name: name, refers: m.elem.refers, field: m}
}

type member[T, F any] struct {
	elem    element[F]
	at      func(*T) *F
	spelled spelling // of the name
}

// A spelling is a name as it is written.
type spelling struct {
	msg  []byte
	json []byte // with the colon
}

func spell(name string) spelling {
	return spelling{msgp.AppendString(nil, name), append(appendQuoted(nil, name), ':')}
}

func (m *member[T, F]) append(b []byte, f runtime.Format, n int, v *T) (out []byte, written bool, err error) {
	p := m.at(v)
	if m.elem.zero(p) {
		return b, false, nil
	}
	if f == runtime.JSON {
		b = append(appendSeparator(b, f, n), m.spelled.json...)
	} else {
		b = append(b, m.spelled.msg...)
	}
	out, err = m.elem.append(b, f, p)
	return out, true, err
}

func (m *member[T, F]) read(b []byte, f runtime.Format, v *T, room int) ([]byte, int, error) {
	return m.elem.read(b, f, m.at(v), room)
}

func (m *member[T, F]) weight(v *T) int { return m.elem.weight(m.at(v)) }

func (m *member[T, F]) zero(v *T) bool { return m.elem.zero(m.at(v)) }

type structCodec[T any] struct {
	members []StructMember[T]
	index   map[string]int // of each name in members
	earlier map[string]int // of each earlier name in members; nil: there are none
}

func (c *structCodec[T]) Append(b []byte, f runtime.Format, v T) ([]byte, error) {
	return c.appendAt(b, f, &v)
}

func (c *structCodec[T]) appendAt(b []byte, f runtime.Format, v *T) ([]byte, error) {
	start := len(b)
	b = appendMapStart(b, f, len(c.members))
	body, n := len(b), 0
	for i := range c.members {
		m := &c.members[i]
		out, written, err := m.field.append(b, f, n, v)
		if err != nil {
			return nil, within(memberStep(m.name), err)
		}
		if written {
			n++
		}
		b = out
	}
	if f != runtime.JSON && n < len(c.members) {
		return recount(b, start, body, n), nil
	}
	return appendEnd(b, f, '}'), nil
}

// recount corrects the header of a map, which begins at start and whose items
// begin at body, to n items. It can only become shorter.
func recount(b []byte, start, body, n int) []byte {
	header := msgp.AppendMapHeader(b[:start], uint32(n))
	if len(header) == body {
		return b
	}
	return append(header, b[body:]...)
}

func (c *structCodec[T]) readIn(b []byte, f runtime.Format, room int) (T, []byte, int, error) {
	return readValue(c, b, f, room)
}

func (c *structCodec[T]) readAt(b []byte, f runtime.Format, v *T, room int) ([]byte, int, error) {
	var none T
	*v = none
	l, b, err := openMap(b, f)
	if err != nil {
		return nil, 0, err
	}
	var own []bool // the members that were read by their own names
	if c.earlier != nil {
		own = make([]bool, len(c.members))
	}
	expected, more := 0, false
	for {
		if b, more, err = l.next(b); err != nil {
			return nil, 0, err
		}
		if !more {
			return b, room, nil
		}
		var name []byte
		if name, b, err = readName(b, f); err != nil {
			return nil, 0, err
		}
		i, reads := c.find(name, expected, own)
		if !reads {
			if b, err = skip(b, f); err != nil {
				return nil, 0, within(keyStep(string(name)), err)
			}
			continue
		}
		expected = i + 1
		if b, room, err = c.members[i].field.read(b, f, v, room); err != nil {
			return nil, 0, within(memberStep(c.members[i].name), err)
		}
	}
}

func (c *structCodec[T]) weight(v *T) (total int) {
	for i := range c.members {
		total += c.members[i].field.weight(v)
	}
	return total
}

// find returns the index of the member that reads what is stored under a name. In
// a value that this program has written it is most often the expected one. An
// earlier name counts only as long as the own one has not been met.
func (c *structCodec[T]) find(name []byte, expected int, own []bool) (i int, reads bool) {
	if expected < len(c.members) && c.members[expected].name == string(name) {
		i, reads = expected, true
	} else {
		i, reads = c.index[string(name)]
	}
	switch {
	case c.earlier == nil:
		return i, reads
	case reads:
		own[i] = true
		return i, true
	}
	i, reads = c.earlier[string(name)]
	return i, reads && !own[i]
}

func (c *structCodec[T]) zeroAt(v *T) bool {
	for i := range c.members {
		if !c.members[i].field.zero(v) {
			return false
		}
	}
	return true
}

// readName reads the name of a member. It may be part of b.
func readName(b []byte, f runtime.Format) (name, rest []byte, err error) {
	name, rest, err = readKeyText(b, f)
	if err != nil || f != runtime.JSON {
		return name, rest, err
	}
	rest, err = readColon(rest)
	return name, rest, err
}
