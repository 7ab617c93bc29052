package gen

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/duckgen/duckgen/gen/load"
	"github.com/duckgen/duckgen/gen/read"
	"github.com/duckgen/duckgen/gen/schema"
)

// note remembers what was read for the patterns.
func (r *Result) note(patterns []string, packages []*load.Package) {
	r.sources = map[string]bool{}
	for _, pkg := range packages {
		r.packages = append(r.packages, load.Real(pkg.Dir))
		for _, f := range pkg.Files {
			r.sources[load.Real(f.Path)] = true
		}
	}
	for _, pattern := range patterns {
		if root, recursive := strings.CutSuffix(pattern, "..."); recursive {
			r.roots = append(r.roots, load.Real(rootOf(r.Dir, root, packages)))
		}
	}
}

// rootOf returns the directory below which a pattern with dots takes in all. It is
// given as a directory, or by its import path, which a package below it places.
func rootOf(dir, root string, packages []*load.Package) string {
	if filepath.IsAbs(root) {
		return root
	}
	for _, pkg := range packages {
		below, ok := strings.CutPrefix(pkg.Path+"/", root)
		place, fits := strings.CutSuffix(filepath.ToSlash(pkg.Dir)+"/", below)
		if root != "" && ok && fits {
			return filepath.FromSlash(place)
		}
	}
	return filepath.Join(dir, root)
}

// Gone reports whether a session that Files does not have is in its directory no more,
// rather than somewhere that the run did not look: outside of its patterns, or in a
// source of other build tags or another system. An empty directory is any of those that
// were read. The session goes by its generated name; symbolic links are followed.
func (r *Result) Gone(dir, session string) bool {
	dirs := r.packages
	if dir != "" {
		dir = load.Real(dir)
		if !r.covers(dir) {
			return false
		}
		dirs = []string{dir}
	}
	return !slices.ContainsFunc(dirs, func(dir string) bool { return r.leavesOut(dir, session) })
}

// covers reports whether a package of the directory was read, or would have been if
// there were one.
func (r *Result) covers(dir string) bool {
	return slices.Contains(r.packages, dir) || slices.ContainsFunc(r.roots, func(root string) bool {
		rel, err := filepath.Rel(root, dir)
		return err == nil && filepath.IsLocal(rel) && !passedOver(dir, rel)
	})
}

// passedOver reports whether a pattern with dots leaves out a directory, which is rel
// below its root: those that the go command ignores, and other modules.
func passedOver(dir, rel string) bool {
	for ; rel != "."; dir, rel = filepath.Dir(dir), filepath.Dir(rel) {
		name := filepath.Base(rel)
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil || name[0] == '.' || name[0] == '_' || name == "testdata" || name == "vendor" {
			return true
		}
	}
	return false
}

// leavesOut reports whether a source in the directory that was not read declares the
// session, or cannot be read.
func (r *Result) leavesOut(dir, session string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	return slices.ContainsFunc(entries, func(entry fs.DirEntry) bool {
		path := filepath.Join(dir, entry.Name())
		if entry.IsDir() || filepath.Ext(path) != ".go" || r.sources[load.Real(path)] {
			return false
		}
		content, err := os.ReadFile(path)
		return err != nil || read.HasDirective(content) && declaresType(content, strings.TrimSuffix(session, schema.SessionSuffix))
	})
}

// declaresType reports whether a source declares a type of the name. What does not
// parse may.
func declaresType(source []byte, name string) bool {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
	found := err != nil
	if file == nil {
		return found
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		found = found || ok && spec.Name.Name == name
		return !found
	})
	return found
}
