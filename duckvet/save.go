package duckvet

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"
)

// Save reports calls of Save that do what the hooks do next.
var Save = &analysis.Analyzer{
	Name: "ducksave",
	Doc: `report calls of Save that the hooks repeat

The middleware saves before the first byte of the response, LivelyEvent when the
handler of an event returns. A Save right before that costs a store call and
drops an error that the hooks would have answered. Not reported is a Save whose
error is used, one with work after it, one of a session that was found in the
store, and one outside handlers.`,
	URL:      manual + "#ducksave",
	Requires: []*analysis.Analyzer{surveyor},
	Run:      runSave,
}

func runSave(pass *analysis.Pass) (any, error) {
	s := surveyOf(pass)
	if !s.reaches {
		return nil, nil
	}
	for cur := range s.root.Preorder((*ast.CallExpr)(nil)) {
		c, ok := sessionCall(pass.TypesInfo, cur.Node().(*ast.CallExpr))
		if !ok || !written(cur) {
			continue
		}
		statement, ok := redundant(pass, s, cur, c)
		if !ok {
			continue
		}
		if _, ok := statement.Node().(*ast.ReturnStmt); ok {
			fix := replacement(c, "Return nil", "nil")
			report(pass, c, fix, "LivelyEvent saves when the handler returns nil: this Save does so a moment earlier, and a second time for what follows")
			continue
		}
		report(pass, statement.Node(), removal(pass, statement, c),
			"the hooks save when the handler is done, and answer an error: this Save costs a store call and drops its error")
	}
	return nil, nil
}

// redundant returns the statement around a call of Save, if the hooks save the
// session right after it and nobody looks at the error.
func redundant(pass *analysis.Pass, s *survey, cur inspector.Cursor, c call) (inspector.Cursor, bool) {
	if c.method != "Save" || inTest(pass, c.Pos()) {
		return cur, false
	}
	handler, from, ok := s.handlerAround(pass.TypesInfo, cur, c)
	if !ok || s.goesOn(pass.TypesInfo, handler, nil) {
		return cur, false
	}
	statement := withoutParens(cur)
	kind := statement.ParentEdgeKind()
	statement = statement.Parent()
	switch n := statement.Node().(type) {
	case *ast.DeferStmt:
		return statement, true
	case *ast.ReturnStmt:
		return statement, from == ofEvent && len(n.Results) == 1
	case *ast.ExprStmt:
		return statement, endsHandler(pass.TypesInfo, statement, handler)
	case *ast.AssignStmt:
		dropped := kind == edge.AssignStmt_Rhs && len(n.Lhs) == 1 && isBlank(n.Lhs[0])
		return statement, dropped && endsHandler(pass.TypesInfo, statement, handler)
	}
	return cur, false
}

// handlerAround returns the handler that a call is in, if the session is that of
// its request or event. Function literals within a handler may run at any time
// and are none.
func (s *survey) handlerAround(info *types.Info, cur inspector.Cursor, c call) (inspector.Cursor, origin, bool) {
	var handler inspector.Cursor
	for f := range enclosing(cur) {
		handler = f
		break
	}
	if !handler.Valid() {
		return cur, unknown, false
	}
	if v := variable(info, c.on); v != nil && !within(handler.Node(), v.Pos()) {
		return cur, unknown, false
	}
	from := s.ofValue(info, c.on)
	parameters := parametersFrom(info, functionType(handler.Node()))
	switch {
	case from == unknown || from == found:
		return cur, unknown, false
	case parameters == ofEvent:
		return handler, ofEvent, true
	case from == ofEvent || hasConnection(info, handler) || answersItself(info, handler):
		return cur, unknown, false
	}
	return handler, ofRequest, parameters == ofRequest || takesRequest(info, handler)
}

