package read

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path"
	"slices"
	"testing"

	"github.com/duckgen/duckgen/gen/load"
)

// shelf imports any package as an empty one, but for a constant in each.
type shelf struct{}

func (shelf) Import(from string) (*types.Package, error) {
	p := types.NewPackage(from, path.Base(from))
	p.Scope().Insert(types.NewConst(token.NoPos, p, "Constant", types.Typ[types.Int], nil))
	p.MarkComplete()
	return p, nil
}

// The names that imports take in one file are none for what is generated in another.
func TestImportsTakeTheNamesThatFilesGiveThem(t *testing.T) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "source.go", `package source
import (
	"a/plain"
	renamed "a/other"
	_ "a/blank"
	. "a/dotted"
)
`, 0)
	if err != nil {
		t.Fatal(err)
	}
	pkg := &load.Package{
		Files: []*load.File{{Syntax: file}},
		Info:  &types.Info{Defs: map[*ast.Ident]types.Object{}, Implicits: map[ast.Node]types.Object{}},
	}
	unused := func(error) {}
	_, _ = (&types.Config{Importer: shelf{}, Error: unused}).Check("example.com/source", fset, []*ast.File{file}, pkg.Info)
	if got, want := slices.Sorted(maps.Keys(imported(pkg))), []string{"Constant", "plain", "renamed"}; !slices.Equal(got, want) {
		t.Errorf("the names are %q, want %q", got, want)
	}
}
