package templates

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/schema"
)

// storedForm is the comment above the model that says what is stored: a line
// for each key, sorted, of the form
//
//	key type option ...
//
// with single spaces, so that a change to one key changes one line. The type is
// the stored one and contains no space; the names of Go types are not part of
// it, except where a type marshals itself. Options are those that give stored
// data its meaning: index, secret, was=key and default=literal. A key that may
// not come back has the word reserved for a type.
func (s *session) storedForm(g *jen.Group) {
	var d doc
	d.say("Stored form of %s: each key with its type and what else gives stored data its meaning."+
		" A line that changes here changes what stored sessions mean.", s.Struct)
	if lines := s.storedLines(); len(lines) > 0 {
		d.quote(lines)
	}
	d.write(g)
}

func (s *session) storedLines() []string {
	var lines []string
	for _, f := range s.Fields {
		words := append([]string{"\t" + f.Key, storedField(f)}, storedOptions(f)...)
		lines = append(lines, strings.Join(words, " "))
	}
	for _, key := range s.Policy.Reserved {
		lines = append(lines, "\t"+key+" reserved")
	}
	slices.Sort(lines)
	return lines
}

// storedField is how the entries of a field are stored.
func storedField(f *schema.Field) string {
	switch f.Shape {
	case schema.Counter:
		return "count"
	case schema.CounterMap:
		return "map[" + storedType(f.Type.Key) + "]count"
	default:
		return storedType(f.Type)
	}
}

// storedType is what a type looks like in a store.
func storedType(t *schema.Type) string {
	switch t.Form {
	case schema.Bytes:
		return "bytes"
	case schema.Time:
		return "time"
	case schema.Pointer:
		return "*" + storedType(t.Elem)
	case schema.Slice:
		return "[]" + storedType(t.Elem)
	case schema.Array:
		return "[" + strconv.FormatInt(t.Len, 10) + "]" + storedType(t.Elem)
	case schema.MapOf:
		return "map[" + storedType(t.Key) + "]" + storedType(t.Elem)
	case schema.Struct:
		return "{" + joinMembers(t.Members, ":", ",", storedType) + "}"
	case schema.BinaryMarshaler:
		return "binary(" + withoutSpaces(typeIdentity.write(t)) + ")"
	case schema.TextMarshaler:
		return "text(" + withoutSpaces(typeIdentity.write(t)) + ")"
	default:
		return storedBasic(t.Basic)
	}
}

func withoutSpaces(text string) string { return strings.ReplaceAll(text, " ", "") }

// storedBasic gives a type that has two names one of them.
func storedBasic(basic string) string {
	switch basic {
	case "byte":
		return "uint8"
	case "rune":
		return "int32"
	default:
		return basic
	}
}

func storedOptions(f *schema.Field) []string {
	var options []string
	if f.Index {
		options = append(options, "index")
	}
	if f.Secret {
		options = append(options, "secret")
	}
	if f.Was != "" {
		options = append(options, "was="+f.Was)
	}
	if f.Default != nil {
		options = append(options, "default="+storedLiteral(f.Default))
	}
	return options
}

func storedLiteral(l *schema.Literal) string {
	switch v := l.Value.(type) {
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case time.Duration:
		return v.String()
	case string:
		return strconv.Quote(v)
	default:
		return ""
	}
}
