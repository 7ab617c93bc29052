package load

import (
	"bytes"
	"errors"
	"go/ast"
	goparser "go/parser"
	"go/scanner"
	"go/token"
	"sync"
)

// A SyntaxError is one error of a hand-written file.
type SyntaxError struct {
	Pos     token.Position
	Message string
}

// tool is part of every directive. A file without it has no sessions.
const tool = "duckgen"

// A parser is the hook by which files are parsed. It remembers which files are
// duckgen's own and where the others do not parse. Safe for concurrent use.
type parser struct {
	mu     sync.Mutex
	own    map[string]bool
	errors map[string][]SyntaxError
}

// parse reads duckgen's own files as their package clause, so that what they
// hold does not matter, and drops the bodies of functions elsewhere.
func (p *parser) parse(fset *token.FileSet, filename string, src []byte) (*ast.File, error) {
	if IsOwn(filename, src) {
		p.mark(filename)
		return goparser.ParseFile(fset, filename, packageClause(src), goparser.PackageClauseOnly)
	}
	file, err := goparser.ParseFile(fset, filename, src, goparser.ParseComments|goparser.SkipObjectResolution)
	if file != nil {
		dropBodies(file)
	}
	if bytes.Contains(src, []byte(tool)) {
		p.note(filename, err)
	}
	return file, err
}

// parseHead reads the head of a file, and returns what stands for it where that
// cannot be read.
func parseHead(path string, otherwise *ast.File) *ast.File {
	head, err := goparser.ParseFile(token.NewFileSet(), path, nil, goparser.ParseComments|goparser.ImportsOnly)
	if err != nil {
		return otherwise
	}
	return head
}

func dropBodies(file *ast.File) {
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok {
			f.Body = nil
		}
	}
}

func (p *parser) mark(filename string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.own == nil {
		p.own = map[string]bool{}
	}
	p.own[filename] = true
}

func (p *parser) note(filename string, err error) {
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.errors == nil {
		p.errors = map[string][]SyntaxError{}
	}
	p.errors[filename] = nil
	for _, e := range list {
		p.errors[filename] = append(p.errors[filename], SyntaxError{e.Pos, e.Msg})
	}
}

func (p *parser) isOwn(filename string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.own[filename]
}

func (p *parser) errorsOf(filename string) []SyntaxError {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.errors[filename]
}
