package gen

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/duckgen/duckgen/gen/load"
	"github.com/duckgen/duckgen/gen/read"
)

// orphans returns the generated files of the packages' directories that no
// session stands behind: their source is gone, or declares none any more. A
// source that this build leaves out still counts. Files with duckgen's header
// under other names are reported: they are read as nothing, and may be somebody's
// work.
func (g *generator) orphans(units []*unit) ([]string, error) {
	wanted, loaded := map[string]bool{}, map[string]bool{}
	dirs := map[string]string{} // with the import path of a package there
	for _, u := range units {
		dirs[u.Dir] = u.Path
		for _, f := range u.files {
			wanted[f.Path] = true
		}
		for _, f := range u.Files {
			loaded[f.Path] = true
		}
	}
	var result []string
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		files, err := ownFiles(dir)
		if err != nil {
			return nil, err
		}
		for _, path := range files {
			source := load.SourceName(filepath.Base(path))
			switch {
			case wanted[path]:
			case source == "":
				g.reportRenamed(path, dirs[dir])
			case !declaresSessions(filepath.Join(dir, source), loaded):
				result = append(result, path)
			}
		}
	}
	return result, nil
}

// ownFiles returns the files of a directory that have duckgen's header.
func ownFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if !entry.Type().IsRegular() || filepath.Ext(path) != ".go" {
			continue
		}
		content, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist): // another run has removed it meanwhile
		case err != nil:
			return nil, err
		case load.IsOwn(path, content):
			files = append(files, path)
		}
	}
	return files, nil
}

// declaresSessions reports whether a source file whose output is not wanted may
// have sessions all the same. One that was loaded has none.
func declaresSessions(source string, loaded map[string]bool) bool {
	if loaded[source] {
		return false
	}
	content, err := os.ReadFile(source)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	return read.HasDirective(content)
}
