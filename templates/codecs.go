package templates

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/schema"
)

// codecOf is the expression that makes the codec of a type.
func (s *session) codecOf(t *schema.Type) *jen.Statement {
	switch t.Form {
	case schema.Bytes:
		return s.codec("Bytes").Types(s.typ(t)).Call()
	case schema.Time:
		return s.converted(t, isTime(t), timeType, s.codec("Time").Call())
	case schema.Pointer:
		pointer := &schema.Type{Form: schema.Pointer, Elem: t.Elem}
		return s.converted(t, t.Name == nil, pointer, s.codec("Pointer").Call(s.codecOf(t.Elem)))
	case schema.Slice:
		return s.codec("Slice").Types(s.typ(t)).Call(s.codecOf(t.Elem))
	case schema.Array:
		return s.codec("Array").Types(s.typ(t)).Add(callLines(s.codecOf(t.Elem), s.elements(t)))
	case schema.MapOf:
		return s.codec("Map").Types(s.typ(t)).Call(s.keyCodec(t.Key), s.codecOf(t.Elem))
	case schema.Struct:
		return jen.Id(s.File.codecs[t.Identity()])
	case schema.BinaryMarshaler:
		return s.codec("Binary").Types(s.typ(t)).Call()
	case schema.TextMarshaler:
		return s.codec("Text").Types(s.typ(t)).Call()
	default:
		return s.codec(basicCodec(t.Basic)).Types(s.typ(t)).Call()
	}
}

// basicCodec names the codec for a predeclared type and the types based on it.
func basicCodec(basic string) string {
	switch basic {
	case "bool":
		return "Bool"
	case "string":
		return "String"
	case "float32", "float64":
		return "Float"
	case "complex64", "complex128":
		return "Complex"
	case "uint", "uint8", "uint16", "uint32", "uint64", "uintptr", "byte":
		return "Uint"
	default:
		return "Int"
	}
}

// keyCodec is the codec of a map's keys.
func (f *File) keyCodec(t *schema.Type) jen.Code {
	return f.codec(basicCodec(t.Basic) + "Key").Types(f.typ(t)).Call()
}

// timeType is time.Time itself.
var timeType = &schema.Type{
	Form: schema.Time,
	Name: &schema.Name{Path: "time", Package: "time", Name: "Time"},
}

func isTime(t *schema.Type) bool {
	return t.Name == nil || t.Name.Path == "time" && t.Name.Name == "Time"
}

// converted is the codec of a named type that is made from the codec of the
// type below it, unless that is the type itself.
func (f *File) converted(t *schema.Type, same bool, below *schema.Type, codec *jen.Statement) *jen.Statement {
	if same {
		return codec
	}
	return f.codec("Convert").Add(callLines(codec, f.conversion(below, t), f.conversion(t, below)))
}

// conversion is a function from one type to another.
func (f *File) conversion(from, to *schema.Type) jen.Code {
	convert := f.typ(to)
	if to.Name == nil {
		convert = jen.Parens(convert)
	}
	return oneLine(f.local("v").Add(f.typ(from)), f.typ(to), convert.Call(f.local("v")))
}

// elements is the function that gives an array as a slice over it.
func (f *File) elements(t *schema.Type) jen.Code {
	return oneLine(
		f.local("v").Op("*").Add(f.typ(t)),
		jen.Index().Add(f.typ(t.Elem)),
		f.local("v").Index(jen.Op(":")),
	)
}

// A structCodec is the variable that holds the codec of a struct type.
type structCodec struct {
	name  string
	path  string // where the type was met, "Address.Lines"
	typ   *schema.Type
	alias string // what a struct without a name is called; empty: it has one, or no members
}

// nameCodecs names the codecs of the structs that the fields lead to, in the
// order in which they are met. All sessions of the file share them.
func (s *session) nameCodecs() {
	for _, f := range s.fields {
		switch f.Shape {
		case schema.Value, schema.List:
			s.nameCodec(f.Type, f.Name)
		case schema.Map:
			s.nameCodec(f.Type.Elem, f.Name)
		}
	}
	for i := 0; i < len(s.codecs); i++ { // the members of one may bring in others
		for _, m := range s.codecs[i].typ.Members {
			s.nameCodec(m.Type, s.codecs[i].path+"."+exportedPart(m.Name))
		}
	}
}

