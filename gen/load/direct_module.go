package load

import (
	"bytes"
	"errors"
	"go/version"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// A module is what go.mod says, as far as it is needed.
type module struct {
	dir       string
	path      string
	goVersion string
}

// findModule returns the module that a directory belongs to, unless there is
// more to it than its go.mod.
func findModule(dir string) (module, error) {
	if real, err := filepath.EvalSymlinks(dir); err != nil || real != dir || goSetting("GO111MODULE") == "off" {
		return module{}, errIndirect
	}
	for at := dir; ; at = filepath.Dir(at) {
		content, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil {
			if inWorkspace(at) {
				return module{}, errIndirect
			}
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

// parseModule reads path and version. Directories that are to be ignored are
// left to the go command, as is a version that is newer than this program.
func parseModule(dir string, content []byte) (module, error) {
	m := module{dir: dir}
	for line := range bytes.Lines(content) {
		text, _, _ := strings.Cut(string(line), "//")
		words := strings.Fields(text)
		switch {
		case len(words) == 0:
		case words[0] == "ignore":
			return module{}, errIndirect
		case len(words) == 2 && words[0] == "module":
			m.path = unquoted(words[1])
		case len(words) == 2 && words[0] == "go":
			m.goVersion = words[1]
		}
	}
	if m.path == "" || !version.IsValid("go"+m.goVersion) || newer(m.path, m.goVersion, built()) != nil {
		return module{}, errIndirect
	}
	return m, nil
}

func unquoted(word string) string {
	if text, err := strconv.Unquote(word); err == nil {
		return text
	}
	return word
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
// modules, and of modules below this one.
func (m module) directory(importPath string) (string, bool) {
	rest, ok := strings.CutPrefix(importPath, m.path)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	dir := filepath.Join(m.dir, filepath.FromSlash(rest))
	for at := dir; at != m.dir; at = filepath.Dir(at) {
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
		root, recursive := strings.CutSuffix(filepath.ToSlash(pattern), "...")
		if root != "." && !strings.HasPrefix(root, "./") || strings.Contains(root, "...") || recursive && !strings.HasSuffix(root, "/") {
			return nil, errIndirect
		}
		dir := filepath.Join(cfg.Dir, filepath.FromSlash(root))
		if at, ok := m.directory(m.importPath(dir)); !ok || at != dir {
			return nil, errIndirect
		}
		found := []string{dir}
		if recursive {
			var err error
			if found, err = below(dir); err != nil {
				return nil, err
			}
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

// below returns the directories with Go files that a pattern with dots matches:
// not those of other modules, and those that the go command passes over.
func below(root string) ([]string, error) {
	var dirs []string
	err := filepath.WalkDir(root, func(at string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
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
