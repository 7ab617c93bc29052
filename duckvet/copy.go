package duckvet

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"
)

// Copy reports sessions that are not used by pointer.
var Copy = &analysis.Analyzer{
	Name: "duckcopy",
	Doc: `report generated sessions that are copied or made by hand

A generated session is used by its pointer. Copying what it points to does not
copy the data: writes to one are writes to the other, although the code looks as
if there were two. Snapshot returns a plain copy. A session that is declared as a
value, or made with new or a literal, belongs to no request: its first use
panics.`,
	URL:      manual + "#duckcopy",
	Requires: []*analysis.Analyzer{surveyor},
	Run:      runCopy,
}

func runCopy(pass *analysis.Pass) (any, error) {
	s := surveyOf(pass)
	if !s.reaches {
		return nil, nil
	}
	for cur := range s.root.Preorder((*ast.Ident)(nil), (*ast.StarExpr)(nil)) {
		switch n := cur.Node().(type) {
		case *ast.Ident:
			checkTypeName(pass, cur, n)
		case *ast.StarExpr:
			checkDereference(pass, cur, n)
		}
	}
	return nil, nil
}

// checkDereference reports *s unless it is just a way to write s.
func checkDereference(pass *analysis.Pass, cur inspector.Cursor, n *ast.StarExpr) {
	value, ok := pass.TypesInfo.Types[n]
	if !ok || !value.IsValue() || asSession(value.Type) == nil || !written(cur) {
		return
	}
	cur = withoutParens(cur)
	switch cur.ParentEdgeKind() {
	case edge.SelectorExpr_X, edge.UnaryExpr_X, edge.ExprStmt_X, edge.AssignStmt_Lhs: // (*s).Name, &*s; what is assigned is reported
		return
	}
	name := asSession(value.Type).Obj().Name()
	report(pass, n, nil, "this copies a %s: the copy is the same session, and its data is not copied; keep the pointer, or use Snapshot", name)
}

// checkTypeName reports the name of a session type if a value has that type.
func checkTypeName(pass *analysis.Pass, cur inspector.Cursor, n *ast.Ident) {
	typeName, ok := pass.TypesInfo.Uses[n].(*types.TypeName)
	if !ok || asSession(typeName.Type()) == nil || !written(cur) {
		return
	}
	if cur.ParentEdgeKind() == edge.SelectorExpr_Sel {
		cur = cur.Parent()
	}
	at, name, written := cur.Node(), typeName.Name(), types.ExprString(cur.Node().(ast.Expr))
	cur = withoutParens(cur)
	switch cur.ParentEdgeKind() {
	case edge.Field_Type, edge.ArrayType_Elt, edge.MapType_Key, edge.MapType_Value, edge.ChanType_Value:
		report(pass, at, nil, "a %s is used by its pointer: write *%s", name, written)
	case edge.Ellipsis_Elt:
		report(pass, at, nil, "a %s is used by its pointer: write ...*%s", name, written)
	case edge.CompositeLit_Type:
		if !onlyItsType(pass.TypesInfo, cur.Parent()) {
			reportMade(pass, at, typeName)
		}
	case edge.ValueSpec_Type:
		reportMade(pass, at, typeName)
	case edge.CallExpr_Args:
		if f, ok := cur.Parent().Node().(*ast.CallExpr).Fun.(*ast.Ident); ok && pass.TypesInfo.Uses[f] == types.Universe.Lookup("new") {
			reportMade(pass, at, typeName)
		}
	}
}

// onlyItsType reports whether a literal is there for its type: to be reflected
// on, or to show that it implements an interface.
func onlyItsType(info *types.Info, literal inspector.Cursor) bool {
	if literal.ParentEdgeKind() == edge.UnaryExpr_X {
		literal = literal.Parent()
	}
	switch n := literal.Parent().Node().(type) {
	case *ast.CallExpr:
		f := typeutil.StaticCallee(info, n)
		return f != nil && f.FullName() == "reflect.TypeOf"
	case *ast.ValueSpec:
		return len(n.Names) == 1 && n.Names[0].Name == "_"
	}
	return false
}

func reportMade(pass *analysis.Pass, at ast.Node, t *types.TypeName) {
	names := namesOf(asSession(t.Type()))
	report(pass, at, nil, "this %s belongs to no request, and its first use panics: take it from %s, in tests from %s",
		t.Name(), names.From, names.With)
}

// withoutParens climbs out of parentheses.
func withoutParens(cur inspector.Cursor) inspector.Cursor {
	for cur.ParentEdgeKind() == edge.ParenExpr_X {
		cur = cur.Parent()
	}
	return cur
}
