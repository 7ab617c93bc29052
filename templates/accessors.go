package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/schema"
)

// accessors are the methods of each field, in the order of the fields, below a
// line that names the field.
func (s *session) accessors(g *jen.Group) {
	for _, f := range s.fields {
		heading(g, "Accessors of %s, stored as %s.", f.Name, f.Key)
		for _, a := range f.Accessors() {
			f.accessor(a).write(g, s.receiver())
		}
	}
}

// receiver is that of a method of the session.
func (s *session) receiver() jen.Code { return s.local("s").Op("*").Id(s.names.Session) }

// valueReceiver is that of a method that a copy of the session has, too.
func (s *session) valueReceiver() jen.Code { return s.local("s").Id(s.names.Session) }

// accessor is one method of the session that belongs to the field.
func (f *field) accessor(a schema.Accessor) method {
	m := emitters[a](f, a.Of(f.Name))
	m.name = a.Of(f.Name)
	return m
}

// emitters make the accessors of a field, each but for its name, which the
// comment needs.
var emitters = map[schema.Accessor]func(f *field, name string) method{
	schema.GetX:        (*field).read,
	schema.TakeX:       (*field).take,
	schema.ClaimX:      (*field).claim,
	schema.XSlice:      (*field).slice,
	schema.XLen:        (*field).length,
	schema.XAt:         (*field).at,
	schema.XItem:       (*field).item,
	schema.TakeXItem:   (*field).takeItem,
	schema.ClaimXItem:  (*field).claimItem,
	schema.SetX:        (*field).set,
	schema.EnsureX:     (*field).ensure,
	schema.AddX:        (*field).add,
	schema.AppendX:     (*field).appendTo,
	schema.SetXItem:    (*field).setItem,
	schema.EnsureXItem: (*field).ensureItem,
	schema.AddXItem:    (*field).addItem,
	schema.DeleteXItem: (*field).deleteItem,
	schema.ClearX:      (*field).clear,
	schema.XDirty:      (*field).dirty,
}

// call calls a method of the typed field for the session of the receiver.
func (f *field) call(name string, args ...jen.Code) *jen.Statement {
	return jen.Id(f.variable).Dot(name).Call(append([]jen.Code{f.core()}, args...)...)
}

// step is a body that returns what a method of the typed field returns that asks
// the store at once.
func (f *field) step(name string, args ...jen.Code) []jen.Code {
	args = append([]jen.Code{f.local("ctx"), f.core()}, args...)
	return []jen.Code{jen.Return(jen.Id(f.variable).Dot(name).Call(args...))}
}

// returns is a body that returns what a method of the typed field returns.
func (f *field) returns(name string, args ...jen.Code) []jen.Code {
	return []jen.Code{jen.Return(f.call(name, args...))}
}

// does is a body that calls a method of the typed field.
func (f *field) does(name string, args ...jen.Code) []jen.Code {
	return []jen.Code{f.call(name, args...)}
}

// read returns the whole field, element by element if it has some.
func (f *field) read(name string) method {
	switch f.Shape {
	case schema.List:
		return f.listAll(name)
	case schema.Map, schema.CounterMap:
		return f.mapAll(name)
	default:
		return f.get(name)
	}
}

func (f *field) get(name string) method {
	return method{
		doc:     f.reads(name, "%s returns the session's %s%s.", name, f.Name, f.absent()),
		results: []jen.Code{f.typ(f.Type)},
		body:    f.returns("Get"),
	}
}

// absent says what a read gives if nothing is stored, unless that is the zero
// value.
func (f *field) absent() string {
	switch {
	case f.Type.Form == schema.Pointer:
		return ", as a copy, or nil if there is none"
	case f.Default != nil:
		return ", by default " + f.Default.String()
	default:
		return ""
	}
}

func (f *field) take(name string) method {
	return method{
		doc: f.reads(name, "%s returns the session's %s and clears it, so that it is read once. Two simultaneous"+
			" requests may both get it: what is a credential is to be claimed, by %s.", name, f.Name, schema.ClaimX.Of(f.Name)),
		results: []jen.Code{f.typ(f.Type)},
		body:    f.returns("Take"),
	}
}

