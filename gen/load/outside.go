package load

import (
	"go/ast"
	goparser "go/parser"
	"go/token"
	"os"
	"path/filepath"
)

// DeclaredOutside returns the name of a file that belongs to the package in
// another build alone, such as one for another system, and declares a type of
// this name; "" if there is none.
func (p *Package) DeclaredOutside(name string) string {
	entries, err := os.ReadDir(p.Dir)
	if err != nil {
		return ""
	}
	for _, entry := range entries {
		path := filepath.Join(p.Dir, entry.Name())
		if info, err := regular(p.Dir, entry); err != nil || info == nil || p.listed[path] {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil || IsOwn(path, source) {
			continue
		}
		file, err := goparser.ParseFile(token.NewFileSet(), path, source, goparser.SkipObjectResolution)
		if err == nil && file.Name.Name == p.Name && declares(file, name) {
			return entry.Name()
		}
	}
	return ""
}

func declares(file *ast.File, name string) bool {
	for spec := range declaredTypes(file) {
		if spec.Name.Name == name {
			return true
		}
	}
	return false
}
