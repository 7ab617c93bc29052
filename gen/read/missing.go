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
// about the place.
func (r *reader) missing(src source, refusal refusal) (message, hint string) {
	places := []token.Pos{src.syntax.Type.Pos()}
	if refusal.part != nil {
		places = []token.Pos{refusal.part.Pos()}
	} else {
		places = append(places, r.importsOf(src.syntax.Type)...)
	}
	for _, pos := range places {
		if said := r.pkg.ErrorAt(pos); said != "" {
			return r.explain(src, said)
		}
	}
	return refusal.message, "see what go vet says about the package"
}

// importsOf returns where the packages are imported that a type expression
// mentions.
func (r *reader) importsOf(expr ast.Expr) []token.Pos {
	var places []token.Pos
	ast.Inspect(expr, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if name, ok := r.pkg.Info.Uses[id].(*types.PkgName); ok {
				places = append(places, name.Pos())
			}
		}
		return true
	})
	return places
}

// unimported matches what the type checker says about an import that leads
// nowhere.
var unimported = regexp.MustCompile(`^could not import (\S+) `)

// explain turns what the type checker says into a finding.
func (r *reader) explain(src source, said string) (message, hint string) {
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
	case qualifies(src.syntax.Type, missing):
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

// qualifies reports whether a type expression has the name in front of a dot.
func qualifies(expr ast.Expr, name string) bool {
	found := false
	ast.Inspect(expr, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			id, ok := selector.X.(*ast.Ident)
			found = found || ok && id.Name == name
		}
		return true
	})
	return found
}
