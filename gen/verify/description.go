package verify

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"strings"
	"sync"
)

// sources are the descriptions, each at the import path of its package.
//
// A description declares what generated code uses of a package, as the package
// itself declares it, without bodies. A struct has the fields that generated
// code sets, an empty struct or interface stands for a type that generated code
// only hands on.
//
//go:embed packages
var sources embed.FS

// A description is the syntax of one.
type description struct {
	fset *token.FileSet
	file *ast.File
}

// descriptions returns all of them by import path, parsed once.
var descriptions = sync.OnceValue(func() map[string]description {
	all := map[string]description{}
	err := fs.WalkDir(sources, "packages", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		d, err := parseDescription(name)
		if err != nil {
			return err
		}
		all[strings.TrimSuffix(strings.TrimPrefix(name, "packages/"), ".txt")] = d
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("embedded description: %v", err)) // no input reaches this, only a broken build of duckgen
	}
	return all
})

func parseDescription(name string) (description, error) {
	source, err := sources.ReadFile(name)
	if err != nil {
		return description{}, err
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, source, parser.SkipObjectResolution)
	return description{fset, file}, err
}
