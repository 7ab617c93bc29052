package templates

import (
	"strconv"
	"strings"

	"github.com/duckgen/duckgen/gen/schema"
)

// A typeText writes types as text. It says how the name of a type is written.
type typeText func(*schema.Name) string

// typeIdentity writes import paths in full: two types are one type where their
// texts are equal.
var typeIdentity typeText = func(n *schema.Name) string {
	if n.Path == "" {
		return n.Name
	}
	return n.Path + "." + n.Name
}

// sourceText writes types as the package's own source does.
func (f *File) sourceText() typeText {
	return func(n *schema.Name) string {
		if n.Path == "" || n.Path == f.Package.Path {
			return n.Name
		}
		return n.Package + "." + n.Name
	}
}

func (text typeText) write(t *schema.Type) string {
	switch {
	case t.Name != nil:
		return text.name(t.Name)
	case len(t.Literal) > 0:
		return text.literal(t.Literal)
	}
	switch t.Form {
	case schema.Bytes:
		return "[]byte"
	case schema.Time:
		return text.name(timeType.Name)
	case schema.Pointer:
		return "*" + text.write(t.Elem)
	case schema.Slice:
		return "[]" + text.write(t.Elem)
	case schema.Array:
		return "[" + strconv.FormatInt(t.Len, 10) + "]" + text.write(t.Elem)
	case schema.MapOf:
		return "map[" + text.write(t.Key) + "]" + text.write(t.Elem)
	case schema.Struct:
		return "struct{" + joinMembers(t.Members, " ", "; ", text.write) + "}"
	default:
		return t.Basic
	}
}

func (text typeText) name(n *schema.Name) string {
	if len(n.Args) == 0 {
		return text(n)
	}
	args := make([]string, len(n.Args))
	for i, arg := range n.Args {
		args[i] = text.write(arg)
	}
	return text(n) + "[" + strings.Join(args, ", ") + "]"
}

func (text typeText) literal(parts []schema.LiteralPart) string {
	var b strings.Builder
	for _, part := range parts {
		b.WriteString(part.Text)
		if part.Name != nil {
			b.WriteString(text.name(part.Name))
		}
	}
	return b.String()
}

// joinMembers writes the members of a struct with what stands between a name
// and its type, and between members.
func joinMembers(members []schema.StructField, colon, comma string, write func(*schema.Type) string) string {
	texts := make([]string, len(members))
	for i, m := range members {
		texts[i] = m.Name + colon + write(m.Type)
	}
	return strings.Join(texts, comma)
}
