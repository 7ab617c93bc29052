package read

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"github.com/duckgen/duckgen/gen/load"
)

// missing explains a type that cannot be resolved by what the type checker said
// about the place, or about what is mentioned there.
func (r *reader) missing(src source, refusal refusal) (message, hint string) {
	expr := src.syntax.Type
	if refusal.part != nil {
		expr = r.written(refusal.part)
	}
	if expr == nil { // it is a member of another package's struct
		return refusal.message, "see what go vet says about the package"
	}
	for _, pos := range r.mentioned(expr, nil) {
		if said := r.pkg.ErrorAt(pos); said != "" {
			return r.explain(said)
		}
	}
	return refusal.message, "see what go vet says about the package"
}

// written returns the type of a member as its struct has it, or nil if that is
// of another package.
func (r *reader) written(member *types.Var) ast.Expr {
	var expr ast.Expr
	for _, f := range r.pkg.Files {
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			if n == nil || !within(n, member.Pos()) {
				return false
			}
			if field, ok := n.(*ast.Field); ok {
				expr = field.Type
			}
			return true
		})
	}
	return expr
}

// mentioned returns the names in a type expression, where their packages are
// imported and their types declared, and the same of what an alias stands for.
// It adds them to what has been seen.
func (r *reader) mentioned(expr ast.Expr, seen []token.Pos) []token.Pos {
	ast.Inspect(expr, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		seen = append(seen, id.Pos())
		switch obj := r.pkg.Info.Uses[id].(type) {
		case *types.PkgName:
			seen = append(seen, obj.Pos())
		case *types.TypeName:
			if obj.Pkg() != r.pkg.Types || slices.Contains(seen, obj.Pos()) {
				break
			}
			seen = append(seen, obj.Pos())
			if spec := r.declaration(obj); spec != nil && spec.Assign.IsValid() {
				seen = r.mentioned(spec.Type, seen)
			}
		}
		return true
	})
	return seen
}

// declaration returns what declares a type of the package, or nil for a type
// parameter.
func (r *reader) declaration(name *types.TypeName) *ast.TypeSpec {
	for _, f := range r.pkg.Files {
		for _, spec := range typeSpecs(f.Syntax) {
			if spec.Name.Pos() == name.Pos() {
				return spec.TypeSpec
			}
		}
	}
	return nil
}

// unimported matches what the type checker says about an import that leads
// nowhere.
var unimported = regexp.MustCompile(`^could not import (\S+) `)

// explain turns what the type checker says into a finding.
func (r *reader) explain(said string) (message, hint string) {
	if m := unimported.FindStringSubmatch(said); m != nil {
		return r.explainImport(m[1])
	}
	missing, ok := strings.CutPrefix(said, "undefined: ")
	switch {
	case !ok:
		return said, "see what go build says about it"
	case r.isGenerated(missing):
		stem, _ := strings.CutSuffix(strings.TrimSuffix(missing, "s"), "Session")
		return said, fmt.Sprintf("%s is what duckgen generates; use the struct %s", missing, stem)
	case r.qualifies(missing):
		return said, "import the package " + missing
	}
	if file := r.pkg.DeclaredOutside(missing); file != "" {
		return said, fmt.Sprintf("%s declares it, which this build leaves out: declare it for every build that has the session, or generate for that one", file)
	}
	return said, "declare " + missing
}

// explainImport says what the go command does, if it was asked.
func (r *reader) explainImport(path string) (message, hint string) {
	message, hint = "package "+path+" cannot be imported", "correct the import, or add its module with go get"
	if said := r.pkg.Unimported(path); said != "" {
		what, remedy := load.Said(said)
		return message + ": " + what, cmp.Or(remedy, hint)
	}
	return message, hint
}

// isGenerated reports whether duckgen generates, or will generate, a type of
// this name, of this package or of one that it imports.
func (r *reader) isGenerated(name string) bool {
	scope := r.pkg.Types.Scope()
	if qualifier, rest, ok := strings.Cut(name, "."); ok {
		name = rest
		i := slices.IndexFunc(r.pkg.Types.Imports(), func(p *types.Package) bool { return p.Name() == qualifier })
		if i < 0 {
			return false
		}
		scope = r.pkg.Types.Imports()[i].Scope()
	}
	stem, ok := strings.CutSuffix(strings.TrimSuffix(name, "s"), "Session")
	return ok && scope.Lookup(stem) != nil
}

// qualifies reports whether a type that the package declares has the name in
// front of a dot.
func (r *reader) qualifies(name string) bool {
	found := false
	for _, f := range r.pkg.Files {
		for _, spec := range typeSpecs(f.Syntax) {
			ast.Inspect(spec.Type, func(n ast.Node) bool {
				if selector, ok := n.(*ast.SelectorExpr); ok {
					id, ok := selector.X.(*ast.Ident)
					found = found || ok && id.Name == name
				}
				return true
			})
		}
	}
	return found
}
