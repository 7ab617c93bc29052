package duckvet

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/duckgen/duckgen/gen/schema"
)

// What a generated type is known by. It is told by its type alone, so that
// nothing has to be known of the package that declares it.
const (
	runtimePath = "github.com/duckgen/duckgen/runtime"
	livelyPath  = runtimePath + "/lively"
)

// asSession returns the generated session type that t is, by whatever name, or
// nil: a struct of nothing but its core, with the name that duckgen gives.
func asSession(t types.Type) *types.Named {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || !strings.HasSuffix(named.Obj().Name(), schema.SessionSuffix) {
		return nil
	}
	if onlyField(named, "core", "Session") == nil {
		return nil
	}
	return named
}

// asManager returns the generated type of a manager of sessions that t is, or
// nil.
func asManager(t types.Type) *types.Named {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || !strings.HasSuffix(named.Obj().Name(), schema.SessionsSuffix) {
		return nil
	}
	if onlyField(named, "manager", "Manager") == nil {
		return nil
	}
	return named
}

// onlyField returns the only field of a struct type, if it has this name and
// points to this type of the runtime.
func onlyField(named *types.Named, name, typ string) *types.Var {
	s, ok := named.Underlying().(*types.Struct)
	if !ok || s.NumFields() != 1 || s.Field(0).Name() != name {
		return nil
	}
	pointer, ok := s.Field(0).Type().(*types.Pointer)
	if !ok || !isNamed(pointer.Elem(), runtimePath, typ) {
		return nil
	}
	return s.Field(0)
}

// pointedSession returns the session type that t points to, or nil.
func pointedSession(t types.Type) *types.Named {
	if t == nil {
		return nil
	}
	pointer, ok := types.Unalias(t).(*types.Pointer)
	if !ok {
		return nil
	}
	return asSession(pointer.Elem())
}

func isNamed(t types.Type, path, name string) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == name && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == path
}

func isPointerTo(t types.Type, path, name string) bool {
	pointer, ok := types.Unalias(t).(*types.Pointer)
	return ok && isNamed(pointer.Elem(), path, name)
}

// A call is one of a method of a generated type.
type call struct {
	*ast.CallExpr
	on     ast.Expr // what the method is called on
	typ    *types.Named
	method string
}

// sessionCall returns the call as one of a session's method, promoted ones
// included.
func sessionCall(info *types.Info, e ast.Expr) (call, bool) {
	return methodCall(info, e, asSession)
}

// managerCall is sessionCall for a manager of sessions.
func managerCall(info *types.Info, e ast.Expr) (call, bool) {
	return methodCall(info, e, asManager)
}

func methodCall(info *types.Info, e ast.Expr, as func(types.Type) *types.Named) (call, bool) {
	c, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return call{}, false
	}
	selector, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr)
	if !ok {
		return call{}, false
	}
	f := typeutil.StaticCallee(info, c)
	if f == nil || f.Signature().Recv() == nil {
		return call{}, false
	}
	if selection := info.Selections[selector]; selection == nil || selection.Kind() != types.MethodVal {
		return call{}, false
	}
	receiver := types.Unalias(f.Signature().Recv().Type())
	if pointer, ok := receiver.(*types.Pointer); ok {
		receiver = pointer.Elem()
	}
	typ := as(receiver)
	if typ == nil {
		return call{}, false
	}
	return call{c, selector.X, typ, f.Name()}, true
}

// isFrom reports whether a call is one of the generated function that returns
// the session of a request.
func isFrom(info *types.Info, e ast.Expr) bool {
	c, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	f := typeutil.StaticCallee(info, c)
	if f == nil || f.Signature().Recv() != nil || f.Signature().Results().Len() != 1 {
		return false
	}
	typ := pointedSession(f.Signature().Results().At(0).Type())
	return typ != nil && f.Pkg() == typ.Obj().Pkg() && f.Name() == namesOf(typ).From
}

// namesOf returns the names that were generated together with a session type.
func namesOf(typ *types.Named) schema.Names {
	stem := schema.Session{Name: strings.TrimSuffix(typ.Obj().Name(), schema.SessionSuffix)}
	return stem.Names()
}

// fieldsOf returns the names of a session's fields: each has a method that says
// whether it has changed.
func fieldsOf(typ *types.Named) []string {
	var fields []string
	for m := range typ.Methods() {
		if field, ok := schema.XDirty.Field(m.Name()); ok {
			fields = append(fields, field)
		}
	}
	return fields
}

// isAccessor reports whether a method is one of these accessors of any field.
func isAccessor(typ *types.Named, method string, accessors ...schema.Accessor) bool {
	fields := fieldsOf(typ)
	return slices.ContainsFunc(accessors, func(a schema.Accessor) bool {
		field, ok := a.Field(method)
		return ok && slices.Contains(fields, field)
	})
}

// reachesSessions reports whether a package can have sessions to do with: it
// depends on their runtime, as far as its types tell.
func reachesSessions(pkg *types.Package) bool {
	seen := map[*types.Package]bool{}
	var reaches func(*types.Package) bool
	reaches = func(p *types.Package) bool {
		if seen[p] {
			return false
		}
		seen[p] = true
		return p.Path() == runtimePath || slices.ContainsFunc(p.Imports(), reaches)
	}
	return reaches(pkg)
}
