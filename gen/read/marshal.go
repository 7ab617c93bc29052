package read

import "go/types"

// marshalsItself reports whether a pointer to the type has the two methods of
// encoding.BinaryMarshaler and encoding.BinaryUnmarshaler, or those of Text. Methods
// of an embedded field know nothing of the fields beside it: they count only if
// those are not stored anyway.
func marshalsItself(t *types.Named, format string) bool {
	switch t.Underlying().(type) {
	case *types.Interface, *types.Pointer:
		return false
	}
	methods := types.NewMethodSet(types.NewPointer(t))
	bytes := types.NewSlice(types.Typ[types.Byte])
	failure := types.Universe.Lookup("error").Type()
	return hasMethod(methods, "Marshal"+format, nil, []types.Type{bytes, failure}) &&
		hasMethod(methods, "Unmarshal"+format, []types.Type{bytes}, []types.Type{failure}) &&
		standsForAll(t, methods.Lookup(nil, "Marshal"+format).Index()) &&
		standsForAll(t, methods.Lookup(nil, "Unmarshal"+format).Index())
}

func hasMethod(methods *types.MethodSet, name string, params, results []types.Type) bool {
	method := methods.Lookup(nil, name)
	if method == nil {
		return false
	}
	sig := method.Type().(*types.Signature)
	return !sig.Variadic() && sameTypes(sig.Params(), params) && sameTypes(sig.Results(), results)
}

// standsForAll reports whether the embedded field that a method comes from is all
// that would be stored of the type. The index is the way to the method: fields,
// then the method itself.
func standsForAll(t types.Type, index []int) bool {
	for _, embedded := range index[:len(index)-1] {
		s := t.Underlying().(*types.Struct)
		if leftOut(s.Tag(embedded)) {
			return false
		}
		for i := range s.NumFields() {
			if i != embedded && s.Field(i).Exported() && !leftOut(s.Tag(i)) {
				return false
			}
		}
		t = s.Field(embedded).Type()
		if _, ok := t.Underlying().(*types.Pointer); ok {
			return false // it is nil when a value is read
		}
	}
	return true
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
