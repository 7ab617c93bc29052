package storedform

import (
	"slices"
	"strconv"
	"strings"
)

// Lines prints the form, sorted, a line for each key:
//
//	key type option ...
//
// with single blanks, so that a change to one key changes one line. The type
// contains no blank. Options are index, secret, ttl, was=key and default=literal, in
// this order. A reserved key has the word reserved for a type.
func (f Form) Lines() []string {
	var lines []string
	for _, key := range f.Keys {
		lines = append(lines, key.String())
	}
	for _, name := range f.Reserved {
		lines = append(lines, name+" "+reserved)
	}
	slices.Sort(lines)
	return lines
}

const reserved = "reserved"

// String returns the line of the key.
func (k Key) String() string {
	words := []string{k.Name, k.Type.String()}
	if k.Index {
		words = append(words, "index")
	}
	if k.Secret {
		words = append(words, "secret")
	}
	if k.TTL {
		words = append(words, "ttl")
	}
	if k.Was != "" {
		words = append(words, "was="+k.Was)
	}
	if k.Default != "" {
		words = append(words, "default="+k.Default)
	}
	return strings.Join(words, " ")
}

// String returns the type as a line has it.
func (t *Type) String() string {
	switch t.Form {
	case Bytes:
		return "bytes"
	case Time:
		return "time"
	case Count:
		if t.Name != "" {
			return "count(" + t.Name + ")"
		}
		return "count"
	case Pointer:
		return "*" + t.Elem.String()
	case Slice:
		return "[]" + t.Elem.String()
	case Array:
		return "[" + strconv.FormatInt(t.Len, 10) + "]" + t.Elem.String()
	case Map:
		return "map[" + t.Key.String() + "]" + t.Elem.String()
	case Struct:
		return "{" + joinMembers(t.Members) + "}"
	case Binary:
		return "binary(" + t.Name + ")"
	case Text:
		return "text(" + t.Name + ")"
	default:
		return t.Name
	}
}

// String returns the member as a line has it, "zip(was=Zip):string".
func (m Member) String() string {
	name := m.Name
	if m.Was != "" {
		name += "(was=" + m.Was + ")"
	}
	return name + ":" + m.Type.String()
}

func joinMembers(members []Member) string {
	texts := make([]string, len(members))
	for i, m := range members {
		texts[i] = m.String()
	}
	return strings.Join(texts, ",")
}