// goesOn reports whether a function is a helper, after which a handler goes on: one
// of its callers does, or it may have others and has not the parameters of a handler.
// The path are the functions that it is called by on the way.
func (s *survey) goesOn(info *types.Info, function inspector.Cursor, path []ast.Node) bool {
	if slices.Contains(path, function.Node()) {
		return false
	}
	callers := s.callsOf(info, function)
	if decl, ok := function.Node().(*ast.FuncDecl); ok && len(callers) == 0 {
		return decl.Name.IsExported() && parametersFrom(info, decl.Type) == ofRequest && !answersRequests(info, decl.Type)
	}
	return slices.ContainsFunc(callers, func(caller inspector.Cursor) bool {
		for around := range enclosing(caller) {
			return !endsWith(info, caller, around) || s.goesOn(info, around, append(path, function.Node()))
		}
		return true
	})
}

// answersRequests reports whether a function has the parameters of a handler.
func answersRequests(info *types.Info, f *ast.FuncType) bool {
	return hasParameter(info, f, func(t types.Type) bool { return isNamed(t, "net/http", "ResponseWriter") }) &&
		hasParameter(info, f, func(t types.Type) bool { return isPointerTo(t, "net/http", "Request") })
}

// endsWith reports whether nothing follows a call in a function but the response.
func endsWith(info *types.Info, caller, function inspector.Cursor) bool {
	statement := withoutParens(caller).Parent()
	switch n := statement.Node().(type) {
	case *ast.ReturnStmt, *ast.DeferStmt:
		return true
	case *ast.ExprStmt:
		return endsHandler(info, statement, function)
	case *ast.AssignStmt:
		return !slices.ContainsFunc(n.Lhs, func(to ast.Expr) bool { return !isBlank(to) }) && endsHandler(info, statement, function)
	}
	return false
}

func within(n ast.Node, pos token.Pos) bool { return n.Pos() <= pos && pos < n.End() }

// answersItself reports whether a function is an adapter, which calls the second
// half of the hooks.
func answersItself(info *types.Info, function inspector.Cursor) bool {
	for cur := range function.Preorder((*ast.CallExpr)(nil)) {
		if c, ok := managerCall(info, cur.Node().(*ast.CallExpr)); ok && strings.HasPrefix(c.method, "Process") {
			return true
		}
	}
	return false
}

// takesRequest reports whether a function takes its session from a request that a
// framework hands it in a type of its own.
func takesRequest(info *types.Info, function inspector.Cursor) bool {
	for cur := range function.Preorder((*ast.CallExpr)(nil)) {
		c := cur.Node().(*ast.CallExpr)
		if !isFrom(info, c) {
			continue
		}
		for argument := range cur.Preorder((*ast.CallExpr)(nil)) {
			if t := info.TypeOf(argument.Node().(*ast.CallExpr)); t != nil && isPointerTo(t, "net/http", "Request") {
				return true
			}
		}
	}
	return false
}

// endsHandler reports whether nothing follows a statement but the response.
func endsHandler(info *types.Info, statement, handler inspector.Cursor) bool {
	body := functionBody(handler.Node())
	for statement.Node() != body {
		if next, ok := statement.NextSibling(); ok && statement.ParentEdgeKind() == next.ParentEdgeKind() {
			return answers(info, next.Node())
		}
		statement = statement.Parent()
		switch statement.Node().(type) {
		case *ast.BlockStmt, *ast.IfStmt:
		default:
			return false
		}
	}
	return true
}

// answers reports whether a statement begins the response.
func answers(info *types.Info, n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.ExprStmt:
		return writesResponse(info, n.X)
	case *ast.AssignStmt:
		return len(n.Rhs) == 1 && writesResponse(info, n.Rhs[0])
	case *ast.IfStmt:
		return n.Init != nil && answers(info, n.Init)
	}
	return false
}

// writesResponse reports whether a call writes to the response at once.
func writesResponse(info *types.Info, e ast.Expr) bool {
	c, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	f := typeutil.StaticCallee(info, c)
	if selector, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr); ok && (f == nil || f.Signature().Recv() != nil) {
		return isResponse(info, selector.X) && strings.HasPrefix(selector.Sel.Name, "Write")
	}
	if f == nil || f.Pkg() == nil || len(c.Args) == 0 || !isResponse(info, c.Args[0]) {
		return false
	}
	switch f.Pkg().Path() + "." + f.Name() {
	case "net/http.Redirect", "net/http.Error", "net/http.NotFound",
		"fmt.Fprint", "fmt.Fprintf", "fmt.Fprintln", "io.WriteString":
		return true
	}
	return false
}

