package read

import "go/types"

// marshalsItself reports whether a pointer to the type has the two methods of
// encoding.BinaryMarshaler and encoding.BinaryUnmarshaler, or those of Text.
func marshalsItself(t *types.Named, format string) bool {
	switch t.Underlying().(type) {
	case *types.Interface, *types.Pointer:
		return false
	}
	methods := types.NewMethodSet(types.NewPointer(t))
	bytes := types.NewSlice(types.Typ[types.Byte])
	failure := types.Universe.Lookup("error").Type()
	return hasMethod(methods, "Marshal"+format, nil, []types.Type{bytes, failure}) &&
		hasMethod(methods, "Unmarshal"+format, []types.Type{bytes}, []types.Type{failure})
}

func hasMethod(methods *types.MethodSet, name string, params, results []types.Type) bool {
	method := methods.Lookup(nil, name)
	if method == nil {
		return false
	}
	sig := method.Type().(*types.Signature)
	return !sig.Variadic() && sameTypes(sig.Params(), params) && sameTypes(sig.Results(), results)
}

func sameTypes(have *types.Tuple, want []types.Type) bool {
	if have.Len() != len(want) {
		return false
	}
	for i, t := range want {
		if !types.Identical(have.At(i).Type(), t) {
			return false
		}
	}
	return true
}
