package templates

import (
	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/schema"
)

// snapshot copies every field into the struct.
func (s *session) snapshot(g *jen.Group) {
	values := make([]jen.Code, len(s.fields))
	for i, f := range s.fields {
		values[i] = property(f.Name, f.call(f.snapshotMethod()))
	}
	m := method{
		name:    "Snapshot",
		results: []jen.Code{jen.Id(s.Struct)},
		body:    []jen.Code{jen.Return(jen.Id(s.Struct).Add(valueLines(values...)))},
	}
	m.doc.say("Snapshot returns a deep copy of all fields as a plain [%s].", s.Struct)
	m.write(g, s.receiver())
}

// snapshotMethod is the method of the typed field that returns all of it and
// leaves it as it is.
func (f *field) snapshotMethod() string {
	switch f.Shape {
	case schema.List, schema.Map, schema.CounterMap:
		return "Snapshot"
	default:
		return "Get"
	}
}
