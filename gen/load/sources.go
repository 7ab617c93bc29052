package load

import (
	"errors"
	"go/ast"
	"go/token"
	"go/types"
)

// Sources are the files of one package that another program has loaded, such as
// the driver of an analysis.
type Sources struct {
	Path    string   // import path, of external tests with _test
	Name    string   // of the package
	Dir     string   // absolute
	Files   []string // absolute; duckgen's own files may be among them
	Outside []string // further files, whose sessions are left out: what they declare is taken all the same

	Read      func(path string) ([]byte, error)
	Imports   []*types.Package // of the package
	GoVersion string           // as [types.Config] has it
	Sizes     types.Sizes
}

// Load reads the package as [Load] would, from its sources and the packages that
// it imports.
func (s Sources) Load() (*Package, error) {
	known := imports{}
	known.reach(s.Imports)
	result := &Package{
		Path:    s.Path,
		Name:    s.Name,
		Dir:     s.Dir,
		Fset:    token.NewFileSet(),
		Imports: known,
	}
	var p parser
	var syntax []*ast.File
	for _, path := range s.Files {
		file, err := s.parse(&p, result.Fset, path)
		if err != nil {
			return nil, err
		}
		if file != nil {
			syntax = append(syntax, file)
			result.add(&File{path, file, file, p.errorsOf(path)})
		}
	}
	for _, path := range s.Outside {
		file, err := s.parse(&p, result.Fset, path)
		if err != nil {
			return nil, err
		}
		if file != nil && file.Name.Name == s.Name {
			syntax = append(syntax, file)
			head := &ast.File{Name: file.Name, Imports: file.Imports}
			result.add(&File{Path: path, Syntax: head, Head: head})
		}
	}
	result.check(syntax, &types.Config{
		Importer:         withUnsafe{known},
		GoVersion:        s.GoVersion,
		Sizes:            s.Sizes,
		IgnoreFuncBodies: true,
		FakeImportC:      true,
	})
	return result, nil
}

// parse returns nil for duckgen's own files.
func (s Sources) parse(p *parser, fset *token.FileSet, path string) (*ast.File, error) {
	source, err := s.Read(path)
	if err != nil {
		return nil, err
	}
	if IsOwn(path, source) {
		return nil, nil
	}
	file, err := p.parse(fset, path, source)
	if file == nil {
		return nil, err
	}
	return file, nil // other errors are noted
}

// check type-checks a package as far as it goes.
func (p *Package) check(files []*ast.File, config *types.Config) {
	p.Info = &types.Info{
		Defs:      map[*ast.Ident]types.Object{},
		Uses:      map[*ast.Ident]types.Object{},
		Implicits: map[ast.Node]types.Object{},
	}
	p.Types = types.NewPackage(p.Path, p.Name)
	config.Error = func(err error) {
		if e, ok := errors.AsType[types.Error](err); ok {
			p.typeErrors = append(p.typeErrors, e)
		}
	}
	_ = types.NewChecker(config, p.Fset, p.Types, p.Info).Files(files) // in typeErrors
}

// withUnsafe imports package unsafe, too.
type withUnsafe struct{ imports }

func (i withUnsafe) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	return i.imports.Import(path)
}
