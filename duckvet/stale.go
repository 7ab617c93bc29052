package duckvet

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/duckgen/duckgen/gen"
	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/load"
	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/gen/stale"
)

// Stale reports generated files that are not what duckgen would write.
var Stale = &analysis.Analyzer{
	Name: "duckstale",
	Doc: `report generated session files that are stale, missing or orphaned

It generates in memory what belongs beside the sources of the package, from the
files and types that the analysis has at hand, and compares. What duckgen finds
wrong in the structs is reported, too. The verdict is that of "duckgen check".`,
	URL:              manual + "#duckstale",
	RunDespiteErrors: true, // a stale file often does not compile
	Run:              runStale,
}

// findings is where those of duckgen itself are explained.
const findings = "https://github.com/duckgen/duckgen/blob/main/docs/findings.md"

func runStale(pass *analysis.Pass) (any, error) {
	if !concerned(pass) {
		return nil, nil
	}
	p := newPackage(pass)
	loaded, err := p.load()
	if err != nil {
		return nil, err
	}
	result, err := gen.Of(loaded)
	if err != nil {
		return nil, err
	}
	for _, f := range result.Findings {
		p.reportFinding(f)
	}
	for _, f := range result.Files {
		if err := p.compare(f); err != nil {
			return nil, err
		}
	}
	for _, path := range result.Orphans {
		p.reportOrphan(path)
	}
	return nil, nil
}

// concerned reports whether duckgen has anything to do with a package.
func concerned(pass *analysis.Pass) bool {
	return slices.ContainsFunc(pass.Files, func(file *ast.File) bool {
		if load.SourceName(filepath.Base(fileName(pass, file.FileStart))) != "" {
			return true
		}
		for _, group := range file.Comments {
			for _, c := range group.List {
				if strings.Contains(c.Text, "duckgen") {
					return true
				}
			}
		}
		return false
	})
}

// A sourcePackage is a package as the analysis sees it, by its files.
type sourcePackage struct {
	*analysis.Pass
	dir   string
	files map[string]*ast.File // by path; of those that cgo rewrites, as they were rewritten
	tests bool                 // test files are among them
}

func newPackage(pass *analysis.Pass) *sourcePackage {
	p := &sourcePackage{Pass: pass, files: map[string]*ast.File{}}
	for _, file := range pass.Files {
		path := fileName(pass, file.FileStart)
		if strings.HasSuffix(path, ".cgo1.go") {
			path = pass.Fset.Position(file.Package).Filename
		}
		if filepath.Base(path) == "_cgo_gotypes.go" || !filepath.IsAbs(path) {
			continue
		}
		p.files[path] = file
		p.dir = filepath.Dir(path)
		p.tests = p.tests || strings.HasSuffix(path, "_test.go")
	}
	return p
}

// read returns what a file holds for the analysis, which may be what an editor
// has not saved yet.
func (p *sourcePackage) read(path string) ([]byte, error) {
	if p.files[path] != nil {
		if content, err := p.ReadFile(path); err == nil {
			return content, nil
		}
	}
	return os.ReadFile(path)
}

// load reads the package as the generator does.
func (p *sourcePackage) load() (*load.Package, error) {
	path, _, _ := strings.Cut(p.Pkg.Path(), " [") // a variant for tests
	sources := load.Sources{
		Path:      path,
		Name:      p.Pkg.Name(),
		Dir:       p.dir,
		Read:      p.read,
		Imports:   p.Pkg.Imports(),
		GoVersion: p.Pkg.GoVersion(),
		Sizes:     p.TypesSizes,
	}
	for path := range p.files {
		sources.Files = append(sources.Files, path)
	}
	slices.Sort(sources.Files)
	if p.tests {
		return sources.Load()
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries { // what tests declare is taken, too
		name := entry.Name()
		if match, err := build.Default.MatchFile(p.dir, name); err == nil && match && strings.HasSuffix(name, "_test.go") {
			sources.Outside = append(sources.Outside, filepath.Join(p.dir, name))
		}
	}
	return sources.Load()
}

// compare reports a generated file that is not as it should be. Those of tests
// are for the pass that has the tests.
func (p *sourcePackage) compare(f gen.File) error {
	if strings.HasSuffix(f.Path, "_test.go") && !p.tests {
		return nil
	}
	old, err := p.read(f.Path)
	change := gen.Change{Path: f.Path, Old: old, New: f.Content}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		change.Old = nil
	case err != nil:
		return err
	case bytes.Equal(old, f.Content):
		return nil
	}
	state := stale.Of(change)
	report(p.Pass, p.directive(f.Schema), p.regeneration(change), "%s is %s: run go generate, or go tool duckgen in this directory",
		filepath.Base(f.Path), state)
	return nil
}

