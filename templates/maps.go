package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"
)

func (f *field) mapAll() method {
	d := f.reads(f.Name, "%s yields the elements of %s in the order of their keys, over a copy.", f.Name, f.Name)
	return method{
		doc:     d,
		name:    f.Name,
		results: []jen.Code{f.qual("iter", "Seq2").Types(f.typ(f.Type.Key), f.typ(f.Type.Elem))},
		body:    f.returns("All"),
	}
}

func (f *field) item() method {
	text := fmt.Sprintf("%sItem returns the element of %s with the key, and whether there is one.", f.Name, f.Name)
	return method{
		doc:     f.writes(text),
		name:    f.Name + "Item",
		params:  []jen.Code{f.keyParam()},
		results: []jen.Code{f.typ(f.Type.Elem), f.goOwn("bool")},
		body:    f.returns("Item", f.local("k")),
	}
}

func (f *field) setItem() method {
	text := fmt.Sprintf("Set%sItem sets the element of %s with the key and leaves the others as they are.",
		f.Name, f.Name)
	return method{
		doc:    f.writes(append([]string{text}, f.consequences()...)...),
		name:   "Set" + f.Name + "Item",
		params: []jen.Code{f.keyParam(), f.local("v").Add(f.typ(f.Type.Elem))},
		body:   f.does("SetItem", f.local("k"), f.local("v")),
	}
}

func (f *field) deleteItem() method {
	text := fmt.Sprintf("Delete%sItem removes the element of %s with the key.", f.Name, f.Name)
	return method{
		doc:    f.writes(text),
		name:   "Delete" + f.Name + "Item",
		params: []jen.Code{f.keyParam()},
		body:   f.does("DeleteItem", f.local("k")),
	}
}

// keyParam is the parameter that says which element.
func (f *field) keyParam() jen.Code { return f.local("k").Add(f.typ(f.Type.Key)) }
