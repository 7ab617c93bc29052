package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"
)

func (f *field) listAll(name string) method {
	return method{
		doc:     f.reads(name, "%s yields the elements of %s in order, over a copy.", name, f.Name),
		results: []jen.Code{f.qual("iter", "Seq").Types(f.typ(f.Type.Elem))},
		body:    f.returns("All"),
	}
}

func (f *field) at(name string) method {
	text := fmt.Sprintf("%s returns a copy of element i of %s. It panics where there is no such element.", name, f.Name)
	return method{
		doc:     f.writes(text),
		params:  []jen.Code{f.local("i").Add(f.goOwn("int"))},
		results: []jen.Code{f.typ(f.Type.Elem)},
		body:    f.returns("At", f.local("i")),
	}
}

func (f *field) appendTo(name string) method {
	sentences := []string{
		fmt.Sprintf("%s adds elements at the end of %s, after those that concurrent requests append.", name, f.Name),
	}
	if f.Max > 0 {
		sentences = append(sentences, fmt.Sprintf("The newest %d stay.", f.Max))
	}
	return method{
		doc:    f.writes(sentences...),
		params: []jen.Code{f.local("v").Op("...").Add(f.typ(f.Type.Elem))},
		body:   f.does("Append", f.local("v").Op("...")),
	}
}
