package breaking

import (
	"fmt"
	"strings"
)

// A stored is a stored type, read from its text.
type stored struct {
	form    byte   // one of the forms below
	name    string // of a basic type or a marshaler; the length of an array
	key     *stored
	elem    *stored
	members []member
}

type member struct {
	name string
	typ  *stored
}

// The forms of a stored type.
const (
	basic     = 'b' // also count, bytes and time
	pointer   = '*'
	slice     = '['
	array     = 'a'
	mapping   = 'm'
	structure = '{'
	binary    = '0'
	text      = '"'
)

// parseStored reads a type as the comment of a model has it.
func parseStored(source string) (*stored, error) {
	p := typeParser{rest: source}
	t, ok := p.typ()
	if !ok || p.rest != "" {
		return nil, fmt.Errorf("%q is no stored type", source)
	}
	return t, nil
}

// A typeParser reads a stored type from left to right.
type typeParser struct{ rest string }

func (p *typeParser) take(prefix string) bool {
	rest, ok := strings.CutPrefix(p.rest, prefix)
	if ok {
		p.rest = rest
	}
	return ok
}

// until takes what comes before the first of the characters, and not that.
func (p *typeParser) until(ends string) string {
	i := strings.IndexAny(p.rest, ends)
	if i < 0 {
		i = len(p.rest)
	}
	word := p.rest[:i]
	p.rest = p.rest[i:]
	return word
}

func (p *typeParser) typ() (t *stored, ok bool) {
	switch {
	case p.take("*"):
		return p.around(&stored{form: pointer})
	case p.take("[]"):
		return p.around(&stored{form: slice})
	case p.take("map["):
		key, ok := p.typ()
		if !ok || !p.take("]") {
			return nil, false
		}
		return p.around(&stored{form: mapping, key: key})
	case p.take("["):
		t := &stored{form: array, name: p.until("]")}
		if !p.take("]") {
			return nil, false
		}
		return p.around(t)
	case p.take("{"):
		return p.structure()
	case p.take("binary("):
		return p.marshaler(binary)
	case p.take("text("):
		return p.marshaler(text)
	default:
		word := p.until(",}]")
		return &stored{form: basic, name: word}, word != ""
	}
}

func (p *typeParser) around(t *stored) (*stored, bool) {
	elem, ok := p.typ()
	t.elem = elem
	return t, ok
}

func (p *typeParser) structure() (*stored, bool) {
	t := &stored{form: structure}
	for !p.take("}") {
		if len(t.members) > 0 && !p.take(",") {
			return nil, false
		}
		name := p.until(":,}")
		if !p.take(":") {
			return nil, false
		}
		elem, ok := p.typ()
		if !ok {
			return nil, false
		}
		t.members = append(t.members, member{name, elem})
	}
	return t, true
}

// marshaler reads the name of a Go type up to the closing parenthesis. Type
// arguments may hold parentheses of their own.
func (p *typeParser) marshaler(form byte) (*stored, bool) {
	depth := 1
	for i, r := range p.rest {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			t := &stored{form: form, name: p.rest[:i]}
			p.rest = p.rest[i+1:]
			return t, true
		}
	}
	return nil, false
}
