package duckvet

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/duckgen/duckgen/gen/schema"
)

// Found reports changes to found sessions that nobody saves.
var Found = &analysis.Analyzer{
	Name: "duckfound",
	Doc: `report changes to found sessions that are not saved

A session that FindBy, All or Find returns belongs to no request, so that no hook
saves it: without Save a Destroy ends nothing and a setter stores nothing. Not
reported is a session that is passed on.`,
	URL:      manual + "#duckfound",
	Requires: []*analysis.Analyzer{surveyor},
	Run:      runFound,
}

func runFound(pass *analysis.Pass) (any, error) {
	s := surveyOf(pass)
	if !s.reaches {
		return nil, nil
	}
	for cur := range s.root.Preorder((*ast.RangeStmt)(nil), (*ast.AssignStmt)(nil)) {
		name, ok := finds(pass.TypesInfo, cur.Node())
		if !ok || !written(cur) || inTest(pass, name.Pos()) {
			continue
		}
		if c, ok := unsaved(pass.TypesInfo, cur, name); ok {
			report(pass, c, nil, "this %s changes nothing: no hook saves a session that was found, so call Save after it", c.method)
		}
	}
	return nil, nil
}

// finds returns the variable that a statement declares for a session of the store.
func finds(info *types.Info, n ast.Node) (name *ast.Ident, ok bool) {
	switch n := n.(type) {
	case *ast.RangeStmt:
		if _, ok := foundBy(info, n); ok && n.Tok == token.DEFINE {
			name, _ = n.Key.(*ast.Ident)
		}
	case *ast.AssignStmt:
		if len(n.Rhs) != 1 || n.Tok != token.DEFINE {
			return nil, false
		}
		if c, ok := managerCall(info, n.Rhs[0]); ok && c.method == "Find" {
			name, _ = n.Lhs[0].(*ast.Ident)
		}
	}
	return name, name != nil && info.Defs[name] != nil
}

// unsaved returns the first change to a session, if the function does nothing with it
// but call its methods, and none of them is Save.
func unsaved(info *types.Info, declared inspector.Cursor, name *ast.Ident) (first call, found bool) {
	function, ok := outermost(declared)
	if !ok {
		return call{}, false
	}
	for cur := range function.Preorder((*ast.Ident)(nil)) {
		if info.Uses[cur.Node().(*ast.Ident)] != info.Defs[name] || comparesWithNil(info, cur) {
			continue
		}
		c, ok := calledOn(info, cur)
		switch {
		case !ok || c.method == "Save":
			return call{}, false
		case !found && changes(c):
			first, found = c, true
		}
	}
	return first, found
}

func comparesWithNil(info *types.Info, cur inspector.Cursor) bool {
	cur = withoutParens(cur)
	comparison, ok := cur.Parent().Node().(*ast.BinaryExpr)
	if !ok {
		return false
	}
	other := comparison.X
	if cur.ParentEdgeKind() == edge.BinaryExpr_X {
		other = comparison.Y
	}
	return info.Types[other].IsNil()
}

// changes reports whether a method changes what Save stores. What is taken may be
// only read, and what is claimed or ensured is stored at once.
func changes(c call) bool {
	return slices.Contains([]string{"Destroy", "SetExpiry", "SetIdle", "SetPersistent"}, c.method) ||
		isAccessor(c.typ, c.method, schema.Writers...)
}
