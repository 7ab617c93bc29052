package load

import (
	"go/ast"
	"go/token"
	"go/types"
)

// A Package is one loaded package. Files with one import path and their tests
// are one package; an external test package is one of its own.
type Package struct {
	Path  string
	Name  string
	Dir   string
	Fset  *token.FileSet
	Files []*File // written by hand
	Types *types.Package
	Info  *types.Info

	Imports    types.Importer // of what loading has reached; safe for concurrent use
	typeErrors []types.Error
	unimported map[string]string // what the go command says of imports, by their paths
	listed     map[string]bool   // the paths of Files
}

func (p *Package) add(f *File) {
	if p.listed == nil {
		p.listed = map[string]bool{}
	}
	p.listed[f.Path] = true
	p.Files = append(p.Files, f)
}

// A File is a hand-written file. The bodies of its functions are dropped.
type File struct {
	Path   string
	Syntax *ast.File
	Head   *ast.File     // comments and imports as they are written; cgo rewrites Syntax
	Errors []SyntaxError // of a file that mentions duckgen; elsewhere they do no harm
}

// Position returns where something is in the file that the user wrote.
func (p *Package) Position(pos token.Pos) token.Position {
	real := p.Fset.PositionFor(pos, false)
	if p.listed[real.Filename] {
		return real
	}
	return p.Fset.Position(pos)
}

// ErrorAt returns what the type checker says about the line of the position,
// or "".
func (p *Package) ErrorAt(pos token.Pos) string {
	at := p.Fset.Position(pos)
	for _, e := range p.typeErrors {
		where := p.Fset.Position(e.Pos)
		if where.Filename == at.Filename && where.Line == at.Line {
			return firstLine(e.Msg)
		}
	}
	return ""
}

// Unimported returns what the go command says of an import that it does not find,
// or "".
func (p *Package) Unimported(importPath string) string { return p.unimported[importPath] }
