package runtime_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The house stays one that can be read forwards: few files need each other in a
// loop, and no type does everything.
const (
	largestKnot = 6
	mostMethods = 80
)

func TestFilesNeedEachOtherInSmallKnotsOnly(t *testing.T) {
	fset, files := sources(t)
	for _, knot := range knots(needs(fset, files)) {
		if len(knot) > largestKnot {
			t.Errorf("%d files need each other, want at most %d: %s", len(knot), largestKnot, strings.Join(knot, " "))
		}
	}
}

func TestNoTypeHasAllTheMethods(t *testing.T) {
	_, files := sources(t)
	methods := map[string]int{}
	for _, file := range files {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil {
				methods[strings.TrimPrefix(types.ExprString(f.Recv.List[0].Type), "*")]++
			}
		}
	}
	for name, n := range methods {
		if n > mostMethods {
			t.Errorf("%s has %d methods, want at most %d", name, n, mostMethods)
		}
	}
}

func sources(t *testing.T) (*token.FileSet, []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return fset, files
}

// noPackages leaves what other packages declare unknown: it is not asked for, and
// costs seconds to load.
type noPackages struct{}

func (noPackages) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, filepath.Base(path))
	p.MarkComplete()
	return p, nil
}

// needs returns which other files of the package each file refers to.
func needs(fset *token.FileSet, files []*ast.File) map[string][]string {
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: noPackages{}, Error: func(error) {}}
	pkg, _ := config.Check("runtime", fset, files, info)
	fileOf := func(p token.Pos) string { return filepath.Base(fset.Position(p).Filename) }
	needs := map[string][]string{}
	for id, object := range info.Uses {
		v, isVar := object.(*types.Var)
		isLocal := isVar && !v.IsField() && v.Parent() != pkg.Scope()
		from, to := fileOf(id.Pos()), fileOf(object.Pos())
		if object.Pkg() == pkg && !isLocal && from != to && !slices.Contains(needs[from], to) {
			needs[from] = append(needs[from], to)
		}
	}
	return needs
}

// knots returns the groups of files that reach each other.
func knots(needs map[string][]string) (groups [][]string) {
	reached := map[string]map[string]bool{}
	for from := range needs {
		reached[from] = reach(needs, from)
	}
	seen := map[string]bool{}
	for from := range needs {
		if seen[from] {
			continue
		}
		var group []string
		for to := range reached[from] {
			if reached[to][from] {
				group = append(group, to)
				seen[to] = true
			}
		}
		slices.Sort(group)
		groups = append(groups, group)
	}
	return groups
}

func reach(needs map[string][]string, from string) map[string]bool {
	reached, next := map[string]bool{}, []string{from}
	for len(next) > 0 {
		file := next[0]
		next = next[1:]
		for _, to := range needs[file] {
			if !reached[to] {
				reached[to] = true
				next = append(next, to)
			}
		}
	}
	return reached
}
