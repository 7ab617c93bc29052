package verify

import (
	"errors"
	"fmt"
	"go/ast"
	"go/types"
	"strconv"
)

// An importer finds packages where they are: complete ones at the given
// importer, and what that lacks in the descriptions and in what packages of the
// given importer refer to.
type importer struct {
	given types.Importer
	// referred are the packages that those of the given importer refer to. They
	// have only the objects that were referred to.
	referred map[string]*types.Package
	made     map[string]*types.Package
}

// newImporter looks at everything that the files import, so that it knows what
// is referred to before it makes a package.
func newImporter(given types.Importer, files []*ast.File) *importer {
	i := &importer{
		given:    given,
		referred: map[string]*types.Package{},
		made:     map[string]*types.Package{},
	}
	for _, file := range files {
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value) // checked by the parser
			if pkg := i.fromGiven(path); pkg != nil {
				i.refer(pkg)
			}
		}
	}
	return i
}

func (i *importer) fromGiven(path string) *types.Package {
	if i.given == nil {
		return nil
	}
	pkg, err := i.given.Import(path)
	if err != nil {
		return nil
	}
	return pkg
}

func (i *importer) refer(pkg *types.Package) {
	if i.referred[pkg.Path()] != nil {
		return
	}
	i.referred[pkg.Path()] = pkg
	for _, imported := range pkg.Imports() {
		i.refer(imported)
	}
}

// Import returns the package of the path.
func (i *importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if pkg := i.made[path]; pkg != nil {
		return pkg, nil
	}
	if pkg := i.fromGiven(path); pkg != nil && pkg.Complete() {
		return pkg, nil
	}
	pkg, err := i.make(path)
	if err != nil {
		return nil, err
	}
	i.made[path] = pkg
	return pkg, nil
}

// make puts a package together from what is referred to of it and from its
// description, as far as there are.
func (i *importer) make(path string) (*types.Package, error) {
	referred := i.referred[path]
	described, ok := descriptions()[path]
	switch {
	case ok:
		return i.describe(path, described, referred)
	case referred != nil:
		pkg := adopt(path, referred.Name(), referred)
		pkg.MarkComplete()
		return pkg, nil
	default:
		return nil, errors.New("no such package here")
	}
}

// describe type-checks a description around the objects that exist already.
func (i *importer) describe(path string, d description, referred *types.Package) (*types.Package, error) {
	pkg := adopt(path, d.file.Name.Name, referred)
	var first error
	config := types.Config{
		Importer:         i,
		IgnoreFuncBodies: true,
		// A soft error, such as a generic function without a body, is none here.
		Error: func(err error) {
			if e, ok := err.(types.Error); ok && !e.Soft && first == nil {
				first = err
			}
		},
		DisableUnusedImportCheck: true,
	}
	file := without(d.file, pkg.Scope())
	_ = types.NewChecker(&config, d.fset, pkg, nil).Files([]*ast.File{file}) // in first
	if first != nil {
		return nil, fmt.Errorf("description of %s: %w", path, first)
	}
	pkg.MarkComplete()
	return pkg, nil
}

// adopt returns a package that begins with the objects of another one, so that
// types keep their identity. That one is not changed.
func adopt(path, name string, from *types.Package) *types.Package {
	pkg := types.NewPackage(path, name)
	if from == nil {
		return pkg
	}
	for _, name := range from.Scope().Names() {
		pkg.Scope().Insert(from.Scope().Lookup(name))
	}
	return pkg
}

// Described returns an importer of the packages that are described. They have
// only what is described of them.
func Described() types.Importer { return newImporter(nil, nil) }

// Describes reports whether there is a description of the package.
func Describes(path string) bool {
	_, ok := descriptions()[path]
	return ok
}