// directive returns what declares the sessions of a file.
func (p *sourcePackage) directive(f *schema.File) ast.Node {
	source := p.files[filepath.Join(p.dir, f.Source)]
	for _, group := range source.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//duckgen:session") {
				return c
			}
		}
	}
	return source.Name
}

// regeneration replaces a generated file that the analysis has read. One that it
// has not, no fix can make.
func (p *sourcePackage) regeneration(c gen.Change) []analysis.SuggestedFix {
	file := p.files[c.Path]
	if file == nil || c.Old == nil {
		return nil
	}
	whole := p.Fset.File(file.FileStart)
	if whole == nil || whole.Size() != len(c.Old) {
		return nil
	}
	return []analysis.SuggestedFix{{
		Message: "Generate " + filepath.Base(c.Path) + " again",
		TextEdits: []analysis.TextEdit{{
			Pos:     whole.Pos(0),
			End:     whole.Pos(whole.Size()),
			NewText: c.New,
		}},
	}}
}

// reportOrphan reports a generated file that no session stands behind. It is
// reported at a file that was written by hand, where there is one: findings in
// generated ones are suppressed by some programs.
func (p *sourcePackage) reportOrphan(path string) {
	file := p.files[path]
	external := strings.HasSuffix(p.Pkg.Name(), "_test")
	if file == nil && (external || strings.HasSuffix(path, "_test.go")) {
		return // for the pass that has it
	}
	report(p.Pass, p.anywhere(file), nil, "%s is %s: no session stands behind it any more; run go tool duckgen in this directory, which removes it",
		filepath.Base(path), stale.Orphaned)
}

// anywhere returns the package clause of a file that was written by hand, or else
// that of the given file.
func (p *sourcePackage) anywhere(otherwise *ast.File) ast.Node {
	for _, file := range p.Files {
		if !ast.IsGenerated(file) {
			return file.Name
		}
	}
	if otherwise == nil {
		otherwise = p.Files[0]
	}
	return otherwise.Name
}

// reportFinding reports what is wrong in the structs.
func (p *sourcePackage) reportFinding(f diag.Finding) {
	message := fmt.Sprintf("%s [%s]", f.Message, f.Code)
	if f.Hint != "" {
		message += ": " + f.Hint
	}
	at, end := p.position(f.Pos), token.NoPos
	if !at.IsValid() {
		name := p.anywhere(nil)
		at, end = name.Pos(), name.End()
	}
	p.Report(analysis.Diagnostic{
		Pos:      at,
		End:      end,
		Category: p.Analyzer.Name,
		Message:  message,
		URL:      findings + "#" + strings.ToLower(string(f.Code)),
	})
}

// position finds a finding in the files of the analysis.
func (p *sourcePackage) position(at token.Position) token.Pos {
	source := p.files[filepath.Join(p.dir, at.Filename)]
	if source == nil || at.Line < 1 {
		return token.NoPos
	}
	file := p.Fset.File(source.FileStart)
	if file == nil || at.Line > file.LineCount() {
		return token.NoPos
	}
	start := file.LineStart(at.Line)
	offset := file.Offset(start) + max(at.Column-1, 0)
	return file.Pos(min(offset, file.Size()))
}
