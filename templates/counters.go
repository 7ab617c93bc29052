package templates

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/schema"
)

func (f *field) add(name string) method {
	text := fmt.Sprintf("%s adds %s to %s. It loads nothing, and concurrent additions all count.",
		name, f.locals.name("delta"), f.Name)
	return method{
		doc:    f.writes(text),
		params: []jen.Code{f.local("delta").Add(f.deltaType(f.Type))},
		body:   f.does("Add", f.delta(f.Type)),
	}
}

func (f *field) addItem(name string) method {
	text := fmt.Sprintf("%s adds %s to the element of %s with key %s, from 0 if there is none."+
		" It loads nothing, and concurrent additions all count.",
		name, f.locals.name("delta"), f.Name, f.locals.name("k"))
	return method{
		doc:    f.writes(text),
		params: []jen.Code{f.keyParam(), f.local("delta").Add(f.deltaType(f.Type.Elem))},
		body:   f.does("AddItem", f.local("k"), f.delta(f.Type.Elem)),
	}
}

// deltaType is what is added to a counter: its own type, or int64 if that has no
// negative values.
func (f *File) deltaType(t *schema.Type) *jen.Statement {
	if isUnsigned(t) {
		return f.goOwn("int64")
	}
	return f.typ(t)
}

// delta is the parameter as the runtime takes it.
func (f *File) delta(t *schema.Type) *jen.Statement {
	if isUnsigned(t) || t.Name == nil && t.Basic == "int64" {
		return f.local("delta")
	}
	return f.goOwn("int64").Call(f.local("delta"))
}

func isUnsigned(t *schema.Type) bool {
	return t.Basic == "byte" || strings.HasPrefix(t.Basic, "uint")
}
