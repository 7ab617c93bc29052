package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/schema"
)

func (f *field) listAll(name string) method {
	return method{
		doc:     f.reads(name, "%s returns an iterator over a copy of the elements of %s, in order.", name, f.Name),
		results: []jen.Code{f.qual("iter", "Seq").Types(f.typ(f.Type.Elem))},
		body:    f.returns("All"),
	}
}

func (f *field) slice(name string) method {
	text := fmt.Sprintf("%s returns a copy of %s, which is empty rather than nil if there is nothing in it.", name, f.Name)
	return method{
		doc:     f.writes(text),
		results: []jen.Code{f.typ(f.Type)},
		body:    f.returns("Slice"),
	}
}

func (f *field) at(name string) method {
	text := fmt.Sprintf("%s returns a copy of element %s of %s. It panics if there is no such element.",
		name, f.locals.name("i"), f.Name)
	return method{
		doc:     f.writes(text),
		params:  []jen.Code{f.local("i").Add(f.goOwn("int"))},
		results: []jen.Code{f.typ(f.Type.Elem)},
		body:    f.returns("At", f.local("i")),
	}
}

func (f *field) appendTo(name string) method {
	sentences := []string{
		fmt.Sprintf("%s appends %s to %s. Concurrent appends all count.", name, f.locals.name("v"), f.Name),
	}
	if f.Max > 0 {
		sentences = append(sentences, fmt.Sprintf("The newest %d elements stay.", f.Max))
	}
	if f.TTL > 0 {
		sentences = append(sentences, fmt.Sprintf("All are absent %s after the last were appended.", schema.Span(f.TTL)))
	}
	return method{
		doc:    f.writes(sentences...),
		params: []jen.Code{f.local("v").Op("...").Add(f.typ(f.Type.Elem))},
		body:   f.does("Append", f.local("v").Op("...")),
	}
}
