package read

import "go/types"

// lockIn returns the part of a type that must not be copied, by the rule of go
// vet, and the path to it. Behind a pointer nothing is copied; the elements of
// slices and maps are where accessors hand them out.
func (r *resolver) lockIn(t types.Type, path string, stored bool) (lock types.Type, place string) {
	if locks(t) {
		return t, path
	}
	switch u := t.Underlying().(type) {
	case *types.Array:
		return r.lockIn(u.Elem(), path+"[]", stored)
	case *types.Slice:
		if stored {
			return r.lockIn(u.Elem(), path+"[]", stored)
		}
	case *types.Map:
		if stored {
			return r.lockIn(u.Elem(), path+"[]", stored)
		}
	case *types.Struct:
		if r.unlocked[u] {
			return nil, ""
		}
		for f := range u.Fields() {
			if lock, place := r.lockIn(f.Type(), path+"."+f.Name(), false); lock != nil {
				if r.isForeign(t) {
					return t, path
				}
				return lock, place
			}
		}
		r.unlocked[u] = true
	}
	return nil, ""
}

// isForeign reports whether a type is of another package, whose insides say
// nothing to the user of this one.
func (r *resolver) isForeign(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != r.home
}

// locks reports whether a pointer to the type is a sync.Locker, and the type
// itself is none. A pointer to an interface has no methods.
func locks(t types.Type) bool { return isLocker(types.NewPointer(t)) && !isLocker(t) }

func isLocker(t types.Type) bool {
	methods := types.NewMethodSet(t)
	return hasMethod(methods, "Lock", nil, nil) && hasMethod(methods, "Unlock", nil, nil)
}
