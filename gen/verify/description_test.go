package verify

import (
	"fmt"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// TestDescriptionsSayWhatThePackagesSay holds every declaration of every
// description to the real package.
func TestDescriptionsSayWhatThePackagesSay(t *testing.T) {
	paths := slices.Sorted(maps.Keys(descriptions()))
	real := load(t, paths)
	imp := newImporter(nil, nil)
	for _, path := range paths {
		described, err := imp.Import(path)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		for _, name := range described.Scope().Names() {
			compareObjects(t, path, described.Scope().Lookup(name), real[path].Scope().Lookup(name))
		}
	}
}

func load(t *testing.T, paths []string) map[string]*types.Package {
	t.Helper()
	// Syntax makes the loader type-check the sources, so that unexported
	// declarations are there, too.
	config := &packages.Config{Mode: packages.NeedName | packages.NeedTypes | packages.NeedSyntax | packages.NeedImports}
	loaded, err := packages.Load(config, paths...)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*types.Package{}
	for _, pkg := range loaded {
		for _, err := range pkg.Errors {
			t.Fatalf("%s: %v", pkg.PkgPath, err)
		}
		all[pkg.PkgPath] = pkg.Types
	}
	return all
}

// text writes a type with import paths in full.
func text(t types.Type) string { return types.TypeString(t, nil) }

func compareObjects(t *testing.T, path string, described, real types.Object) {
	t.Helper()
	name := path + "." + described.Name()
	if real == nil {
		t.Errorf("%s: there is no such declaration", name)
		return
	}
	if got, want := fmt.Sprintf("%T", described), fmt.Sprintf("%T", real); got != want {
		t.Errorf("%s: described as a %s, is a %s", name, got, want)
		return
	}
	switch described := described.(type) {
	case *types.TypeName:
		compareTypes(t, name, described.Type().(*types.Named), real.Type().(*types.Named))
	case *types.Const:
		if got, want := described.Val(), real.(*types.Const).Val(); got.ExactString() != want.ExactString() {
			t.Errorf("%s: described as %s, is %s", name, got, want)
		}
		compareText(t, name, described.Type(), real.Type())
	default:
		compareText(t, name, described.Type(), real.Type())
	}
}

func compareText(t *testing.T, name string, described, real types.Type) {
	t.Helper()
	if got, want := text(described), text(real); got != want {
		t.Errorf("%s: described as\n\t%s\nis\n\t%s", name, got, want)
	}
}

func compareTypes(t *testing.T, name string, described, real *types.Named) {
	t.Helper()
	if got, want := typeParams(described), typeParams(real); got != want {
		t.Errorf("%s: described with type parameters %s, has %s", name, got, want)
	}
	for method := range described.Methods() {
		actual, _, _ := types.LookupFieldOrMethod(real, true, real.Obj().Pkg(), method.Name())
		if actual == nil {
			t.Errorf("%s.%s: there is no such method", name, method.Name())
			continue
		}
		compareText(t, name+"."+method.Name(), method.Type(), actual.Type())
		compareText(t, name+"."+method.Name(), receiver(method), receiver(actual))
	}
	switch u := described.Underlying().(type) {
	case *types.Struct:
		compareFields(t, name, u, real.Underlying())
	case *types.Interface:
		if u.Empty() && types.IsInterface(real) {
			return // only handed on
		}
		compareText(t, name, u, real.Underlying())
	default:
		compareText(t, name, u, real.Underlying())
	}
}

func receiver(method types.Object) types.Type { return method.Type().(*types.Signature).Recv().Type() }

func typeParams(t *types.Named) string {
	var params []string
	for p := range t.TypeParams().TypeParams() {
		params = append(params, p.Obj().Name()+" "+text(p.Constraint()))
	}
	return "[" + strings.Join(params, ", ") + "]"
}

// compareFields allows a description to leave fields out.
func compareFields(t *testing.T, name string, described *types.Struct, real types.Type) {
	t.Helper()
	fields := map[string]*types.Var{}
	if real, ok := real.(*types.Struct); ok {
		for f := range real.Fields() {
			fields[f.Name()] = f
		}
	}
	for f := range described.Fields() {
		actual := fields[f.Name()]
		if actual == nil || actual.Embedded() != f.Embedded() {
			t.Errorf("%s.%s: there is no such field", name, f.Name())
			continue
		}
		compareText(t, name+"."+f.Name(), f.Type(), actual.Type())
	}
	if _, ok := real.(*types.Struct); !ok {
		t.Errorf("%s: described as a struct, is %s", name, text(real))
	}
}
