package load

import (
	"cmp"
	"errors"
	"go/ast"
	"go/build"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	modversion "golang.org/x/mod/module"

	"github.com/duckgen/duckgen/gen/verify"
)

// errIndirect says that the packages cannot be known from their own files.
var errIndirect = errors.New("the go command has to be asked")

// Direct loads packages without starting the go command, in a hundredth of the
// time: their files are chosen, parsed and type-checked here, other packages of
// the module as they are needed, and of the standard library what is described
// in package verify. Packages for which the result could differ from what the go
// command would say are left: those with build constraints that only it knows,
// and with sessions whose types lead to other packages. All are, and ok is
// false, where it could for the run as a whole: for patterns that are no
// directories, and settings that choose other files.
func Direct(cfg Config) (loaded []*Package, left []string, ok bool) {
	d, err := newDirect(cfg)
	if err != nil {
		return nil, nil, false
	}
	dirs, err := d.module.directories(cfg)
	if err != nil {
		return nil, nil, false
	}
	for _, dir := range dirs {
		packages, err := d.packages(dir)
		_, none := errors.AsType[*build.NoGoError](err)
		switch {
		case err == nil:
			loaded = append(loaded, packages...)
		case none: // a wildcard passes over it, its own name does not
			return nil, nil, false
		default:
			left = append(left, relative(cfg.Dir, dir))
		}
	}
	slices.SortFunc(loaded, byPath)
	return loaded, left, len(loaded) > 0
}

// relative returns the pattern of a directory for a go command that runs in
// another one.
func relative(from, dir string) string {
	rel, err := filepath.Rel(from, dir)
	if err != nil {
		return dir
	}
	return "./" + filepath.ToSlash(rel)
}

func byPath(a, b *Package) int { return cmp.Compare(a.Path, b.Path) }

// A direct loads the packages of one module.
type direct struct {
	module   module
	tests    bool
	context  build.Context
	fset     *token.FileSet
	parser   parser
	sources  map[string][]byte         // of the files that were read, by path
	syntax   map[string]*ast.File      // of these, as far as they were parsed
	imported map[string]*types.Package // by import path; nil: it is being checked
	names    map[string]string         // of packages of other modules; empty: unknown
	standard types.Importer

	measurers map[string]*measurer // by import path
}

func newDirect(cfg Config) (*direct, error) {
	m, err := findModule(cfg.Dir)
	if err != nil {
		return nil, err
	}
	context, err := buildContext(cfg.Tags)
	if err != nil {
		return nil, err
	}
	d := newSources(m, context)
	d.tests = cfg.Tests
	return d, nil
}

// newSources reads the files of a module.
func newSources(m module, context build.Context) *direct {
	d := &direct{
		module:    m,
		context:   context,
		fset:      token.NewFileSet(),
		sources:   map[string][]byte{},
		syntax:    map[string]*ast.File{},
		imported:  map[string]*types.Package{},
		names:     map[string]string{},
		standard:  verify.Described(),
		measurers: map[string]*measurer{},
	}
	d.context.ReadDir = d.readDir
	d.context.OpenFile = d.openFile
	return d
}

// parseFile parses a file, once for all who ask. The result is nil if it cannot
// be read; other errors are noted.
func (d *direct) parseFile(path string) *ast.File {
	if file, ok := d.syntax[path]; ok {
		return file
	}
	source, err := d.read(path)
	if err != nil {
		return nil
	}
	file, _ := d.parser.parse(d.fset, path, source)
	d.syntax[path] = file
	return file
}

// packages loads the package of a directory, with its tests, and the package of
// its external tests.
func (d *direct) packages(dir string) ([]*Package, error) {
	listed, err := d.list(dir)
	if err != nil {
		return nil, err
	}
	path := d.module.importPath(dir)
	if !d.tests {
		listed.TestGoFiles, listed.XTestGoFiles = nil, nil
	}
	inside, err := d.load(path, listed.Name, dir, slices.Concat(listed.GoFiles, listed.TestGoFiles), d)
	if err != nil {
		return nil, err
	}
	result := []*Package{inside}
	if len(listed.XTestGoFiles) > 0 {
		within := tested{d, path, inside.Types}
		outside, err := d.load(path+"_test", listed.Name+"_test", dir, listed.XTestGoFiles, within)
		switch {
		case err != nil:
			return nil, err
		case importsBack(outside.Types, inside.Types):
			return nil, errIndirect
		}
		result = append(result, outside)
	}
	return result, nil
}

// importsBack reports whether external tests import a package that imports the
// tested one: it was checked with that package as it is without its tests, and
// the go command would check it again.
func importsBack(pkg, tested *types.Package) bool {
	seen := map[*types.Package]bool{}
	var back func(*types.Package) bool
	back = func(p *types.Package) bool {
		if p == tested || seen[p] {
			return false
		}
		seen[p] = true
		return p.Path() == tested.Path() || slices.ContainsFunc(p.Imports(), back)
	}
	return back(pkg)
}

// list chooses the files of a package.
func (d *direct) list(dir string) (*build.Package, error) {
	listed, err := d.context.ImportDir(dir, 0)
	switch {
	case err != nil:
		return nil, err
	case len(listed.CgoFiles) > 0 || len(listed.GoFiles)+len(listed.TestGoFiles) == 0:
		return nil, errIndirect
	case slices.ContainsFunc(listed.AllTags, onlyTheCommandKnows):
		return nil, errIndirect
	}
	return listed, nil
}

// load parses and checks the files of one package, and makes sure that nothing
// of its sessions is unknown.
func (d *direct) load(path, name, dir string, files []string, imports types.Importer) (*Package, error) {
	result := &Package{Path: path, Name: name, Dir: dir, Fset: d.fset}
	var syntax []*ast.File
	concerned := false
	for _, base := range files {
		filename := filepath.Join(dir, base)
		file := d.parseFile(filename)
		if file == nil {
			return nil, errIndirect
		}
		concerned = concerned || mayConcern(d.sources[filename])
		syntax = append(syntax, file)
		result.add(&File{filename, file, file, d.parser.errorsOf(filename)})
	}
	if !concerned {
		result.Types, result.Info = types.NewPackage(path, name), &types.Info{}
		return result, nil
	}
	if modversion.CheckImportPath(strings.TrimSuffix(path, "_test")) != nil {
		return nil, errIndirect
	}
	if err := newMeasurer(syntax, d.measurer).check(d.fset, syntax); err != nil {
		return nil, err
	}
	if !d.namesImports(syntax) {
		return nil, errIndirect
	}
	result.check(syntax, d.config(imports))
	if !known(result) {
		return nil, errIndirect
	}
	result.Imports = reached(result.Types)
	return result, nil
}

func (d *direct) config(imports types.Importer) *types.Config {
	return &types.Config{
		Importer:         imports,
		GoVersion:        "go" + d.module.goVersion,
		Sizes:            types.SizesFor("gc", d.context.GOARCH),
		IgnoreFuncBodies: true,
		Error:            func(error) {},
	}
}