// claims says what claiming is.
const claims = "at once, in a step of its own, and reports whether there was one: of any number of requests exactly one" +
	" gets it, and nobody if the store's answer is lost. It is for credentials such as the state of an OAuth flow, a" +
	" one-time link or a nonce."

func (f *field) claim(name string) method {
	what := f.Name
	if f.Shape == schema.Map || f.Shape == schema.CounterMap {
		what = "all elements of " + f.Name
	}
	return method{
		doc:     f.writes(fmt.Sprintf("%s takes %s %s", name, what, claims)),
		params:  []jen.Code{f.contextParam()},
		results: []jen.Code{f.typ(f.Type), f.goOwn("bool"), f.goOwn("error")},
		body:    f.step("Claim"),
	}
}

func (f *field) ensure(name string) method {
	text := fmt.Sprintf("%s returns %s if it is stored. Otherwise it stores %s at once, in a step of its own, and returns"+
		" what is stored then, whoever was first. On a new session it creates the session.", name, f.Name, f.locals.name("v"))
	return method{
		doc:     f.writes(append([]string{text}, f.consequences()...)...),
		params:  []jen.Code{f.contextParam(), f.local("v").Add(f.typ(f.Type))},
		results: []jen.Code{f.typ(f.Type), f.goOwn("error")},
		body:    f.step("Ensure", f.local("v")),
	}
}

func (f *field) set(name string) method {
	return method{
		doc:    f.writes(append([]string{f.setSentence(name)}, f.consequences()...)...),
		params: []jen.Code{f.local("v").Add(f.typ(f.Type))},
		body:   f.does("Set", f.local("v")),
	}
}

func (f *field) setSentence(name string) string {
	switch {
	case f.Shape == schema.List:
		return fmt.Sprintf("%s replaces %s. An empty slice clears it.", name, f.Name)
	case f.Shape == schema.Map || f.Shape == schema.CounterMap:
		return fmt.Sprintf("%s replaces %s. An empty map clears it.", name, f.Name)
	case f.Shape == schema.Value && f.Type.Form == schema.Pointer:
		return fmt.Sprintf("%s sets %s to a copy. Nil clears it.", name, f.Name)
	case f.Shape == schema.Counter:
		return fmt.Sprintf("%s sets %s, whatever others add meanwhile.", name, f.Name)
	default:
		return fmt.Sprintf("%s sets %s.", name, f.Name)
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
	switch {
	case f.TTL > 0 && f.Shape == schema.Map:
		all = append(all, fmt.Sprintf("An element is absent %s after it was set.", schema.Span(f.TTL)))
	case f.TTL > 0:
		all = append(all, fmt.Sprintf("It is absent %s after it was set.", schema.Span(f.TTL)))
	}
	switch {
	case f.Max > 0 && f.TTL > 0 && f.Shape == schema.Map:
		all = append(all, fmt.Sprintf("Of more than %d elements the oldest go.", f.Max))
	case f.Max > 0:
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

func (f *field) clear(name string) method {
	sentences := []string{fmt.Sprintf("%s resets %s to its default and removes it from the store.", name, f.Name)}
	if f.Renew {
		sentences = append(sentences, "This is a sign-out: it renews the token.")
	}
	return method{doc: f.writes(sentences...), body: f.does("Clear")}
}

func (f *field) dirty(name string) method {
	text := fmt.Sprintf("%s reports whether %s has a change that is not stored yet.", name, f.Name)
	return method{
		doc:     f.writes(text),
		results: []jen.Code{f.goOwn("bool")},
		body:    f.returns("Dirty"),
	}
}

// length returns how many elements a list or a map has.
func (f *field) length(name string) method {
	return method{
		doc:     f.writes(fmt.Sprintf("%s returns the number of elements of %s.", name, f.Name)),
		results: []jen.Code{f.goOwn("int")},
		body:    f.returns("Len"),
	}
}
