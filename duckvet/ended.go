package duckvet

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

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
		over := token.NoPos // behind a call that may begin one
		for cur := range at.Preorder((*ast.Ident)(nil), (*ast.CallExpr)(nil)) {
			if over.IsValid() && cur.Node().Pos() >= over {
				return
			}
			if c, ok := cur.Node().(*ast.CallExpr); ok {
				if mayBegin(pass.TypesInfo, c, v) && (!over.IsValid() || c.End() < over) {
					over = c.End()
				}
				continue
			}
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
		if over.IsValid() {
			return
		}
	}
}

// mayBegin reports whether a call may begin a session afresh without a word of the
// variable: what it calls may have the session, its request or its context.
func mayBegin(info *types.Info, c *ast.CallExpr, v *types.Var) bool {
	if s, ok := sessionCall(info, c); ok && variable(info, s.on) == v || isPlain(info, c) {
		return false
	}
	f := typeutil.StaticCallee(info, c)
	if f == nil || f.Pkg() == nil || reachesSessions(f.Pkg()) {
		return true
	}
	return slices.ContainsFunc(c.Args, func(argument ast.Expr) bool { return leadsToSessions(info.TypeOf(argument)) }) ||
		f.Signature().Recv() != nil && leadsToSessions(f.Signature().Recv().Type())
}

// isPlain reports whether a call is a conversion or one of a builtin function, or
// begins the response, or sets its header.
func isPlain(info *types.Info, c *ast.CallExpr) bool {
	if kind := info.Types[c.Fun]; kind.IsType() || kind.IsBuiltin() {
		return true
	}
	selector, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr)
	return ok && isResponse(info, selector.X)
}

// leadsToSessions reports whether a value can have a session, or a function that
// does.
func leadsToSessions(t types.Type) bool {
	if t == nil {
		return true
	}
	_, isFunction := t.Underlying().(*types.Signature)
	return isFunction || ofOneCall(t)
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
