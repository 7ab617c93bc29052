package load

import (
	"errors"
	"go/version"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	modversion "golang.org/x/mod/module"
)

// A module is what go.mod says, as far as it is needed.
type module struct {
	dir       string
	path      string
	goVersion string
	ignores   bool // directories, which only the go command knows about
	replaces  bool // other modules, so that requires says little
	requires  []modversion.Version
}

// findModule returns the module that a directory belongs to, unless there is
// more to it than its go.mod.
func findModule(dir string) (module, error) {
	if goSetting("GO111MODULE") == "off" {
		return module{}, errIndirect
	}
	m, err := locateModule(dir)
	switch {
	case err != nil:
		return module{}, err
	case inWorkspace(m.dir), m.ignores, newer(m.path, m.goVersion, built()) != nil:
		return module{}, errIndirect
	}
	return m, nil
}

// locateModule reads the go.mod of the module that a directory is in.
func locateModule(dir string) (module, error) {
	if real, err := filepath.EvalSymlinks(dir); err != nil || real != dir {
		return module{}, errIndirect
	}
	for at := dir; ; at = filepath.Dir(at) {
		content, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil {
			return parseModule(at, content)
		}
		if !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			return module{}, errIndirect
		}
	}
}

// inWorkspace reports whether a go.work may say otherwise.
func inWorkspace(dir string) bool {
	switch goSetting("GOWORK") {
	case "off":
		return false
	case "", "auto":
	default:
		return true
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.work")); err == nil {
			return true
		}
		if at == filepath.Dir(at) {
			return false
		}
	}
}

// parseModule reads a go.mod. What is wrong in one, the go command says.
func parseModule(dir string, content []byte) (module, error) {
	file, err := modfile.Parse("go.mod", content, nil)
	if err != nil || file.Module == nil || file.Go == nil || !version.IsValid("go"+file.Go.Version) {
		return module{}, errIndirect
	}
	m := module{
		dir:       dir,
		path:      file.Module.Mod.Path,
		goVersion: file.Go.Version,
		ignores:   len(file.Ignore) > 0,
		replaces:  len(file.Replace) > 0,
	}
	for _, required := range file.Require {
		m.requires = append(m.requires, required.Mod)
	}
	return m, nil
}

// importPath is the path of the package in a directory of the module.
func (m module) importPath(dir string) string {
	rel, err := filepath.Rel(m.dir, dir)
	if err != nil || rel == "." {
		return m.path
	}
	return path.Join(m.path, filepath.ToSlash(rel))
}

// directory is where a package of the module is. It is false for those of other
// modules, and of modules below this one or vendored in it.
func (m module) directory(importPath string) (string, bool) {
	rest, ok := strings.CutPrefix(importPath, m.path)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	dir := filepath.Join(m.dir, filepath.FromSlash(rest))
	for at := dir; at != m.dir; at = filepath.Dir(at) {
		if filepath.Base(at) == "vendor" {
			return "", false
		}
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return "", false
		}
	}
	return dir, true
}

// directories returns those of the packages that patterns name.
func (m module) directories(cfg Config) ([]string, error) {
	var dirs []string
	seen := map[string]bool{}
	for _, pattern := range cfg.Patterns {
		if !isRelative(pattern) {
			return nil, errIndirect
		}
		found, err := m.directoriesOf(cfg.Dir, pattern)
		if err != nil {
			return nil, err
		}
		for _, dir := range found {
			if !seen[dir] {
				seen[dir] = true
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs, nil
}

// isRelative reports whether a pattern names directories instead of import
// paths.
func isRelative(pattern string) bool {
	return pattern == "." || strings.HasPrefix(filepath.ToSlash(pattern), "./")
}

// directoriesOf returns those that one pattern names, relative to a directory or
// by their import paths, if they are in the module and not vendored.
func (m module) directoriesOf(from, pattern string) ([]string, error) {
	root, recursive := strings.CutSuffix(filepath.ToSlash(pattern), "...")
	if strings.Contains(root, "...") || recursive && !strings.HasSuffix(root, "/") {
		return nil, errIndirect
	}
	dir := filepath.Join(from, filepath.FromSlash(root))
	if !isRelative(pattern) {
		var ok bool
		if dir, ok = m.directory(path.Clean(root)); !ok {
			return nil, errIndirect
		}
	}
	if at, ok := m.directory(m.importPath(dir)); !ok || at != dir || Real(dir) != dir {
		return nil, errIndirect
	}
	if recursive {
		return below(dir)
	}
	return []string{dir}, nil
}

// below returns the directories with Go files that a pattern with dots matches:
// not those of other modules, and those that the go command passes over.
func below(root string) ([]string, error) {
	var dirs []string
	err := filepath.WalkDir(root, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		switch {
		case !entry.IsDir():
			if dir := filepath.Dir(at); filepath.Ext(name) == ".go" && (len(dirs) == 0 || dirs[len(dirs)-1] != dir) {
				dirs = append(dirs, dir)
			}
			return nil
		case at == root:
			return nil
		case name[0] == '.' || name[0] == '_' || name == "testdata" || name == "vendor":
			return filepath.SkipDir
		}
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return filepath.SkipDir
		}
		return nil
	})
	return dirs, err
}
