// Package initialise writes the first annotated struct of a package. It asks
// nothing and never changes a file that is there.
package initialise

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/duckgen/duckgen/gen/load"
	"github.com/duckgen/duckgen/gen/read"
)

// template is what is written, as a package called session has it.
//
//go:embed session.go.txt
var template []byte

// The names of the struct and of its file. Further ones are tried where
// something is called so already.
var (
	structNames = []string{"Visitor", "Guest", "Client"}
	fileNames   = []string{"session.go", "visitor.go", "visitor_session.go"}
)

// A Plan is what a first session needs.
type Plan struct {
	Dir     string // the one given, absolute
	File    string // to be written, absolute
	Content []byte
	Package string // the directory of the package as the go command takes it, relative to the one given
	Tool    bool   // go.mod does not have duckgen as a tool yet
}

// New plans a first session: in the package of the directory, or, where a
// module has no package in its root, in a new one called session.
func New(dir string) (Plan, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Plan{}, err
	}
	module, err := findModule(dir)
	if err != nil {
		return Plan{}, err
	}
	target, plan := dir, Plan{Dir: dir, Package: ".", Tool: !module.hasTool}
	found, err := look(dir)
	if err != nil {
		return Plan{}, err
	}
	if found.name == "" && dir == module.dir {
		target, plan.Package = filepath.Join(dir, "session"), "./session"
		if found, err = look(target); err != nil {
			return Plan{}, err
		}
	}
	if found.session != "" {
		return Plan{}, fmt.Errorf("%s declares a session already: edit that, and run duckgen", found.session)
	}
	if found.name == "" {
		found.name = packageName(target)
	}
	name, err := firstFree(structNames, found.mentions)
	if err != nil {
		return Plan{}, err
	}
	file, err := firstFree(fileNames, func(name string) bool { return exists(filepath.Join(target, name)) })
	if err != nil {
		return Plan{}, err
	}
	plan.File = filepath.Join(target, file)
	plan.Content = bytes.ReplaceAll(template, []byte("package session"), []byte("package "+found.name))
	plan.Content = bytes.ReplaceAll(plan.Content, []byte("Visitor"), []byte(name))
	return plan, nil
}

// Write writes the file, unless one of that name has come meanwhile.
func (p Plan) Write() error {
	if err := os.MkdirAll(filepath.Dir(p.File), 0o777); err != nil {
		return err
	}
	f, err := os.OpenFile(p.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(p.Content)
	return errors.Join(err, f.Close())
}

// A module is where a go.mod is.
type module struct {
	dir     string
	hasTool bool
}

// findModule goes up from a directory.
func findModule(dir string) (module, error) {
	for at := dir; ; at = filepath.Dir(at) {
		content, err := os.ReadFile(filepath.Join(at, "go.mod"))
		switch {
		case err == nil:
			tool, err := hasTool(content)
			return module{at, tool}, err
		case !errors.Is(err, fs.ErrNotExist):
			return module{}, err
		case at == filepath.Dir(at):
			return module{}, fmt.Errorf("%s is in no module: run go mod init first", dir)
		}
	}
}

// hasTool reports whether a go.mod has duckgen as a tool.
func hasTool(content []byte) (bool, error) {
	file, err := modfile.Parse("go.mod", content, nil)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(file.Tool, func(t *modfile.Tool) bool { return t.Path == "github.com/duckgen/duckgen/cmd/duckgen" }), nil
}

// A finding is what a directory has already.
type finding struct {
	name     string          // of its package; empty: it has none
	declared map[string]bool // package-level names
	session  string          // a file that declares one
}

// look reads the files of a directory, however broken they are. One that does
// not exist has none.
func look(dir string) (finding, error) {
	found := finding{declared: map[string]bool{}}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return found, err
	}
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || filepath.Ext(name) != ".go" || strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") {
			continue
		}
		path := filepath.Join(dir, name)
		content, err := os.ReadFile(path)
		if err != nil {
			return found, err
		}
		if !load.IsOwn(path, content) {
			found.file(name, content)
		}
	}
	return found, nil
}

// file takes note of what a file declares. A test says what its package is
// called only where nothing else does.
func (f *finding) file(name string, content []byte) {
	if read.HasDirective(content) && f.session == "" {
		f.session = name
	}
	file, _ := parser.ParseFile(token.NewFileSet(), name, content, parser.SkipObjectResolution)
	if file == nil || file.Name == nil || file.Name.Name == "_" {
		return
	}
	test := strings.HasSuffix(name, "_test.go")
	if !test || f.name == "" {
		f.name = file.Name.Name
		if test {
			f.name = strings.TrimSuffix(f.name, "_test")
		}
	}
	for _, decl := range file.Decls {
		f.declare(decl)
	}
}

func (f *finding) declare(decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			f.declared[d.Name.Name] = true
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				f.declared[s.Name.Name] = true
			case *ast.ValueSpec:
				for _, name := range s.Names {
					f.declared[name.Name] = true
				}
			}
		}
	}
}

// mentions reports whether a declared name has the stem in it, as those have
// that are generated for a struct.
func (f *finding) mentions(stem string) bool {
	for name := range f.declared {
		if strings.Contains(name, stem) {
			return true
		}
	}
	return false
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func firstFree(names []string, taken func(string) bool) (string, error) {
	for _, name := range names {
		if !taken(name) {
			return name, nil
		}
	}
	return "", fmt.Errorf("%s are all there already: write the struct by hand", strings.Join(names, ", "))
}

// packageName makes a package's name of that of its directory.
func packageName(dir string) string {
	name := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_' {
			return r
		}
		return -1
	}, strings.ToLower(filepath.Base(dir)))
	name = strings.TrimLeft(name, "0123456789_")
	if name == "" || token.IsKeyword(name) {
		return "session"
	}
	return name
}
