package load

import (
	"fmt"
	"go/types"
)

// imports resolves every package that loading one has reached. One that is known
// only as far as others use it is not complete.
type imports map[string]*types.Package

// reached are the packages that one imports, and all that these import.
func reached(pkg *types.Package) imports {
	m := imports{}
	m.reach(pkg.Imports())
	return m
}

func (m imports) reach(imports []*types.Package) {
	for _, pkg := range imports {
		if m[pkg.Path()] != nil {
			continue
		}
		m[pkg.Path()] = pkg
		m.reach(pkg.Imports())
	}
}

// Import implements [types.Importer].
func (m imports) Import(path string) (*types.Package, error) {
	if pkg := m[path]; pkg != nil {
		return pkg, nil
	}
	return nil, fmt.Errorf("package %s was not loaded", path)
}
