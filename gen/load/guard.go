package load

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/duckgen/duckgen/gen/diag"
)

// A refusal is a finding that keeps a package from being checked at all.
type refusal struct{ diag.Finding }

func (r *refusal) Error() string { return r.String() }

// guard looks at the packages before the go command is asked about them, which
// reads and compiles whatever is there: all that the patterns name and that is in
// the module, with what that imports of it.
func guard(cfg Config, findings *diag.Collector) {
	m, err := locateModule(cfg.Dir)
	if err != nil {
		return // the go command says what is wrong
	}
	context := build.Default
	context.BuildTags = cfg.Tags
	g := &guarded{direct: newSources(m, context), seen: map[string]bool{}}
	for _, pattern := range cfg.Patterns {
		dirs, err := m.directoriesOf(cfg.Dir, pattern)
		if err != nil {
			continue
		}
		for _, dir := range dirs {
			g.look(dir, cfg.Tests)
		}
	}
	for _, r := range g.refusals {
		findings.Add(r.Finding)
	}
}

// A guarded remembers which directories it has looked at.
type guarded struct {
	*direct
	seen     map[string]bool
	refusals []*refusal
}

func (g *guarded) look(dir string, tests bool) {
	if g.seen[dir] {
		return
	}
	g.seen[dir] = true
	packages, err := g.filesOf(dir, tests)
	if err != nil {
		g.note(dir, err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		files := packages[name]
		for _, importPath := range importedBy(files) {
			if at, ok := g.module.directory(importPath); ok {
				g.look(at, false)
			}
		}
		if err := newMeasurer(files, g.measurer).check(g.fset, files); err != nil {
			g.note(dir, err)
		}
	}
}

// note keeps a refusal. Of other errors the go command says more.
func (g *guarded) note(dir string, err error) {
	if r, ok := errors.AsType[*refusal](err); ok {
		r.Package = g.module.importPath(dir)
		g.refusals = append(g.refusals, r)
	}
}

func importedBy(files []*ast.File) []string {
	var paths []string
	for _, file := range files {
		for _, spec := range file.Imports {
			if importPath, err := strconv.Unquote(spec.Path.Value); err == nil {
				paths = append(paths, importPath)
			}
		}
	}
	return paths
}

// filesOf parses the files of a directory that belong to the build, and returns
// them by the name of their package.
func (d *direct) filesOf(dir string, tests bool) (map[string][]*ast.File, error) {
	infos, err := d.readDir(dir)
	if err != nil {
		return nil, err
	}
	packages := map[string][]*ast.File{}
	for _, info := range infos {
		name := info.Name()
		if !tests && strings.HasSuffix(name, "_test.go") {
			continue
		}
		if matches, err := d.context.MatchFile(dir, name); err != nil || !matches {
			continue
		}
		if file := d.parseFile(filepath.Join(dir, name)); file != nil {
			packages[file.Name.Name] = append(packages[file.Name.Name], file)
		}
	}
	return packages, nil
}

// measurer returns one of another package of the module, or nil.
func (d *direct) measurer(importPath string) *measurer {
	if m, seen := d.measurers[importPath]; seen {
		return m
	}
	d.measurers[importPath] = nil // of a cycle of imports nothing is known
	dir, ok := d.module.directory(importPath)
	if !ok {
		return nil
	}
	packages, err := d.filesOf(dir, false)
	if err != nil {
		return nil
	}
	files := slices.Concat(slices.Collect(maps.Values(packages))...)
	d.measurers[importPath] = newMeasurer(files, d.measurer)
	return d.measurers[importPath]
}

// regular returns what a directory has under the name of a Go file, nil for what
// is passed over. Anything but a file, such as a pipe, would keep its reader
// waiting for ever.
func regular(dir string, entry fs.DirEntry) (fs.FileInfo, error) {
	name := entry.Name()
	if filepath.Ext(name) != ".go" || strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") || entry.IsDir() {
		return nil, nil
	}
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, nil
	case !info.Mode().IsRegular():
		return nil, &refusal{diag.Finding{
			Pos:     token.Position{Filename: path, Line: 1, Column: 1},
			Code:    diag.PackageLoad,
			Message: fmt.Sprintf("%s is not a file that can be read", name),
			Hint:    "remove it",
		}}
	}
	return entry.Info()
}
