package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/schema"
)

// accessors are the methods of each field, in the order of the fields.
func (s *session) accessors(g *jen.Group) {
	for _, f := range s.fields {
		for _, m := range f.accessors() {
			m.write(g, s.receiver())
		}
	}
}

// receiver is that of a method of the session.
func (s *session) receiver() jen.Code { return s.local("s").Op("*").Id(s.names.Session) }

// valueReceiver is that of a method that a copy of the session has, too.
func (s *session) valueReceiver() jen.Code { return s.local("s").Id(s.names.Session) }

func (f *field) accessors() []method {
	var methods []method
	if f.Once {
		methods = append(methods, f.take())
	} else {
		methods = append(methods, f.readers()...)
	}
	methods = append(methods, f.set())
	methods = append(methods, f.writers()...)
	return append(methods, f.clear(), f.dirty())
}

// readers are the methods that leave the field as it is.
func (f *field) readers() []method {
	switch f.Shape {
	case schema.List:
		return []method{f.listAll(), f.length(), f.at()}
	case schema.Map, schema.CounterMap:
		return []method{f.mapAll(), f.length(), f.item()}
	default:
		return []method{f.get()}
	}
}

// writers are the methods that change a part of the field.
func (f *field) writers() []method {
	switch f.Shape {
	case schema.Counter:
		return []method{f.add()}
	case schema.List:
		if f.Merge == schema.Append {
			return []method{f.appendTo()}
		}
		return nil
	case schema.Map:
		return []method{f.setItem(), f.deleteItem()}
	case schema.CounterMap:
		return []method{f.setItem(), f.addItem(), f.deleteItem()}
	default:
		return nil
	}
}

// call calls a method of the typed field for the session of the receiver.
func (f *field) call(name string, args ...jen.Code) *jen.Statement {
	return jen.Id(f.variable).Dot(name).Call(append([]jen.Code{f.core()}, args...)...)
}

// returns is a body that returns what a method of the typed field returns.
func (f *field) returns(name string, args ...jen.Code) []jen.Code {
	return []jen.Code{jen.Return(f.call(name, args...))}
}

// does is a body that calls a method of the typed field.
func (f *field) does(name string, args ...jen.Code) []jen.Code {
	return []jen.Code{f.call(name, args...)}
}

func (f *field) get() method {
	d := f.reads(f.Name, "%s returns the session's %s%s.", f.Name, f.Name, f.absent())
	return method{
		doc:     d,
		name:    f.Name,
		results: []jen.Code{f.typ(f.Type)},
		body:    f.returns("Get"),
	}
}

// absent says what a read gives where nothing is stored, where that is not to
// be expected.
func (f *field) absent() string {
	switch {
	case f.Type.Form == schema.Pointer:
		return ", as a copy, or nil where there is none"
	case f.Default != nil:
		return ", " + storedLiteral(f.Default) + " unless it was set"
	default:
		return ""
	}
}

func (f *field) take() method {
	d := f.reads("Take"+f.Name, "Take%s returns the session's %s and clears it: it is read once.", f.Name, f.Name)
	return method{
		doc:     d,
		name:    "Take" + f.Name,
		results: []jen.Code{f.typ(f.Type)},
		body:    f.returns("Take"),
	}
}

func (f *field) set() method {
	return method{
		doc:    f.writes(append([]string{f.setSentence()}, f.consequences()...)...),
		name:   "Set" + f.Name,
		params: []jen.Code{f.local("v").Add(f.typ(f.Type))},
		body:   f.does("Set", f.local("v")),
	}
}

func (f *field) setSentence() string {
	switch {
	case f.Shape == schema.List:
		return fmt.Sprintf("Set%s replaces %s. An empty slice clears it.", f.Name, f.Name)
	case f.Shape == schema.Map || f.Shape == schema.CounterMap:
		return fmt.Sprintf("Set%s replaces %s. An empty map clears it.", f.Name, f.Name)
	case f.Shape == schema.Value && f.Type.Form == schema.Pointer:
		return fmt.Sprintf("Set%s sets %s to a copy. Nil clears it.", f.Name, f.Name)
	case f.Shape == schema.Counter:
		return fmt.Sprintf("Set%s sets %s, whatever others add meanwhile.", f.Name, f.Name)
	default:
		return fmt.Sprintf("Set%s sets %s.", f.Name, f.Name)
	}
}

// consequences are what a program has to know of a field's options when it sets
// the field.
func (f *field) consequences() []string {
	var all []string
	switch f.Merge {
	case schema.Max:
		all = append(all, "Of concurrent values the largest stays.")
	case schema.Min:
		all = append(all, "Of concurrent values the smallest stays.")
	}
	if f.Renew {
		all = append(all, "Anything but the default is a sign-in: it renews the token.")
	}
	if f.Max > 0 {
		all = append(all, fmt.Sprintf("With more than %d %s the commit fails with ErrTooLarge.", f.Max, f.unit()))
	}
	return all
}

// unit is what the limit of the field counts.
func (f *field) unit() string {
	switch f.Type.Form {
	case schema.Slice, schema.Array, schema.MapOf:
		return "elements"
	default:
		return "bytes"
	}
}

func (f *field) clear() method {
	text := fmt.Sprintf("Clear%s brings %s back to its default. Nothing of it stays stored.", f.Name, f.Name)
	return method{doc: f.writes(text), name: "Clear" + f.Name, body: f.does("Clear")}
}

func (f *field) dirty() method {
	text := fmt.Sprintf("%sDirty reports whether %s has a change that is not stored yet.", f.Name, f.Name)
	return method{
		doc:     f.writes(text),
		name:    f.Name + "Dirty",
		results: []jen.Code{f.goOwn("bool")},
		body:    f.returns("Dirty"),
	}
}

// length returns how many elements a list or a map has.
func (f *field) length() method {
	return method{
		doc:     f.writes(fmt.Sprintf("%sLen returns the number of elements of %s.", f.Name, f.Name)),
		name:    f.Name + "Len",
		results: []jen.Code{f.goOwn("int")},
		body:    f.returns("Len"),
	}
}
