package duckvet

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/duckgen/duckgen/gen/schema"
)

// Ended reports reads of a session that was destroyed just before.
var Ended = &analysis.Analyzer{
	Name: "duckended",
	Doc: `report reads of a session after Destroy

After Destroy a session is new and empty, so that its fields have their defaults.
Read first what is still needed. A write after Destroy starts a new session, and
reads after that are not reported.`,
	URL:      manual + "#duckended",
	Requires: []*analysis.Analyzer{surveyor},
	Run:      runEnded,
}

func runEnded(pass *analysis.Pass) (any, error) {
	s := surveyOf(pass)
	if !s.reaches {
		return nil, nil
	}
	for cur := range s.root.Preorder((*ast.ExprStmt)(nil)) {
		c, ok := sessionCall(pass.TypesInfo, cur.Node().(*ast.ExprStmt).X)
		if !ok || c.method != "Destroy" || inTest(pass, c.Pos()) {
			continue
		}
		if v := variable(pass.TypesInfo, c.on); v != nil && !v.IsField() {
			follow(pass, cur, v)
		}
	}
	return nil, nil
}

// follow walks on from Destroy, through the statements after it in its block, up
// to whatever may begin a fresh session.
func follow(pass *analysis.Pass, destroyed inspector.Cursor, v *types.Var) {
	for at, ok := destroyed.NextSibling(); ok; at, ok = at.NextSibling() {
		if _, jump := at.Node().(*ast.LabeledStmt); jump {
			return
		}
		for cur := range at.Preorder((*ast.Ident)(nil)) {
			if pass.TypesInfo.ObjectOf(cur.Node().(*ast.Ident)) != v {
				continue
			}
			c, ok := calledOn(pass.TypesInfo, cur)
			switch {
			case laterThan(at, cur):
				return
			case ok && showsData(c):
				report(pass, c, nil, "%s is read after Destroy, when the session is new and empty: read it before", c.method)
				return
			case ok && harmless(c):
			default:
				return
			}
		}
	}
}

// laterThan reports whether a place inside a statement runs when its function
// literal is called.
func laterThan(statement, cur inspector.Cursor) bool {
	for f := range cur.Enclosing((*ast.FuncLit)(nil)) {
		return statement.Contains(f)
	}
	return false
}

// calledOn returns the call of a session's method on an identifier.
func calledOn(info *types.Info, name inspector.Cursor) (call, bool) {
	name = withoutParens(name)
	if name.ParentEdgeKind() != edge.SelectorExpr_X {
		return call{}, false
	}
	selector := withoutParens(name.Parent())
	if selector.ParentEdgeKind() != edge.CallExpr_Fun {
		return call{}, false
	}
	return sessionCall(info, selector.Parent().Node().(*ast.CallExpr))
}

// showsData reports whether a method returns what the session held.
func showsData(c call) bool {
	switch c.method {
	case "Snapshot", "CreatedAt", "RenewedAt", "SignedInAt", "LastUsedAt", "ExpiresAt":
		return true
	}
	return isAccessor(c.typ, c.method, schema.Readers...)
}

// harmless reports whether a method leaves a session that is empty as it is.
func harmless(c call) bool {
	return slices.Contains(schema.SessionMethods, c.method) || isAccessor(c.typ, c.method, schema.XDirty, schema.ClearX)
}
