package read

import (
	"go/types"
	"strings"

	"github.com/duckgen/duckgen/gen/schema"
)

// name returns how the source calls a type: by its alias where generated code
// may use that, by its own name otherwise. Nil: it has none.
func (r *resolver) name(t types.Type) *schema.Name {
	for {
		alias, ok := t.(*types.Alias)
		if !ok {
			break
		}
		if alias.Obj().Pkg() != nil && r.nameable(alias.Obj()) {
			return r.nameOf(alias.Obj(), alias.TypeArgs())
		}
		t = alias.Rhs()
	}
	switch t := t.(type) {
	case *types.Named:
		return r.nameOf(t.Obj(), t.TypeArgs())
	case *types.Basic:
		switch {
		case t.Kind() == types.UnsafePointer:
			return &schema.Name{Path: "unsafe", Package: "unsafe", Name: "Pointer"}
		case t.Name() != types.Typ[t.Kind()].Name(): // byte and rune
			return &schema.Name{Name: t.Name()}
		}
	}
	return nil
}

func (r *resolver) nameOf(obj *types.TypeName, args *types.TypeList) *schema.Name {
	name := &schema.Name{Name: obj.Name()}
	if pkg := obj.Pkg(); pkg != nil {
		name.Path, name.Package = pkg.Path(), pkg.Name()
	}
	for arg := range args.Types() {
		name.Args = append(name.Args, r.spelling(arg))
	}
	return name
}

// spelling returns a type as generated code writes it, without saying how it is
// encoded.
func (r *resolver) spelling(t types.Type) *schema.Type {
	if name := r.name(t); name != nil {
		return &schema.Type{Name: name}
	}
	switch t := t.(type) {
	case *types.Basic:
		return &schema.Type{Form: schema.Basic, Basic: t.Name()}
	case *types.Pointer:
		return &schema.Type{Form: schema.Pointer, Elem: r.spelling(t.Elem())}
	case *types.Slice:
		return &schema.Type{Form: schema.Slice, Elem: r.spelling(t.Elem())}
	case *types.Array:
		return &schema.Type{Form: schema.Array, Len: t.Len(), Elem: r.spelling(t.Elem())}
	case *types.Map:
		return &schema.Type{Form: schema.MapOf, Key: r.spelling(t.Key()), Elem: r.spelling(t.Elem())}
	}
	return &schema.Type{Literal: literalParts(t)}
}

// mark stands around a package's path and name in the text of a type. It is no
// character of Go source.
const mark = "\x00"

// literalParts writes any type as texts and names in turn.
func literalParts(t types.Type) []schema.LiteralPart {
	text := types.TypeString(t, func(p *types.Package) string {
		return mark + p.Path() + mark + p.Name() + mark
	})
	pieces := strings.Split(text, mark)
	parts := []schema.LiteralPart{{Text: pieces[0]}}
	for i := 1; i+2 < len(pieces); i += 3 {
		after := strings.TrimPrefix(pieces[i+2], ".")
		end := strings.IndexFunc(after, func(r rune) bool { return !identifierRune(r) })
		if end < 0 {
			end = len(after)
		}
		name := &schema.Name{Path: pieces[i], Package: pieces[i+1], Name: after[:end]}
		parts = append(parts, schema.LiteralPart{Name: name})
		if after[end:] != "" {
			parts = append(parts, schema.LiteralPart{Text: after[end:]})
		}
	}
	return parts
}