// nameCodec names the codec of the struct that the codec of a type needs, if it
// needs one. The path names the place where the type was met, for types that
// have no name.
func (s *session) nameCodec(t *schema.Type, path string) {
	switch t.Form {
	case schema.Pointer, schema.Slice, schema.Array, schema.MapOf:
		s.nameCodec(t.Elem, path)
	case schema.Struct:
		identity := t.Identity()
		if s.File.codecs[identity] == "" {
			codec := structCodec{name: s.claim(s.codecNames(t, path)...), path: path, typ: t}
			if t.Name == nil && len(t.Members) > 0 {
				codec.alias = s.claim(s.placeName(path) + "Struct")
				s.structs[identity] = codec.alias
			}
			s.File.codecs[identity] = codec.name
			s.codecs = append(s.codecs, codec)
		}
	}
}

// codecNames are the names for a struct codec: after the type, after package
// and type, or after the place of a type without a name.
func (s *session) codecNames(t *schema.Type, path string) []string {
	if t.Name == nil {
		return []string{s.placeName(path) + "Codec"}
	}
	name := readableName(t.Name)
	return []string{
		s.prefix + name + "Codec",
		s.prefix + exportedPart(t.Name.Package) + name + "Codec",
	}
}

// placeName begins the names of what belongs to a place.
func (s *session) placeName(path string) string { return s.prefix + strings.ReplaceAll(path, ".", "") }

// readableName runs the name of a type and those of its arguments together:
// "Pair[string, []int]" becomes "PairStringIntSlice".
func readableName(n *schema.Name) string {
	var name strings.Builder
	name.WriteString(exportedPart(n.Name))
	for _, arg := range n.Args {
		name.WriteString(readableType(arg))
	}
	return name.String()
}

func readableType(t *schema.Type) string {
	if t.Name != nil {
		return readableName(t.Name)
	}
	switch t.Form {
	case schema.Opaque, schema.Struct:
		return "Struct"
	case schema.Bytes:
		return "Bytes"
	case schema.Time:
		return "Time"
	case schema.Pointer:
		return readableType(t.Elem) + "Pointer"
	case schema.Slice:
		return readableType(t.Elem) + "Slice"
	case schema.Array:
		return readableType(t.Elem) + "Array"
	case schema.MapOf:
		return readableType(t.Elem) + "By" + readableType(t.Key)
	default:
		return exportedPart(t.Basic)
	}
}

// structCodecs are the codecs that the session is the first of the file to
// need, in the order of their first mention.
func (s *session) structCodecs(g *jen.Group) {
	for _, codec := range s.codecs {
		s.alias(g, codec)
		var d doc
		d.say("%s encodes %s.", codec.name, s.subject(codec))
		d.write(g)
		g.Var().Id(codec.name).Op("=").Add(s.structCodecValue(codec))
		g.Line()
	}
}

// alias names a struct that has no name, so that its text stands in the file
// once.
func (s *session) alias(g *jen.Group, c structCodec) {
	if c.alias == "" {
		return
	}
	var d doc
	d.say("%s is the struct in %s.", c.alias, c.path)
	d.write(g)
	g.Type().Id(c.alias).Op("=").Add(s.structType(c.typ.Members))
	g.Line()
}

// subject is what the comment calls the type.
func (s *session) subject(c structCodec) string {
	switch {
	case c.alias != "":
		return c.alias
	case c.typ.Name == nil:
		return "the struct in " + c.path
	default:
		return c.typ.Text(s.sourceName)
	}
}

func (s *session) structCodecValue(codec structCodec) jen.Code {
	structOf := s.codec("Struct")
	if len(codec.typ.Members) == 0 {
		return structOf.Types(s.typ(codec.typ)).Call()
	}
	members := make([]jen.Code, len(codec.typ.Members))
	for i, m := range codec.typ.Members {
		members[i] = s.memberCodec(codec.typ, m)
	}
	return structOf.Add(callLines(members...))
}

// memberCodec is the codec of a member, which may also read what is stored
// under an earlier name.
func (s *session) memberCodec(t *schema.Type, m schema.Member) *jen.Statement {
	codec := s.codec("Member").Call(jen.Lit(m.Key), s.codecOf(m.Type), s.memberAddress(t, m))
	if m.Was == "" {
		return codec
	}
	return codec.Dot("Was").Call(jen.Lit(m.Was))
}

// memberAddress is the function that finds a member in its struct.
func (f *File) memberAddress(t *schema.Type, m schema.Member) jen.Code {
	return oneLine(
		f.local("v").Op("*").Add(f.typ(t)),
		jen.Op("*").Add(f.typ(m.Type)),
		jen.Op("&").Add(f.local("v")).Dot(m.Name),
	)
}
