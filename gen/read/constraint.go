package read

import (
	"go/ast"
	"go/build/constraint"
	"path/filepath"
	"slices"
	"strings"
)

// The operating systems and architectures that a file name can imply, as
// package go/build knows them.
var (
	systems = strings.Fields(`aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd
		plan9 solaris wasip1 windows zos`)
	architectures = strings.Fields(`386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le
		mips64p32 mips64p32le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm`)
)

// buildConstraint returns the line that makes a generated file belong to the
// same builds as its source: the source's own constraint, what its name
// implies, and cgo where it imports "C". Empty: none.
func buildConstraint(path string, file *ast.File) string {
	expr := written(file)
	for _, tag := range impliedTags(filepath.Base(path)) {
		expr = and(expr, tag)
	}
	if importsC(file) {
		expr = and(expr, "cgo")
	}
	if expr == nil {
		return ""
	}
	return "//go:build " + expr.String()
}

func and(expr constraint.Expr, tag string) constraint.Expr {
	if expr == nil {
		return &constraint.TagExpr{Tag: tag}
	}
	return &constraint.AndExpr{X: expr, Y: &constraint.TagExpr{Tag: tag}}
}

// written returns the file's own //go:build line, or nil.
func written(file *ast.File) constraint.Expr {
	for _, group := range file.Comments {
		if group.Pos() > file.Package {
			break
		}
		for _, c := range group.List {
			if !constraint.IsGoBuild(c.Text) {
				continue
			}
			if expr, err := constraint.Parse(c.Text); err == nil {
				return expr
			}
		}
	}
	return nil
}

// impliedTags returns the system and the architecture that a file name ends in,
// by the rule of package go/build.
func impliedTags(name string) []string {
	name, _, _ = strings.Cut(name, ".")
	parts := strings.Split(name, "_")[1:]
	if n := len(parts); n > 0 && parts[n-1] == "test" {
		parts = parts[:n-1]
	}
	n := len(parts)
	switch {
	case n >= 2 && slices.Contains(systems, parts[n-2]) && slices.Contains(architectures, parts[n-1]):
		return parts[n-2:]
	case n >= 1 && (slices.Contains(systems, parts[n-1]) || slices.Contains(architectures, parts[n-1])):
		return parts[n-1:]
	}
	return nil
}

func importsC(file *ast.File) bool {
	return slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"C"` })
}
