package read

import (
	"go/types"
	"slices"
)

// unresolved reports whether a type, as it is written, has something in it that
// the type checker does not know. Generated code writes the types of all fields.
func (r *resolver) unresolved(t types.Type) bool {
	switch t := t.(type) {
	case *types.Basic:
		return t.Kind() == types.Invalid
	case *types.Alias:
		return slices.ContainsFunc(slices.Collect(t.TypeArgs().Types()), r.unresolved) || r.unresolved(t.Rhs())
	case *types.Named:
		return slices.ContainsFunc(slices.Collect(t.TypeArgs().Types()), r.unresolved)
	case *types.Pointer:
		return r.unresolved(t.Elem())
	case *types.Slice:
		return r.unresolved(t.Elem())
	case *types.Array:
		return r.unresolved(t.Elem())
	case *types.Chan:
		return r.unresolved(t.Elem())
	case *types.Map:
		return r.unresolved(t.Key()) || r.unresolved(t.Elem())
	case *types.Signature:
		return r.anyUnresolved(t.Params().Variables()) || r.anyUnresolved(t.Results().Variables())
	case *types.Struct:
		return r.anyUnresolved(t.Fields())
	case *types.Interface:
		for m := range t.ExplicitMethods() {
			if r.unresolved(m.Type()) {
				return true
			}
		}
	}
	return false
}

func (r *resolver) anyUnresolved(vars func(func(*types.Var) bool)) bool {
	for v := range vars {
		if r.unresolved(v.Type()) {
			return true
		}
	}
	return false
}
