package read

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/load"
	"github.com/duckgen/duckgen/gen/schema"
)

// A reader reads one package.
type reader struct {
	pkg      *load.Package
	findings *diag.Collector
	types    *resolver
	unmarked []typeSpec // types without a directive
}

// Package returns the files of a package that declare sessions, in the order of
// their names. Where findings were added, the result is incomplete.
func Package(pkg *load.Package, findings *diag.Collector) []*schema.File {
	r := &reader{pkg: pkg, findings: findings, types: newResolver(pkg)}
	var files []*schema.File
	var all []*session
	scope, imports := declared(pkg), imported(pkg)
	for _, f := range pkg.Files {
		sessions := r.file(f)
		if len(sessions) == 0 {
			continue
		}
		r.checkFileName(f)
		file := &schema.File{
			Package:    schema.Package{Path: pkg.Path, Name: pkg.Name, Scope: scope, Imports: imports},
			Source:     filepath.Base(f.Path),
			Output:     load.OutputName(filepath.Base(f.Path)),
			Constraint: buildConstraint(f.Path, f.Head),
		}
		for _, s := range sessions {
			file.Sessions = append(file.Sessions, s.Session)
		}
		files = append(files, file)
		all = append(all, sessions...)
	}
	for _, spec := range r.unmarked {
		r.checkUnmarked(spec)
	}
	slices.SortFunc(files, func(a, b *schema.File) int { return cmp.Compare(a.Source, b.Source) })
	slices.SortFunc(all, r.bySource)
	r.checkClashes(all)
	return files
}

func (r *reader) bySource(a, b *session) int {
	p, q := r.pkg.Position(a.pos), r.pkg.Position(b.pos)
	return cmp.Or(cmp.Compare(p.Filename, q.Filename), cmp.Compare(p.Offset, q.Offset))
}

// declared returns what hand-written files declare for the package.
func declared(pkg *load.Package) map[string]bool {
	scope := map[string]bool{}
	for _, name := range pkg.Types.Scope().Names() {
		scope[name] = true
	}
	return scope
}

// imported returns the names that imports of hand-written files take: those of
// packages, and with a dot those of what a package has.
func imported(pkg *load.Package) map[string]bool {
	names := map[string]bool{}
	for _, f := range pkg.Files {
		for _, spec := range f.Syntax.Imports {
			name := pkg.Info.PkgNameOf(spec)
			if name != nil && token.IsIdentifier(name.Name()) && name.Name() != "_" {
				names[name.Name()] = true
			}
		}
		for _, p := range dotImports(pkg, f.Syntax) {
			for _, name := range p.Scope().Names() {
				names[name] = true
			}
		}
	}
	return names
}

// dotImports are the packages that a file imports with a dot.
func dotImports(pkg *load.Package, file *ast.File) []*types.Package {
	var list []*types.Package
	for _, spec := range file.Imports {
		if name := pkg.Info.PkgNameOf(spec); name != nil && name.Name() == "." {
			list = append(list, name.Imported())
		}
	}
	return list
}

// report notes a finding.
func (r *reader) report(pos token.Pos, code diag.Code, hint, format string, args ...any) {
	r.findings.Add(diag.Finding{
		Pos:     r.pkg.Position(pos),
		Code:    code,
		Message: fmt.Sprintf(format, args...),
		Hint:    hint,
		Package: r.pkg.Path,
	})
}

// checkFileName reports a name with what shells and other readers of generated
// code may take for more than a name. That of the output is made of it, and the
// output mentions it.
func (r *reader) checkFileName(f *load.File) {
	name := filepath.Base(f.Path)
	plain := func(c rune) bool { return identifierRune(c) || unicode.IsMark(c) || strings.ContainsRune(".-+@~", c) }
	if name[0] == '-' || strings.ContainsFunc(name, func(c rune) bool { return !plain(c) }) {
		r.report(f.Syntax.Package, diag.SourceName, "rename it, such as to session.go",
			"the file's name %q has other characters than letters, digits and . - _ + @ ~", name)
	}
}

// file reads the sessions of one file.
func (r *reader) file(f *load.File) []*session {
	for _, e := range f.Errors {
		r.findings.Add(diag.Finding{Pos: e.Pos, Code: diag.Syntax, Message: e.Message, Package: r.pkg.Path,
			Hint: "sessions are read from files that parse"})
	}
	if len(f.Errors) > 0 {
		return nil
	}
	if name := f.Syntax.Name; name.Name != r.pkg.Name {
		r.report(name.Pos(), diag.PackageLoad, "move one of them to a directory of its own",
			"this file is of package %s, and others here of package %s", name.Name, r.pkg.Name)
		return nil
	}
	marks := r.marks(f.Syntax)
	var sessions []*session
	for _, spec := range typeSpecs(f.Syntax) {
		mark := marks[spec]
		switch {
		case mark == nil:
			r.unmarked = append(r.unmarked, spec)
		case len(mark.directives) > 0:
			if s := r.session(spec, mark.directives); s != nil {
				sessions = append(sessions, s)
			}
		}
	}
	return sessions
}

// session reads one annotated type.
func (r *reader) session(spec typeSpec, directives []*ast.Comment) *session {
	at, name := directives[0].Pos(), spec.Name.Name
	switch {
	case spec.Assign.IsValid():
		r.report(at, diag.MisplacedDirective, "put it above the struct itself", "%s is an alias", name)
		return nil
	case spec.TypeParams != nil:
		r.report(at, diag.GenericSession, "declare a struct without type parameters that has the fields",
			"%s is generic, and a session cannot be", name)
		return nil
	}
	syntax, ok := spec.Type.(*ast.StructType)
	if !ok {
		r.report(at, diag.MisplacedDirective, "declare a struct with the fields of the session", "%s is not declared as a struct", name)
		return nil
	}
	obj := r.pkg.Info.Defs[spec.Name]
	if obj == nil {
		r.redeclared(spec)
		return nil
	}
	layout, ok := obj.Type().Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	s := newSession(r.pkg.Path, name, spec.Name.Pos())
	r.policy(s, directives)
	r.fields(s, syntax, layout)
	return s
}

// redeclared reports a struct that the type checker has left out because its
// name is taken, or is none that a type can have.
func (r *reader) redeclared(spec typeSpec) {
	message := r.pkg.ErrorAt(spec.Name.Pos())
	if other := r.pkg.Types.Scope().Lookup(spec.Name.Name); other != nil {
		message = fmt.Sprintf("%s is already declared at %s", spec.Name.Name, r.place(other.Pos()))
	}
	r.report(spec.Name.Pos(), diag.NameClash, "rename or remove it", "%s", message)
}
