package read

import "go/types"

// isTime reports whether a type is time.Time itself.
func isTime(t *types.Named) bool {
	return t.Obj().Name() == "Time" && t.Obj().Pkg() != nil && t.Obj().Pkg().Path() == "time"
}

// isDuration reports whether a type is time.Duration, whatever it is called.
func isDuration(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "Duration" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "time"
}

// timeUnderlying returns the struct of time.Time where a type has just that for
// its own, as in type Stamp time.Time, and nil otherwise. The struct's fields
// are unexported, so that they tell which package declared it.
func timeUnderlying(t *types.Named) types.Type {
	s, ok := t.Underlying().(*types.Struct)
	if !ok || s.NumFields() == 0 {
		return nil
	}
	pkg := s.Field(0).Pkg()
	if pkg == nil || pkg.Path() != "time" || s.Field(0).Exported() {
		return nil
	}
	obj := pkg.Scope().Lookup("Time")
	if obj == nil {
		return nil
	}
	return obj.Type().Underlying()
}
