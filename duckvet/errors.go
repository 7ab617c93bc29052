package duckvet

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/duckgen/duckgen/gen/schema"
)

// Errors reports errors of sessions that are dropped.
var Errors = &analysis.Analyzer{
	Name: "duckerror",
	Doc: `report errors of generated sessions that are dropped

Load, Reload and Save are there to see an error early, ProcessResponse and
LivelyEvent to answer it, and after a failed RevokeBy or RevokeAll sessions are
still open. A Claim or CheckCSRF whose results are dropped lets everybody pass.
FindBy and All yield a nil session with their error. An error that is assigned to
the blank identifier is dropped on purpose and not reported, except for that of
FindBy and All; nor is one of Load, Reload or Save if the function calls Err.`,
	URL:      manual + "#duckerror",
	Requires: []*analysis.Analyzer{surveyor},
	Run:      runErrors,
}

// why says of methods what it means to drop their error.
var why = map[string]string{
	"Load":               "it is called to see an error early",
	"Reload":             "it is called to see an error early",
	"Save":               "it is called to see an error early",
	"CheckCSRF":          "requests of every other site pass",
	"Ping":               "it is called to see whether the store serves",
	"RevokeAll":          "some sessions may still be open",
	"ProcessResponse":    "the page would claim what is not stored; answer with runtime.StatusOf(err)",
	"LivelyConnect":      "the connection would outlive its session",
	"LivelyEvent":        "nothing of the event may be stored, and after runtime.ErrEnded the connection is to be closed",
	"ProcessLivelyEvent": "nothing of the event may be stored, and after runtime.ErrEnded the connection is to be closed",
	"CheckOrigin":        "a page of another origin is let in",
}

func runErrors(pass *analysis.Pass) (any, error) {
	s := surveyOf(pass)
	if !s.reaches {
		return nil, nil
	}
	for cur := range s.root.Preorder((*ast.CallExpr)(nil), (*ast.RangeStmt)(nil)) {
		switch n := cur.Node().(type) {
		case *ast.CallExpr:
			checkDropped(pass, s, cur, n)
		case *ast.RangeStmt:
			checkFound(pass, cur, n)
		}
	}
	return nil, nil
}

func checkDropped(pass *analysis.Pass, s *survey, cur inspector.Cursor, n *ast.CallExpr) {
	switch withoutParens(cur).ParentEdgeKind() {
	case edge.ExprStmt_X, edge.GoStmt_Call, edge.DeferStmt_Call:
	default:
		return
	}
	c, ok := sessionCall(pass.TypesInfo, n)
	if !ok {
		if c, ok = managerCall(pass.TypesInfo, n); !ok {
			return
		}
	}
	reason := why[c.method]
	switch _, revokes := schema.RevokeByX.Field(c.method); {
	case revokes:
		reason = "some sessions may still be open"
	case isAccessor(c.typ, c.method, schema.ClaimX, schema.ClaimXItem):
		reason = "who has claimed it is in its results"
	case isAccessor(c.typ, c.method, schema.EnsureX, schema.EnsureXItem):
		reason = "nothing may be stored"
	}
	if reason == "" || !written(cur) || looksAtErr(pass.TypesInfo, cur, c) {
		return
	}
	if _, ok := redundant(pass, s, cur, c); ok {
		return // reported by Save
	}
	dropped := "error"
	if c.method == "CheckCSRF" {
		dropped = "result"
	}
	report(pass, n, nil, "the %s of %s is dropped: %s", dropped, c.method, reason)
}

// looksAtErr reports whether the function around a call of a session's method calls
// Err on the same session, which keeps the first error.
func looksAtErr(info *types.Info, cur inspector.Cursor, c call) bool {
	v := variable(info, c.on)
	function, ok := outermost(cur)
	if !ok || v == nil {
		return false
	}
	for other := range function.Preorder((*ast.CallExpr)(nil)) {
		o, ok := sessionCall(info, other.Node().(*ast.CallExpr))
		if ok && o.method == "Err" && variable(info, o.on) == v {
			return true
		}
	}
	return false
}

// checkFound reports a loop over stored sessions without the error.
func checkFound(pass *analysis.Pass, cur inspector.Cursor, n *ast.RangeStmt) {
	c, ok := foundBy(pass.TypesInfo, n)
	if !ok || isBlank(n.Key) || !written(cur) {
		return
	}
	if n.Value == nil || isBlank(n.Value) {
		report(pass, n.X, nil, "the error of %s is dropped: with an error the session is nil, and there may be more sessions", c.method)
	}
}

func isBlank(e ast.Expr) bool {
	name, ok := e.(*ast.Ident)
	return ok && name.Name == "_"
}
