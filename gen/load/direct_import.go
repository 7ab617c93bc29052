package load

import (
	"go/ast"
	"go/types"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// Import implements [types.Importer]: packages of the module are read, those of
// the standard library described. Of all others nothing is known but that they
// are there.
func (d *direct) Import(importPath string) (*types.Package, error) {
	if importPath == "unsafe" {
		return types.Unsafe, nil
	}
	if pkg, err := d.standard.Import(importPath); err == nil {
		return pkg, nil
	}
	pkg, seen := d.imported[importPath]
	switch {
	case pkg != nil:
		return pkg, nil
	case seen:
		return nil, errIndirect // a cycle
	}
	d.imported[importPath] = nil
	pkg, err := d.source(importPath)
	if err != nil {
		name, ok := d.nameIn(importPath)
		if !ok {
			name = nameOf(importPath)
		}
		pkg = types.NewPackage(importPath, name)
		pkg.MarkComplete()
	}
	d.imported[importPath] = pkg
	return pkg, nil
}

// source checks another package of the module, without its tests.
func (d *direct) source(importPath string) (*types.Package, error) {
	dir, ok := d.module.directory(importPath)
	if !ok {
		return nil, errIndirect
	}
	listed, err := d.list(dir)
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, base := range listed.GoFiles {
		file := d.parseFile(filepath.Join(dir, base))
		if file == nil {
			return nil, errIndirect
		}
		files = append(files, file)
	}
	if err := newMeasurer(files, d.measurer).check(d.fset, files); err != nil {
		return nil, err
	}
	if !d.namesImports(files) {
		return nil, errIndirect
	}
	pkg := types.NewPackage(importPath, listed.Name)
	_ = types.NewChecker(d.config(d), d.fset, pkg, nil).Files(files) // whatever is wrong there
	pkg.MarkComplete()
	return pkg, nil
}

// tested imports the package that external tests are about with its own tests.
type tested struct {
	*direct
	path string
	pkg  *types.Package
}

func (t tested) Import(importPath string) (*types.Package, error) {
	if importPath == t.path {
		t.pkg.MarkComplete()
		return t.pkg, nil
	}
	return t.direct.Import(importPath)
}

// namesImports reports whether it is known under which names the files import
// other packages.
func (d *direct) namesImports(files []*ast.File) bool {
	for _, file := range files {
		for _, spec := range file.Imports {
			importPath, err := strconv.Unquote(spec.Path.Value)
			if err != nil || importPath == "C" || spec.Name != nil && spec.Name.Name == "." {
				return false
			}
			_, own := d.module.directory(importPath)
			if spec.Name != nil || own || isStandard(importPath) {
				continue
			}
			if _, ok := d.nameIn(importPath); !ok {
				return false
			}
		}
	}
	return true
}

// isStandard reports whether a path is the standard library's: no other one
// begins without a dot, by the rule of the go command.
func isStandard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

// nameOf is what a package of the standard library is called.
func nameOf(importPath string) string {
	base := path.Base(importPath)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		base = path.Base(path.Dir(importPath))
	}
	return base
}
