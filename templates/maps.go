package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/schema"
)

func (f *field) mapAll(name string) method {
	return method{
		doc:     f.reads(name, "%s returns an iterator over a copy of the elements of %s, in the order of their keys.", name, f.Name),
		results: []jen.Code{f.qual("iter", "Seq2").Types(f.typ(f.Type.Key), f.typ(f.Type.Elem))},
		body:    f.returns("All"),
	}
}

func (f *field) item(name string) method {
	text := fmt.Sprintf("%s returns the element of %s with key %s, and whether there is one.",
		name, f.Name, f.locals.name("k"))
	return method{
		doc:     f.writes(text),
		params:  []jen.Code{f.keyParam()},
		results: []jen.Code{f.typ(f.Type.Elem), f.goOwn("bool")},
		body:    f.returns("Item", f.local("k")),
	}
}

func (f *field) takeItem(name string) method {
	text := fmt.Sprintf("%s returns the element of %s with key %s and removes it, and reports whether there was one. Two"+
		" simultaneous requests may both get it: what is a credential is to be claimed, by %s.",
		name, f.Name, f.locals.name("k"), schema.ClaimXItem.Of(f.Name))
	return method{
		doc:     f.writes(text),
		params:  []jen.Code{f.keyParam()},
		results: []jen.Code{f.typ(f.Type.Elem), f.goOwn("bool")},
		body:    f.returns("TakeItem", f.local("k")),
	}
}

func (f *field) claimItem(name string) method {
	text := fmt.Sprintf("%s takes the element of %s with key %s %s", name, f.Name, f.locals.name("k"), claims)
	return method{
		doc:     f.writes(text),
		params:  []jen.Code{f.contextParam(), f.keyParam()},
		results: []jen.Code{f.typ(f.Type.Elem), f.goOwn("bool"), f.goOwn("error")},
		body:    f.step("ClaimItem", f.local("k")),
	}
}

func (f *field) ensureItem(name string) method {
	text := fmt.Sprintf("%s returns the element of %s with key %s if it is stored. Otherwise it stores %s at once, in a"+
		" step of its own, and returns what is stored then, whoever was first. On a new session it creates the session.",
		name, f.Name, f.locals.name("k"), f.locals.name("v"))
	return method{
		doc:     f.writes(append([]string{text}, f.consequences()...)...),
		params:  []jen.Code{f.contextParam(), f.keyParam(), f.local("v").Add(f.typ(f.Type.Elem))},
		results: []jen.Code{f.typ(f.Type.Elem), f.goOwn("error")},
		body:    f.step("EnsureItem", f.local("k"), f.local("v")),
	}
}

func (f *field) setItem(name string) method {
	text := fmt.Sprintf("%s sets the element of %s with key %s and leaves the others as they are.",
		name, f.Name, f.locals.name("k"))
	return method{
		doc:    f.writes(append([]string{text}, f.consequences()...)...),
		params: []jen.Code{f.keyParam(), f.local("v").Add(f.typ(f.Type.Elem))},
		body:   f.does("SetItem", f.local("k"), f.local("v")),
	}
}

func (f *field) deleteItem(name string) method {
	text := fmt.Sprintf("%s removes the element of %s with key %s.", name, f.Name, f.locals.name("k"))
	return method{
		doc:    f.writes(text),
		params: []jen.Code{f.keyParam()},
		body:   f.does("DeleteItem", f.local("k")),
	}
}

// keyParam is the parameter that says which element.
func (f *field) keyParam() jen.Code { return f.local("k").Add(f.typ(f.Type.Key)) }
