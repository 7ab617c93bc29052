package templates

import (
	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/schema"
)

// typ writes a type as Go does.
func (f *File) typ(t *schema.Type) *jen.Statement {
	switch {
	case t.Name != nil:
		return f.typeName(t.Name)
	case len(t.Literal) > 0:
		return f.literalType(t.Literal)
	}
	switch t.Form {
	case schema.Bytes:
		return jen.Index().Add(f.goOwn("byte"))
	case schema.Time:
		return f.qual("time", "Time")
	case schema.Pointer:
		return jen.Op("*").Add(f.typ(t.Elem))
	case schema.Slice:
		return jen.Index().Add(f.typ(t.Elem))
	case schema.Array:
		return jen.Index(number(t.Len)).Add(f.typ(t.Elem))
	case schema.MapOf:
		return jen.Map(f.typ(t.Key)).Add(f.typ(t.Elem))
	case schema.Struct:
		if name, ok := f.structs[t.Identity()]; ok {
			return jen.Id(name)
		}
		return f.structType(t.Members)
	default:
		return f.goOwn(t.Basic)
	}
}

func (f *File) typeName(n *schema.Name) *jen.Statement {
	name := f.bareName(n)
	if len(n.Args) == 0 {
		return name
	}
	args := make([]jen.Code, len(n.Args))
	for i, arg := range n.Args {
		args[i] = f.typ(arg)
	}
	return name.Types(args...)
}

// bareName writes the name of a type without its arguments.
func (f *File) bareName(n *schema.Name) *jen.Statement {
	switch n.Path {
	case "":
		return f.goOwn(n.Name)
	case f.Package.Path:
		return jen.Id(n.Name)
	default:
		f.imports[n.Path] = n.Package
		return jen.Qual(n.Path, n.Name)
	}
}

// sourceName is the name of a type as the package's own source has it.
func (f *File) sourceName(n *schema.Name) string {
	if n.Path == "" || n.Path == f.Package.Path {
		return n.Name
	}
	return n.Package + "." + n.Name
}

// literalType writes a type that is only named, never encoded.
func (f *File) literalType(parts []schema.LiteralPart) *jen.Statement {
	out := &jen.Statement{}
	for _, part := range parts {
		if part.Name != nil {
			out.Add(f.typeName(part.Name))
		} else {
			out.Op(part.Text)
		}
	}
	return out
}

func (f *File) structType(members []schema.Member) *jen.Statement {
	fields := make([]jen.Code, len(members))
	for i, m := range members {
		fields[i] = f.structField(m.StructField)
	}
	return jen.Struct(fields...)
}

// structField is a field as a struct type has it.
func (f *File) structField(field schema.StructField) jen.Code {
	if field.Embedded {
		return f.typ(field.Type)
	}
	return jen.Id(field.Name).Add(f.typ(field.Type))
}
