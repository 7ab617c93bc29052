package templates

import (
	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/schema"
)

// fieldVars are the typed fields of the runtime, one variable each.
func (s *session) fieldVars(g *jen.Group) {
	if len(s.fields) == 0 {
		return
	}
	defs := make([]jen.Code, len(s.fields))
	for i, f := range s.fields {
		defs[i] = jen.Id(f.variable).Op("=").Add(f.typed())
	}
	var d doc
	d.say("The fields of %s.", s.Struct)
	d.write(g)
	g.Var().Defs(defs...)
	g.Line()
}

// typed is the runtime's field of the shape.
func (f *field) typed() jen.Code {
	switch f.Shape {
	case schema.Counter:
		return f.counter()
	case schema.List:
		return f.list()
	case schema.Map:
		return f.mapping()
	case schema.CounterMap:
		return f.counterMap()
	default:
		return f.value()
	}
}

func (f *field) value() jen.Code {
	properties := []jen.Code{
		property("Field", f.options()),
		property("Codec", f.codecOf(f.Type)),
	}
	if f.Default != nil {
		properties = append(properties, property("Default", f.literal(f.Type, f.Default)))
	}
	properties = append(properties, f.merge()...)
	if f.Merge == schema.Max || f.Merge == schema.Min {
		properties = append(properties, property("Compare", f.compare()))
	}
	return f.runtime("Value").Types(f.typ(f.Type)).Add(valueLines(properties...))
}

// mergeConstants name what the runtime has to know of a merge. The others are
// shapes of their own, or the usual one.
var mergeConstants = map[schema.Merge]string{
	schema.First:  "MergeFirst",
	schema.Max:    "MergeMax",
	schema.Min:    "MergeMin",
	schema.Append: "MergeAppend",
}

// merge is the property that names the field's merge, if the runtime has to know.
func (f *field) merge() []jen.Code {
	if name := mergeConstants[f.Merge]; name != "" {
		return []jen.Code{property("Merge", f.runtime(name))}
	}
	return nil
}

// compare is the order of a field whose concurrent changes fold to the largest
// or smallest.
func (f *field) compare() jen.Code {
	if f.Type.Form != schema.Time {
		return f.qual("cmp", "Compare").Types(f.typ(f.Type))
	}
	if isTime(f.Type) {
		return f.qual("time", "Time").Dot("Compare")
	}
	instant := func(name string) *jen.Statement { return f.qual("time", "Time").Call(f.local(name)) }
	params := jen.List(f.local("v"), f.local("w")).Add(f.typ(f.Type))
	return oneLine(params, f.goOwn("int"), instant("v").Dot("Compare").Call(instant("w")))
}

func (f *field) counter() jen.Code {
	return f.runtime("Counter").Types(f.typ(f.Type)).Add(valueLines(
		property("Field", f.options()),
	))
}

func (f *field) list() jen.Code {
	properties := []jen.Code{
		property("Field", f.options()),
		property("Codec", f.codecOf(f.Type)),
	}
	properties = append(properties, f.merge()...)
	return f.runtime("List").Types(f.typ(f.Type), f.typ(f.Type.Elem)).Add(valueLines(properties...))
}

func (f *field) mapping() jen.Code {
	properties := []jen.Code{
		property("Field", f.options()),
		property("Keys", f.keyCodec(f.Type.Key)),
		property("Codec", f.codecOf(f.Type.Elem)),
	}
	properties = append(properties, f.merge()...)
	return f.runtime("Map").Types(f.typ(f.Type.Key), f.typ(f.Type.Elem)).Add(valueLines(properties...))
}

func (f *field) counterMap() jen.Code {
	return f.runtime("CounterMap").Types(f.typ(f.Type.Key), f.typ(f.Type.Elem)).Add(valueLines(
		property("Field", f.options()),
		property("Keys", f.keyCodec(f.Type.Key)),
	))
}

// options is what all shapes have in common.
func (f *field) options() jen.Code {
	options := []jen.Code{property("Key", jen.Lit(f.Key))}
	if f.Was != "" {
		options = append(options, property("Was", jen.Lit(f.Was)))
	}
	if f.Max != 0 {
		options = append(options, property("Max", jen.Lit(f.Max)))
	}
	if f.Limit != 0 {
		options = append(options, property("Limit", jen.Lit(f.Limit)))
	}
	if f.TTL != 0 {
		options = append(options, property("TTL", f.duration(f.TTL)))
	}
	flags := []struct {
		name string
		set  bool
	}{{"Index", f.Index}, {"Renew", f.Renew}, {"Secret", f.Secret}}
	for _, flag := range flags {
		if flag.set {
			options = append(options, property(flag.name, f.goOwn("true")))
		}
	}
	return f.runtime("Field").Values(options...)
}
