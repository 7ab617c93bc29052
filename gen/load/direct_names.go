package load

import (
	goparser "go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	modversion "golang.org/x/mod/module"
)

// nameIn returns what a package of another module is called, by the first of its
// files where the go command has put them.
func (d *direct) nameIn(importPath string) (string, bool) {
	if name, seen := d.names[importPath]; seen {
		return name, name != ""
	}
	d.names[importPath] = d.clauseIn(d.module.elsewhere(importPath))
	return d.names[importPath], d.names[importPath] != ""
}

// clauseIn returns the name that the package of a directory has, or "".
func (d *direct) clauseIn(dir string) string {
	if dir == "" {
		return ""
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	for _, entry := range entries {
		name := entry.Name()
		if !entry.Type().IsRegular() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		if matches, err := d.context.MatchFile(dir, name); err != nil || !matches {
			continue
		}
		source, err := d.read(filepath.Join(dir, name))
		if err != nil {
			return ""
		}
		file, err := goparser.ParseFile(token.NewFileSet(), name, source, goparser.PackageClauseOnly)
		if err != nil {
			return ""
		}
		return file.Name.Name
	}
	return ""
}

// elsewhere is where a package of a module is that this one requires: vendored,
// or in the module cache. Empty: that cannot be known.
func (m module) elsewhere(importPath string) string {
	if m.replaces {
		return ""
	}
	if vendored := filepath.Join(m.dir, "vendor"); isDir(vendored) {
		return filepath.Join(vendored, filepath.FromSlash(importPath))
	}
	var in modversion.Version
	for _, required := range m.requires {
		within := importPath == required.Path || strings.HasPrefix(importPath, required.Path+"/")
		if within && len(required.Path) > len(in.Path) {
			in = required
		}
	}
	escaped, err := modversion.EscapePath(in.Path)
	if err != nil {
		return ""
	}
	version, err := modversion.EscapeVersion(in.Version)
	if err != nil {
		return ""
	}
	rest := strings.TrimPrefix(importPath, in.Path)
	return filepath.Join(moduleCache(), filepath.FromSlash(escaped+"@"+version), filepath.FromSlash(rest))
}

func moduleCache() string {
	if cache := goSetting("GOMODCACHE"); cache != "" {
		return cache
	}
	if list := filepath.SplitList(goSetting("GOPATH")); len(list) > 0 && list[0] != "" {
		return filepath.Join(list[0], "pkg", "mod")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, "go", "pkg", "mod")
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
