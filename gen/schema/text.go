package schema

import (
	"strconv"
	"strings"
	"time"
)

// Identity returns the type as Go writes it, with import paths in full: two
// types are identical if their identities are equal.
func (t *Type) Identity() string {
	return t.Text(func(n *Name) string {
		if n.Path == "" {
			return n.Name
		}
		return n.Path + "." + n.Name
	})
}

// Text returns the type as Go writes it. The function writes the name of a type
// without its arguments.
func (t *Type) Text(name func(*Name) string) string { return typeWriter(name).write(t) }

// A typeWriter writes types as text. It says how a name is written.
type typeWriter func(*Name) string

func (w typeWriter) write(t *Type) string {
	switch {
	case t.Name != nil:
		return w.name(t.Name)
	case len(t.Literal) > 0:
		return w.literal(t.Literal)
	}
	switch t.Form {
	case Bytes:
		return "[]byte"
	case Time:
		return w(&Name{Path: "time", Package: "time", Name: "Time"})
	case Pointer:
		return "*" + w.write(t.Elem)
	case Slice:
		return "[]" + w.write(t.Elem)
	case Array:
		return "[" + strconv.FormatInt(t.Len, 10) + "]" + w.write(t.Elem)
	case MapOf:
		return "map[" + w.write(t.Key) + "]" + w.write(t.Elem)
	case Struct:
		return w.structType(t.Members)
	default:
		return t.Basic
	}
}

func (w typeWriter) name(n *Name) string {
	if len(n.Args) == 0 {
		return w(n)
	}
	args := make([]string, len(n.Args))
	for i, arg := range n.Args {
		args[i] = w.write(arg)
	}
	return w(n) + "[" + strings.Join(args, ", ") + "]"
}

func (w typeWriter) literal(parts []LiteralPart) string {
	var b strings.Builder
	for _, part := range parts {
		b.WriteString(part.Text)
		if part.Name != nil {
			b.WriteString(w.name(part.Name))
		}
	}
	return b.String()
}

func (w typeWriter) structType(members []Member) string {
	texts := make([]string, len(members))
	for i, m := range members {
		texts[i] = m.Name + " " + w.write(m.Type)
	}
	return "struct{" + strings.Join(texts, "; ") + "}"
}

// String returns the value as Go writes it. A duration is written as 1h30m0s.
func (l *Literal) String() string {
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

// Span returns a duration without what is zero: 168h, 1h30m.
func Span(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}