func isResponse(info *types.Info, e ast.Expr) bool {
	t := info.TypeOf(e)
	return t != nil && isNamed(t, "net/http", "ResponseWriter")
}

func replacement(at ast.Node, message, text string) []analysis.SuggestedFix {
	return []analysis.SuggestedFix{{
		Message:   message,
		TextEdits: []analysis.TextEdit{{Pos: at.Pos(), End: at.End(), NewText: []byte(text)}},
	}}
}

// removal takes a statement out if nothing else depends on it.
func removal(pass *analysis.Pass, statement inspector.Cursor, c call) []analysis.SuggestedFix {
	if _, ok := statement.Node().(*ast.DeferStmt); ok {
		return nil // it also saves after a panic
	}
	if !pure(pass.TypesInfo, c.on) || !pure(pass.TypesInfo, c.Args[0]) || !neededElsewhere(pass.TypesInfo, statement) {
		return nil
	}
	pos, end := wholeLines(pass, statement.Node())
	return []analysis.SuggestedFix{{
		Message:   "Remove the call of Save",
		TextEdits: []analysis.TextEdit{{Pos: pos, End: end}},
	}}
}

// pure reports whether an expression does nothing but name a session or a
// context.
func pure(info *types.Info, e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return true
	case *ast.SelectorExpr:
		return pure(info, e.X)
	case *ast.CallExpr:
		if isFrom(info, e) {
			return pure(info, e.Args[0])
		}
		selector, ok := e.Fun.(*ast.SelectorExpr)
		if !ok || len(e.Args) > 0 || !pure(info, selector.X) {
			return false
		}
		switch selector.Sel.Name {
		case "Context", "Request", "Background", "TODO":
			return true
		}
	}
	return false
}

// neededElsewhere reports whether every variable and import that a statement uses
// has another use: without one the program would not compile any more.
func neededElsewhere(info *types.Info, statement inspector.Cursor) bool {
	used := map[types.Object]bool{} // and elsewhere, too
	for cur := range statement.Preorder((*ast.Ident)(nil)) {
		switch o := info.Uses[cur.Node().(*ast.Ident)].(type) {
		case *types.PkgName:
			used[o] = false
		case *types.Var:
			if o.Kind() == types.LocalVar {
				used[o] = false
			}
		}
	}
	for file := range statement.Enclosing((*ast.File)(nil)) {
		for cur := range file.Preorder((*ast.Ident)(nil)) {
			o := info.Uses[cur.Node().(*ast.Ident)]
			if _, ok := used[o]; ok && !statement.Contains(cur) && cur.ParentEdgeKind() != edge.AssignStmt_Lhs {
				used[o] = true
			}
		}
	}
	for _, elsewhere := range used {
		if !elsewhere {
			return false
		}
	}
	return true
}

// wholeLines returns the range of a node, widened to its lines if nothing else
// is on these.
func wholeLines(pass *analysis.Pass, n ast.Node) (pos, end token.Pos) {
	file := pass.Fset.File(n.Pos())
	content, err := pass.ReadFile(file.Name())
	if err != nil || len(content) != file.Size() {
		return n.Pos(), n.End()
	}
	from, to := file.Offset(n.Pos()), file.Offset(n.End())
	for from > 0 && (content[from-1] == '\t' || content[from-1] == ' ') {
		from--
	}
	for to < len(content) && (content[to] == '\t' || content[to] == ' ' || content[to] == '\r') {
		to++
	}
	if from == 0 || content[from-1] != '\n' || to == len(content) || content[to] != '\n' {
		return n.Pos(), n.End()
	}
	return file.Pos(from), file.Pos(to + 1)
}
