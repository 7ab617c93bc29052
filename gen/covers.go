package gen

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Covers reports whether the run looked for sessions in a directory: there is a
// package that it read, or there is nothing any more and a pattern takes in all
// directories below one that it is in. Symbolic links are followed.
func (r *Result) Covers(dir string) bool {
	same := func(other string) bool { return real(other) == real(dir) }
	if slices.ContainsFunc(r.packages, same) {
		return true
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return slices.ContainsFunc(r.patterns, func(pattern string) bool {
		root, recursive := strings.CutSuffix(pattern, "...")
		if !recursive {
			return false
		}
		rel, err := filepath.Rel(real(filepath.Join(r.Dir, root)), dir)
		return err == nil && filepath.IsLocal(rel)
	})
}

// real returns a path without symbolic links, if it exists.
func real(path string) string {
	if found, err := filepath.EvalSymlinks(path); err == nil {
		return found
	}
	return path
}
