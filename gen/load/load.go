// Package load loads the packages that sessions are read from, in whatever
// state their generated code is: missing, stale, broken or full of conflict
// markers. It runs nothing and needs neither stubs nor build tags.
package load

import (
	"cmp"
	"context"
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/duckgen/duckgen/gen/diag"
)

// A Config says what to load.
type Config struct {
	Dir      string   // absolute; patterns are relative to it
	Patterns []string // as the go command takes them
	Tags     []string // build tags
	Tests    bool     // test files, too
	Full     bool     // by the go command, even where [Direct] would do
}

// mode leaves out NeedDeps, with which every dependency would be checked from
// source.
const mode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles |
	packages.NeedImports | packages.NeedSyntax | packages.NeedTypes |
	packages.NeedTypesInfo | packages.NeedModule

// Load loads all packages at once, in the order of their paths. What keeps a
// package from being loaded at all is noted in the collector, and the package
// left out; an error means that nothing could be loaded. Type errors are
// neither: they are normal where generated code is missing.
func Load(ctx context.Context, cfg Config, findings *diag.Collector) ([]*Package, error) {
	if cfg.Full {
		return loadFully(ctx, cfg, findings)
	}
	result, left, ok := Direct(cfg)
	switch {
	case !ok:
		return loadFully(ctx, cfg, findings)
	case len(left) == 0:
		return result, nil
	}
	cfg.Patterns = left
	rest, err := loadFully(ctx, cfg, findings)
	if err != nil {
		return nil, err
	}
	result = append(result, rest...)
	slices.SortFunc(result, byPath)
	return result, nil
}

// loadFully is [Load] by the go command alone.
func loadFully(ctx context.Context, cfg Config, findings *diag.Collector) ([]*Package, error) {
	var p parser
	loaded, err := packages.Load(&packages.Config{
		Context:    ctx,
		Mode:       mode,
		Dir:        cfg.Dir,
		Fset:       token.NewFileSet(),
		ParseFile:  p.parse,
		Tests:      cfg.Tests,
		BuildFlags: []string{"-tags=" + strings.Join(cfg.Tags, ",")},
	}, cfg.Patterns...)
	if err != nil {
		return nil, fmt.Errorf("cannot load packages: %w", err)
	}
	if err := checkToolchain(loaded, built()); err != nil {
		return nil, err
	}
	if len(loaded) == 0 {
		return nil, fmt.Errorf("no packages match %s in %s: are they below a go.mod?", strings.Join(cfg.Patterns, " "), cfg.Dir)
	}
	var result []*Package
	for _, pkg := range widest(loaded) {
		if len(pkg.GoFiles) == 0 && len(pkg.Errors) == 0 {
			continue // nothing but external tests, which are a package of their own
		}
		if pkg.Types == nil || pkg.Name == "" || len(pkg.Syntax) == 0 {
			findings.Add(unloadable(cfg.Dir, pkg))
			continue
		}
		result = append(result, p.convert(pkg))
	}
	return result, nil
}

// widest returns one variant of each package, that with its test files where
// they are loaded, and leaves out the generated main packages of tests.
func widest(loaded []*packages.Package) []*packages.Package {
	var result []*packages.Package
	index := map[string]int{}
	for _, pkg := range loaded {
		if strings.HasSuffix(pkg.ID, ".test") {
			continue
		}
		i, seen := index[pkg.PkgPath]
		switch {
		case !seen:
			index[pkg.PkgPath] = len(result)
			result = append(result, pkg)
		case len(pkg.CompiledGoFiles) > len(result[i].CompiledGoFiles):
			result[i] = pkg
		}
	}
	slices.SortFunc(result, func(a, b *packages.Package) int { return cmp.Compare(a.PkgPath, b.PkgPath) })
	return result
}

func (p *parser) convert(pkg *packages.Package) *Package {
	result := &Package{
		Path:       pkg.PkgPath,
		Name:       pkg.Name,
		Dir:        pkg.Dir,
		Fset:       pkg.Fset,
		Types:      pkg.Types,
		Info:       pkg.TypesInfo,
		Imports:    reached(pkg.Types),
		typeErrors: pkg.TypeErrors,
	}
	listed := map[string]bool{}
	for _, path := range pkg.GoFiles {
		listed[path] = true
	}
	for _, syntax := range pkg.Syntax {
		path := pkg.Fset.PositionFor(syntax.FileStart, false).Filename
		if p.isOwn(path) {
			continue
		}
		head := syntax
		if !listed[path] { // cgo's rewriting of a listed file, or a file of its own
			path = pkg.Fset.Position(syntax.Package).Filename
			head = parseHead(path, syntax)
		}
		if listed[path] {
			result.add(&File{path, syntax, head, p.errorsOf(path)})
		}
	}
	return result
}

func unloadable(dir string, pkg *packages.Package) diag.Finding {
	f := diag.Finding{
		Code:    diag.PackageLoad,
		Message: "the package cannot be loaded",
		Hint:    "see what go list says about it",
		Package: pkg.PkgPath,
	}
	if len(pkg.Errors) > 0 {
		f.Message += ": " + strings.ReplaceAll(firstLine(pkg.Errors[0].Msg), dir, ".")
		f.Pos = parsePosition(dir, pkg.Errors[0].Pos)
	}
	if strings.Contains(f.Message, ": no Go files in ") {
		f.Hint = "name the packages, such as ./..., or write a first session with duckgen init"
	}
	return f
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// parsePosition reads "file:line:col" as package packages writes it. Columns
// and lines may be missing.
func parsePosition(dir, text string) token.Position {
	var pos token.Position
	if text == "" || text == "-" {
		return pos
	}
	var numbers []int
	for range 2 {
		i := strings.LastIndexByte(text, ':')
		var n int
		if i < 0 {
			break
		}
		if _, err := fmt.Sscanf(text[i+1:], "%d", &n); err != nil {
			break
		}
		text, numbers = text[:i], append(numbers, n)
	}
	slices.Reverse(numbers)
	pos.Filename = text
	if !filepath.IsAbs(text) {
		pos.Filename = filepath.Join(dir, text)
	}
	if len(numbers) > 0 {
		pos.Line = numbers[0]
	}
	if len(numbers) > 1 {
		pos.Column = numbers[1]
	}
	return pos
}
