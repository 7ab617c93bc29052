package duckvet

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/duckgen/duckgen/gen/schema"
)

// Lost reports changes to copies of what a session holds.
var Lost = &analysis.Analyzer{
	Name: "ducklost",
	Doc: `report changes to copies that no session sees

What a session returns is a copy, also of what a pointer, slice or map refers to. A
change to it stores nothing until the copy is set. Not reported is a copy that is
used in any way after the change.`,
	URL:      manual + "#ducklost",
	Requires: []*analysis.Analyzer{surveyor},
	Run:      runLost,
}

func runLost(pass *analysis.Pass) (any, error) {
	s := surveyOf(pass)
	if !s.reaches {
		return nil, nil
	}
	seen := map[*types.Var]bool{}
	for cur := range s.root.Preorder((*ast.AssignStmt)(nil), (*ast.IncDecStmt)(nil)) {
		if !written(cur) || inTest(pass, cur.Node().Pos()) {
			continue
		}
		for _, place := range changed(cur.Node()) {
			root := rootOfPart(pass.TypesInfo, place)
			if root == nil {
				continue
			}
			if c, ok := copies(pass.TypesInfo, root); ok {
				reportLost(pass, place, c)
				continue
			}
			v := variable(pass.TypesInfo, root)
			if v == nil || seen[v] {
				continue
			}
			seen[v] = true
			if c, ok := copyIn(pass.TypesInfo, cur, v); ok {
				reportLost(pass, place, c)
			}
		}
	}
	return nil, nil
}

func reportLost(pass *analysis.Pass, at ast.Node, c call) {
	report(pass, at, nil, "this changes a copy of what %s returned, and nothing uses it: no session has the change until it is set", c.method)
}

// changed returns the places that a statement changes.
func changed(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	}
	return nil
}

// rootOfPart returns the expression that a place is a part of, nil if it is none: of
// w.Steps[0] that is w.
func rootOfPart(info *types.Info, place ast.Expr) ast.Expr {
	root := ast.Unparen(place)
	for {
		switch n := root.(type) {
		case *ast.SelectorExpr:
			if selection := info.Selections[n]; selection == nil || selection.Kind() != types.FieldVal {
				return nil
			}
			root = ast.Unparen(n.X)
		case *ast.IndexExpr:
			root = ast.Unparen(n.X)
		case *ast.StarExpr:
			root = ast.Unparen(n.X)
		default:
			if root == ast.Unparen(place) {
				return nil
			}
			return root
		}
	}
}

// copies reports whether an expression is a call that returns a copy of what a session
// holds, and goes on to hold.
func copies(info *types.Info, e ast.Expr) (call, bool) {
	c, ok := sessionCall(info, e)
	return c, ok && (c.method == "Snapshot" || isAccessor(c.typ, c.method, schema.GetX, schema.XSlice, schema.XAt, schema.XItem))
}

// copyIn returns the call of which a variable has the copy, if the function changes
// that and uses it for nothing afterwards.
func copyIn(info *types.Info, change inspector.Cursor, v *types.Var) (call, bool) {
	function, ok := outermost(change)
	if !ok || v.IsField() || !within(function.Node(), v.Pos()) {
		return call{}, false
	}
	var from call
	first := token.NoPos // of the changes
	for cur := range function.Preorder((*ast.Ident)(nil)) {
		name := cur.Node().(*ast.Ident)
		if info.ObjectOf(name) != v {
			continue
		}
		if name.Pos() == v.Pos() {
			if from, ok = definedBy(info, cur); !ok {
				return call{}, false
			}
			continue
		}
		part, isPart := partAround(info, cur)
		switch {
		case !isPart || laterThanIts(v, cur):
			return call{}, false
		case isChanged(part):
			if loopSince(v, cur) {
				return call{}, false // what comes before in the loop may read it
			}
			if !first.IsValid() {
				first = part.Parent().Node().Pos()
			}
		case first.IsValid() && !inChangeOf(info, part, v):
			return call{}, false
		}
	}
	return from, first.IsValid()
}

// definedBy returns the call that a declaration has a variable's value from.
func definedBy(info *types.Info, name inspector.Cursor) (call, bool) {
	switch n := name.Parent().Node().(type) {
	case *ast.AssignStmt:
		if len(n.Rhs) == 1 && n.Lhs[0] == name.Node() {
			return copies(info, n.Rhs[0])
		}
	case *ast.ValueSpec:
		if len(n.Values) == 1 && n.Names[0] == name.Node() {
			return copies(info, n.Values[0])
		}
	}
	return call{}, false
}

// partAround returns the outermost part of a variable that a use of it names.
func partAround(info *types.Info, name inspector.Cursor) (part inspector.Cursor, ok bool) {
	part = withoutParens(name)
	for {
		switch part.ParentEdgeKind() {
		case edge.SelectorExpr_X:
			selection := info.Selections[part.Parent().Node().(*ast.SelectorExpr)]
			if selection == nil || selection.Kind() != types.FieldVal {
				return part, false // a method
			}
		case edge.IndexExpr_X, edge.StarExpr_X:
		case edge.UnaryExpr_X:
			return part, ok && part.Parent().Node().(*ast.UnaryExpr).Op != token.AND
		default:
			return part, ok
		}
		part, ok = withoutParens(part.Parent()), true
	}
}

// isChanged reports whether a place is one that its statement changes.
func isChanged(place inspector.Cursor) bool {
	switch place.ParentEdgeKind() {
	case edge.AssignStmt_Lhs, edge.IncDecStmt_X:
		return true
	}
	return false
}

// inChangeOf reports whether a part is read only to change the variable.
func inChangeOf(info *types.Info, part inspector.Cursor, v *types.Var) bool {
	for statement := range part.Enclosing((*ast.AssignStmt)(nil)) {
		n := statement.Node().(*ast.AssignStmt)
		for _, to := range n.Lhs {
			if root := rootOfPart(info, to); root == nil || variable(info, root) != v {
				return false
			}
		}
		return true
	}
	return false
}

// laterThanIts reports whether a place is in a function that may run whenever it is
// called, and has a variable from around it.
func laterThanIts(v *types.Var, cur inspector.Cursor) bool {
	for f := range cur.Enclosing((*ast.FuncLit)(nil)) {
		return !within(f.Node(), v.Pos())
	}
	return false
}

// loopSince reports whether a place is in a loop that a variable is declared before.
func loopSince(v *types.Var, cur inspector.Cursor) bool {
	for loop := range cur.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil)) {
		return !within(loop.Node(), v.Pos())
	}
	return false
}
