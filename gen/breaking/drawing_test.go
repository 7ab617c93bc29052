package breaking

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/duckgen/duckgen/gen/schema"
)

// A drawing draws the declarations of an earlier and a later program.
type drawing struct {
	*rand.Rand
	wide       bool // the later one is as docs/breaking.md allows
	names      int
	identities int
}

func (d *drawing) one(n int) bool { return d.IntN(n) == 0 }

func pick[T any](d *drawing, of ...T) T { return of[d.IntN(len(of))] }

func (d *drawing) name() string {
	d.names++
	return fmt.Sprintf("n%d", d.names)
}

func (d *drawing) part(depth int) part {
	d.identities++
	p := part{identity: d.identities, key: d.name(), typ: d.node(depth, true)}
	if d.one(4) {
		p.was = d.name()
	}
	return p
}

var (
	basics = []string{"bool", "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64",
		"float32", "float64", "complex64", "complex128", "string"}
	counted = []string{"int", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"}
	keyed   = []string{"string", "int", "int8", "int16", "int64", "uint8", "uint16", "uint64"}
)

// wider has the types that hold every value of another.
var wider = map[string][]string{
	"int8":      {"int16", "int", "int32", "int64", "float32", "float64"},
	"int16":     {"int", "int32", "int64", "float32", "float64"},
	"int32":     {"int", "int64", "float64"},
	"int":       {"int64"},
	"int64":     {"int"},
	"uint8":     {"uint16", "uint", "uint32", "uint64", "int16", "int32", "int64", "int", "float32", "float64"},
	"uint16":    {"uint32", "uint", "uint64", "int32", "int64", "int", "float32", "float64"},
	"uint32":    {"uint", "uint64", "int", "int64", "float64"},
	"uint":      {"uint64"},
	"uint64":    {"uint"},
	"float32":   {"float64"},
	"complex64": {"complex128"},
}

// widerIn returns a wider type of some, or the type itself.
func (d *drawing) widerIn(basic string, some []string) string {
	all := slices.DeleteFunc(slices.Clone(wider[basic]), func(w string) bool { return !slices.Contains(some, w) })
	if len(all) == 0 || !d.one(2) {
		return basic
	}
	return pick(d, all...)
}

func (d *drawing) node(depth int, pointer bool) *node {
	if depth == 0 || d.one(3) {
		return d.scalar()
	}
	switch d.IntN(5) {
	case 0:
		if !pointer {
			return d.scalar()
		}
		return &node{form: schema.Pointer, elem: d.node(depth-1, false)}
	case 1:
		return &node{form: schema.Slice, elem: d.node(depth-1, true)}
	case 2:
		return &node{form: schema.Array, size: int64(d.IntN(4)), elem: d.node(depth-1, true)}
	case 3:
		return &node{form: schema.MapOf, basic: pick(d, keyed...), elem: d.node(depth-1, true)}
	default:
		n := &node{form: schema.Struct}
		for range d.IntN(4) {
			n.members = append(n.members, new(d.part(depth-1)))
		}
		return n
	}
}

func (d *drawing) scalar() *node {
	switch d.IntN(8) {
	case 0:
		return &node{form: pick(d, schema.Bytes, schema.Time)}
	case 1:
		return &node{form: pick(d, schema.TextMarshaler, schema.BinaryMarshaler)}
	default:
		return &node{form: schema.Basic, basic: pick(d, basics...)}
	}
}

func (d *drawing) declared() *declared {
	s := &declared{}
	for range 1 + d.IntN(3) {
		s.properties = append(s.properties, d.property())
	}
	for range d.IntN(2) {
		s.reserved = append(s.reserved, d.name())
	}
	return s
}

func (d *drawing) property() *property {
	p := &property{part: d.part(2)}
	switch d.IntN(6) {
	case 0:
		p.typ, p.counts = &node{form: schema.Basic, basic: pick(d, counted...)}, true
	case 1:
		p.typ, p.counts = &node{form: schema.MapOf, basic: pick(d, keyed...), elem: &node{form: schema.Basic, basic: pick(d, counted...)}}, true
	default:
		d.options(p)
	}
	return p
}

func (d *drawing) options(p *property) {
	switch {
	case p.counts:
	case indexable(p.typ) && d.one(3):
		p.index = true
	case p.typ.form != schema.MapOf && d.one(6):
		p.secret = true
	case d.one(6):
		p.ttl = true
	}
	if d.one(3) {
		p.byDefault = d.literal(p)
	}
}

func indexable(n *node) bool {
	switch n.form {
	case schema.Basic:
		return !strings.HasPrefix(n.basic, "float") && !strings.HasPrefix(n.basic, "complex")
	case schema.Bytes, schema.Time, schema.Array, schema.BinaryMarshaler, schema.TextMarshaler:
		return true
	}
	return false
}

// literal draws a default, nil for a type that has none.
func (d *drawing) literal(p *property) any {
	switch {
	case p.typ.form != schema.Basic || p.counts || strings.HasPrefix(p.typ.basic, "complex"):
		return nil
	case p.typ.basic == "bool":
		return true
	case p.typ.basic == "string":
		return pick(d, "x", "a b")
	case strings.HasPrefix(p.typ.basic, "float"):
		return pick(d, 5.0, 2.5)
	case strings.HasPrefix(p.typ.basic, "uint"):
		return pick[any](d, uint64(5), uint64(100))
	case p.typ.basic == "int64":
		return pick[any](d, int64(5), time.Minute)
	case p.typ.basic == "int32":
		return pick[any](d, int64(5), int64(100000000))
	default:
		return int64(5)
	}
}

// literalFor is a default as another basic type has it, nil for one that does not.
func literalFor(v any, n *node) any {
	if n.form != schema.Basic {
		return nil
	}
	switch number := v.(type) {
	case int64:
		if strings.HasPrefix(n.basic, "float") {
			return float64(number)
		}
	case uint64:
		switch {
		case strings.HasPrefix(n.basic, "float"):
			return float64(number)
		case strings.HasPrefix(n.basic, "int"):
			return int64(number)
		}
	case time.Duration:
		return int64(number)
	}
	return v
}

// ancestor is the program before the earlier one, as far as that still reads what it
// has stored: with the earlier names.
func (d *declared) ancestor() *declared {
	a := &declared{}
	for _, p := range d.properties {
		q := *p
		q.part = p.part.ancestor()
		a.properties = append(a.properties, &q)
	}
	return a
}

func (p part) ancestor() part {
	if p.was != "" {
		p.key, p.was = p.was, ""
	}
	p.typ = p.typ.ancestor()
	return p
}

func (n *node) ancestor() *node {
	if n == nil {
		return nil
	}
	c := *n
	c.elem, c.members = n.elem.ancestor(), nil
	for _, m := range n.members {
		c.members = append(c.members, new(m.ancestor()))
	}
	return &c
}

// later draws what becomes of a declaration.
func (d *drawing) later(s *declared) *declared {
	for {
		l := &declared{reserved: slices.Clone(s.reserved)}
		free := slices.Clone(s.reserved) // names that a field could take
		for _, p := range s.properties {
			free = append(free, p.key, p.was)
			switch {
			case d.one(10):
				l.reserved = append(l.reserved, p.key)
				if p.was != "" {
					l.reserved = append(l.reserved, p.was)
				}
			case d.wide || !d.one(10):
				l.properties = append(l.properties, d.laterProperty(p))
			}
		}
		if d.one(3) {
			l.properties = append(l.properties, d.property())
		}
		var parts []*part
		for _, p := range l.properties {
			parts = append(parts, &p.part)
		}
		if !d.wide {
			d.confuse(parts, free)
			if d.one(4) {
				l.reserved = nil
			}
		}
		d.Shuffle(len(l.properties), func(i, j int) { l.properties[i], l.properties[j] = l.properties[j], l.properties[i] })
		if distinct(parts, l.reserved) {
			var earlier []*part
			for _, p := range s.properties {
				earlier = append(earlier, &p.part)
			}
			d.identify(earlier, parts)
			return l
		}
	}
}

// rename gives a part another name, in the way that is allowed or, at times, another.
func (d *drawing) rename(p *part) {
	switch {
	case p.was == "" && d.one(4):
		p.key, p.was = d.name(), p.key
	case d.wide:
	case d.one(12):
		p.key, p.was = d.name(), p.key // and an earlier name is forgotten
	case d.one(12):
		p.key = d.name()
	case d.one(12):
		p.was = ""
	}
}

// confuse has parts take names that others had.
func (d *drawing) confuse(parts []*part, names []string) {
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	if len(parts) == 0 || len(names) == 0 {
		return
	}
	p := parts[d.IntN(len(parts))]
	switch d.IntN(6) {
	case 0:
		p.key = pick(d, names...)
	case 1:
		p.was = pick(d, names...)
	}
}

// distinct reports whether no two parts read the same name.
func distinct(parts []*part, reserved []string) bool {
	seen := map[string]bool{}
	for _, name := range reserved {
		if seen[name] {
			return false
		}
		seen[name] = true
	}
	for _, p := range parts {
		if seen[p.key] || p.was != "" && (seen[p.was] || p.was == p.key) {
			return false
		}
		seen[p.key], seen[p.was] = true, true
	}
	return true
}

// identify gives parts the identity of those whose names they have, or had: whoever
// takes a name of before is that, whatever Go calls it.
func (d *drawing) identify(earlier, later []*part) {
	for _, l := range later {
		d.identities++
		l.identity = d.identities
		for _, name := range []string{l.was, l.key} {
			if i := slices.IndexFunc(earlier, func(e *part) bool { return e.key == name }); i >= 0 {
				l.identity = earlier[i].identity
			}
		}
	}
}

func (d *drawing) laterProperty(p *property) *property {
	q := *p
	d.rename(&q.part)
	q.typ = d.laterType(p)
	if q.byDefault = literalFor(p.byDefault, q.typ); q.counts {
		q.byDefault = nil
	}
	if d.one(6) || !indexable(q.typ) {
		q.index = false
	}
	if d.wide || !d.one(4) {
		return &q
	}
	q.index, q.secret, q.ttl, q.byDefault = false, false, false, nil
	d.options(&q)
	if isCountable := slices.Contains(counted, q.typ.basic) && q.typ.form == schema.Basic; isCountable && d.one(2) {
		q.counts, q.index, q.secret, q.ttl, q.byDefault = !q.counts, false, false, false, nil
	}
	return &q
}

// laterType draws the type of a field, which stays a counter if it is one.
func (d *drawing) laterType(p *property) *node {
	n := *p.typ
	switch {
	case p.counts && p.typ.form == schema.MapOf:
		n.basic = d.widerIn(n.basic, keyed)
		n.elem = &node{form: schema.Basic, basic: d.laterCounter(n.elem.basic)}
		return &n
	case p.counts:
		n.basic = d.laterCounter(n.basic)
		return &n
	case d.wide && p.index && p.typ.form != schema.Basic:
		return &n // its encoding is looked up
	case d.wide && p.byDefault != nil:
		n.basic = d.widerIn(n.basic, basics)
		return &n
	case d.wide && p.index:
		n.basic = d.widerIn(n.basic, keyed)
		return &n
	}
	return d.laterNode(p.typ, !d.wide || p.typ.form != schema.MapOf)
}

func (d *drawing) laterCounter(basic string) string {
	if !d.wide && d.one(3) {
		return pick(d, counted...)
	}
	return d.widerIn(basic, counted)
}

// laterNode draws what becomes of a type, which may become a pointer.
func (d *drawing) laterNode(n *node, pointer bool) *node {
	switch {
	case !d.wide && d.one(12):
		return d.node(1, pointer)
	case pointer && n.form != schema.Pointer && d.one(8):
		return &node{form: schema.Pointer, elem: d.laterNode(n, false)}
	}
	l := *n
	switch n.form {
	case schema.Basic:
		l.basic = d.widerIn(n.basic, basics)
	case schema.TextMarshaler:
		if d.one(2) {
			return &node{form: schema.Basic, basic: "string"}
		}
	case schema.BinaryMarshaler:
		if d.one(2) {
			return &node{form: schema.Bytes}
		}
	case schema.Pointer:
		if !d.wide && d.one(6) {
			return d.laterNode(n.elem, pointer)
		}
		l.elem = d.laterNode(n.elem, false)
	case schema.Slice:
		l.elem = d.laterNode(n.elem, true)
	case schema.Array:
		l.elem = d.laterNode(n.elem, true)
		if d.one(3) {
			l.form, l.size = schema.Slice, 0
		} else if !d.wide && d.one(6) {
			l.size++
		}
	case schema.MapOf:
		l.basic, l.elem = d.widerIn(n.basic, keyed), d.laterNode(n.elem, true)
	case schema.Struct:
		l.members = d.laterMembers(n.members)
	}
	return &l
}

func (d *drawing) laterMembers(members []*part) []*part {
	for {
		var later []*part
		var free []string
		for _, m := range members {
			free = append(free, m.key, m.was)
			if !d.wide && d.one(10) {
				continue
			}
			l := *m
			d.rename(&l)
			l.typ = d.laterNode(m.typ, true)
			later = append(later, &l)
		}
		if d.one(3) {
			later = append(later, new(d.part(1)))
		}
		if !d.wide {
			d.confuse(later, free)
		}
		d.Shuffle(len(later), func(i, j int) { later[i], later[j] = later[j], later[i] })
		if distinct(later, nil) {
			d.identify(members, later)
			return later
		}
	}
}

// Which values are drawn.
const (
	largest = iota
	smallest
	mixed
)

// value draws a value of a type.
func (d *drawing) value(n *node, which int) val {
	switch n.form {
	case schema.Pointer:
		if which == mixed && d.one(3) {
			return val{}
		}
		return val{pointer: new(d.value(n.elem, which))}
	case schema.Slice:
		return val{list: d.values(n.elem, which, d.IntN(4))}
	case schema.Array:
		return val{list: d.values(n.elem, which, int(n.size))}
	case schema.MapOf:
		v := val{entries: map[any]val{}}
		for range d.IntN(4) {
			v.entries[d.leaf(n.basic, pick(d, largest, smallest, mixed))] = d.value(n.elem, which)
		}
		return v
	case schema.Struct:
		v := val{list: make([]val, len(n.members))}
		for i, m := range n.members {
			v.list[i] = d.value(m.typ, which)
		}
		return v
	case schema.TextMarshaler:
		return val{leaf: d.leaf("string", which)}
	case schema.Bytes, schema.BinaryMarshaler:
		return val{leaf: []byte(d.leaf("string", which).(string))}
	case schema.Time:
		return val{leaf: time.Unix(int64(d.IntN(1e9)), int64(d.IntN(2))).UTC()}
	default:
		return val{leaf: d.leaf(n.basic, which)}
	}
}

func (d *drawing) values(n *node, which, count int) []val {
	list := make([]val, count)
	for i := range list {
		list[i] = d.value(n, which)
	}
	return list
}

var bitsOf = map[string]int{
	"int": 64, "int8": 8, "int16": 16, "int32": 32, "int64": 64,
	"uint": 64, "uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64,
}

// leaf draws a value of a basic type.
func (d *drawing) leaf(basic string, which int) any {
	switch {
	case basic == "bool":
		return which != smallest
	case basic == "string":
		return pick(d, "", "a", "ä\"\x7f\xff", strings.Repeat("b", 31), strings.Repeat("b", 40), "7")
	case strings.HasPrefix(basic, "int"):
		most := int64(math.MaxInt64) >> (64 - bitsOf[basic])
		switch which {
		case largest:
			return most
		case smallest:
			return -most - 1
		}
		return pick(d, most, -most-1, 0, 1, -1, 5, 100)
	case strings.HasPrefix(basic, "uint"):
		most := uint64(math.MaxUint64) >> (64 - bitsOf[basic])
		switch which {
		case largest:
			return most
		case smallest:
			return uint64(0)
		}
		return pick(d, most, most/2+1, 0, 1, 5, 100)
	case strings.HasPrefix(basic, "complex"):
		return complex(d.floating(basic == "complex64", which), d.floating(basic == "complex64", which))
	default:
		return d.floating(basic == "float32", which)
	}
}

func (d *drawing) floating(narrow bool, which int) float64 {
	most, exact := math.MaxFloat64, float64(1<<53-1)
	if narrow {
		most, exact = math.MaxFloat32, 1<<24-1
	}
	switch which {
	case largest:
		return pick(d, most, exact)
	case smallest:
		return pick(d, -most, -exact)
	}
	return pick(d, 0, math.Copysign(0, -1), 2.5, float64(float32(0.1)), math.Inf(1), math.NaN(), 5)
}
