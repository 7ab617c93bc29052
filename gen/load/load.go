// Package load loads the packages that sessions are read from, in whatever
// state their generated code is: missing, stale, broken or full of conflict
// markers. It runs nothing and needs neither stubs nor build tags.
package load

import (
	"cmp"
	"context"
	"fmt"
	"go/token"
	"os/exec"
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
	Tags     []string // build tags; nil: those of GOFLAGS
	Tests    bool     // test files, too
	Full     bool     // by the go command, even where [Direct] would do
}

// flags are those of the go command. It has its own idea of the tags where none
// are given.
func (cfg Config) flags() []string {
	if cfg.Tags == nil {
		return nil
	}
	return []string{"-tags=" + strings.Join(cfg.Tags, ",")}
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

// loadFully is [Load] by the go command alone, unless there is something that it
// must not be asked about.
func loadFully(ctx context.Context, cfg Config, findings *diag.Collector) ([]*Package, error) {
	before := findings.Len()
	if guard(cfg, findings); findings.Len() > before {
		return nil, nil
	}
	var p parser
	loaded, err := packages.Load(&packages.Config{
		Context:    ctx,
		Mode:       mode,
		Dir:        cfg.Dir,
		Fset:       token.NewFileSet(),
		ParseFile:  p.parse,
		Tests:      cfg.Tests,
		BuildFlags: cfg.flags(),
	}, cfg.Patterns...)
	if err != nil {
		return nil, fmt.Errorf("cannot load packages: %w", err)
	}
	if err := checkToolchain(loaded, built()); err != nil {
		return nil, err
	}
	if len(loaded) == 0 {
		return nil, fmt.Errorf("no packages match %s in %s: %s", strings.Join(cfg.Patterns, " "), cfg.Dir, whyNone(ctx, cfg))
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
		if !inMainModule(pkg) {
			findings.Add(outside(pkg))
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
		unimported: unimported(pkg),
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
		message, remedy := Said(strings.ReplaceAll(pkg.Errors[0].Msg, dir, "."))
		f.Message += ": " + message
		f.Hint = cmp.Or(remedy, f.Hint)
		f.Pos = parsePosition(dir, pkg.Errors[0].Pos)
	}
	if strings.Contains(f.Message, ": no Go files in ") {
		f.Hint = "name the packages, such as ./..., or write a first session with duckgen init"
	}
	return f
}

// unimported returns what the go command says of imports that it does not find.
func unimported(pkg *packages.Package) map[string]string {
	said := map[string]string{}
	for path, imported := range pkg.Imports {
		if len(imported.Errors) > 0 {
			said[path] = imported.Errors[0].Msg
		}
	}
	return said
}

// whyNone asks the go command why it lists nothing. Its packages come without
// what it says about all of them.
func whyNone(ctx context.Context, cfg Config) string {
	command := exec.CommandContext(ctx, "go", slices.Concat([]string{"list", "-e"}, cfg.flags(), []string{"--"}, cfg.Patterns)...)
	command.Dir = cfg.Dir
	var said strings.Builder
	command.Stderr = &said
	_ = command.Run() // what went wrong is in said
	if text := strings.TrimSpace(said.String()); text != "" {
		return text
	}
	return "are they below a go.mod?"
}

// Said takes apart what the go command says: what is wrong, without the directory
// of Go, and what to run.
func Said(text string) (message, remedy string) {
	message, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if i := strings.Index(message, " (/"); i >= 0 {
		message = message[:i]
	}
	if rest = strings.Join(strings.Fields(rest), " "); !strings.HasPrefix(rest, "go ") {
		return message, ""
	}
	if i := strings.LastIndex(message, "; to "); i >= 0 {
		message = message[:i]
	}
	return message, "run " + rest
}

// inMainModule reports whether a package is of the module that is worked on, and
// its directory in that module's. What other modules have is not ours to change,
// nor what a symbolic link leads to.
func inMainModule(pkg *packages.Package) bool {
	if pkg.Module == nil {
		return goSetting("GO111MODULE") == "off" && !slices.Contains(strings.Split(filepath.ToSlash(pkg.Dir), "/"), "vendor")
	}
	if !pkg.Module.Main {
		return false
	}
	rel, err := filepath.Rel(Real(pkg.Module.Dir), Real(pkg.Dir))
	return err == nil && filepath.IsLocal(rel)
}

func outside(pkg *packages.Package) diag.Finding {
	return diag.Finding{
		Code:    diag.PackageLoad,
		Message: "the package is outside of the main module, where nothing is generated or removed",
		Hint:    "run duckgen in the module that it belongs to",
		Package: strings.TrimSuffix(pkg.PkgPath, "_test"),
	}
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
