package duckvet

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"net/http"
	"os"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"
)

// Late reports what comes too late for the response.
var Late = &analysis.Analyzer{
	Name: "ducklate",
	Doc: `report what comes too late for the response

The first byte of a response closes its header. A sign-in or a renewal after it
cannot give the browser its new token and fails, and a session that is read for the
first time then cannot be answered for: not by 503 if the store fails, nor by Vary
to a cache. Reported is what stands behind a write to the response in its block.`,
	URL:      manual + "#ducklate",
	Requires: []*analysis.Analyzer{surveyor},
	Run:      runLate,
}

// A latecomer looks for what comes too late, in one package.
type latecomer struct {
	*analysis.Pass
	*survey
	renewing map[*types.Named][]string // the methods of a session that renew its token
	reported map[ast.Node]bool
}

func runLate(pass *analysis.Pass) (any, error) {
	s := surveyOf(pass)
	if !s.reaches {
		return nil, nil
	}
	l := &latecomer{Pass: pass, survey: s, renewing: map[*types.Named][]string{}, reported: map[ast.Node]bool{}}
	for cur := range s.root.Preorder((*ast.ExprStmt)(nil), (*ast.AssignStmt)(nil), (*ast.IfStmt)(nil)) {
		if w := begins(pass.TypesInfo, cur.Node()); w != nil && written(cur) && !inTest(pass, cur.Node().Pos()) {
			l.checkBehind(cur, w)
		}
	}
	return nil, nil
}

// begins returns the variable of the response that a statement begins, or nil.
func begins(info *types.Info, n ast.Node) *types.Var {
	switch n := n.(type) {
	case *ast.ExprStmt:
		return beginsBy(info, n.X)
	case *ast.AssignStmt:
		if len(n.Rhs) == 1 {
			return beginsBy(info, n.Rhs[0])
		}
	case *ast.IfStmt:
		if n.Init != nil {
			return begins(info, n.Init)
		}
	}
	return nil
}

// beginsBy returns the variable of the response that a call writes to.
func beginsBy(info *types.Info, e ast.Expr) *types.Var {
	c, ok := ast.Unparen(e).(*ast.CallExpr)
	switch {
	case !ok:
		return nil
	case writesResponse(info, c):
		if selector, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr); ok && isResponse(info, selector.X) {
			if isInformational(info, c) {
				return nil
			}
			return variable(info, selector.X)
		}
		return variable(info, c.Args[0])
	}
	f := typeutil.StaticCallee(info, c)
	if f == nil || f.Pkg() == nil || len(c.Args) == 0 {
		return nil
	}
	switch f.Pkg().Path() + "." + f.Name() {
	case "html/template.Execute", "html/template.ExecuteTemplate", "text/template.Execute", "text/template.ExecuteTemplate":
		return responseIn(info, c.Args[0])
	case "encoding/json.Encode":
		if encoder, ok := ast.Unparen(c.Fun.(*ast.SelectorExpr).X).(*ast.CallExpr); ok && len(encoder.Args) == 1 {
			return responseIn(info, encoder.Args[0])
		}
	}
	return nil
}

func responseIn(info *types.Info, e ast.Expr) *types.Var {
	if !isResponse(info, e) {
		return nil
	}
	return variable(info, e)
}

// isInformational reports whether a call is WriteHeader with a status that only comes
// before the response.
func isInformational(info *types.Info, c *ast.CallExpr) bool {
	if calledName(c) != "WriteHeader" || len(c.Args) != 1 {
		return false
	}
	value := info.Types[c.Args[0]].Value
	if value == nil {
		return false
	}
	status, exact := constant.Int64Val(value)
	return exact && status < http.StatusOK
}

// checkBehind reports what comes too late in the statements behind one that begins the
// response.
func (l *latecomer) checkBehind(statement inspector.Cursor, w *types.Var) {
	var function inspector.Cursor
	for f := range enclosing(statement) {
		function = f
		break
	}
	if !function.Valid() || !l.isResponseOf(function, w) || answersItself(l.TypesInfo, function) || hasConnection(l.TypesInfo, function) {
		return
	}
	first := l.readsFirst(function, statement)
	for at, ok := statement.NextSibling(); ok; at, ok = at.NextSibling() {
		for cur := range at.Preorder((*ast.CallExpr)(nil)) {
			c, ok := sessionCall(l.TypesInfo, cur.Node().(*ast.CallExpr))
			if !ok || l.reported[c.CallExpr] || l.ofValue(l.TypesInfo, c.on) != ofRequest || isOfAnother(l.TypesInfo, at, cur) {
				continue
			}
			switch {
			case l.renews(c):
				l.note(c, "%s renews the token, and the response has begun without its cookie: the browser does not get it, and nothing is stored (ErrTooLate)")
			case first && showsData(c):
				l.note(c, "%s reads the session for the first time, and the response has begun: an error of the store cannot be answered any more, nor a cache told that it is for one visitor")
				first = false
			}
		}
	}
}

func (l *latecomer) note(c call, format string) {
	l.reported[c.CallExpr] = true
	report(l.Pass, c, nil, format, c.method)
}

// isResponseOf reports whether a variable is the parameter of a function, and always
// what its caller gave.
func (l *latecomer) isResponseOf(function inspector.Cursor, w *types.Var) bool {
	own := false
	for name := range parameters(functionType(function.Node())) {
		own = own || l.TypesInfo.Defs[name] == w
	}
	for cur := range function.Preorder((*ast.AssignStmt)(nil)) {
		for _, to := range cur.Node().(*ast.AssignStmt).Lhs {
			if variable(l.TypesInfo, to) == w {
				return false
			}
		}
	}
	return own
}

// isOfAnother reports whether a place is in a function that answers a request of its
// own.
func isOfAnother(info *types.Info, statement, cur inspector.Cursor) bool {
	for f := range cur.Enclosing((*ast.FuncLit)(nil)) {
		if statement.Contains(f) && hasParameter(info, functionType(f.Node()), isOfRequest) {
			return true
		}
	}
	return false
}

// readsFirst reports whether nothing can have read the session of a handler up to a
// statement in it, with what that writes: the handler itself, who calls it, or what lets only visitors in who
// have signed in.
func (l *latecomer) readsFirst(function, statement inspector.Cursor) bool {
	if !answersRequests(l.TypesInfo, functionType(function.Node())) || len(l.callsOf(l.TypesInfo, function)) > 0 || l.guards() {
		return false
	}
	for cur := range function.Preorder((*ast.CallExpr)(nil), (*ast.Ident)(nil)) {
		if cur.Node().Pos() >= statement.Node().End() {
			break
		}
		switch n := cur.Node().(type) {
		case *ast.CallExpr:
			if l.mayRead(cur, n) {
				return false
			}
		case *ast.Ident:
			if v, ok := l.TypesInfo.Uses[n].(*types.Var); ok && pointedSession(v.Type()) != nil {
				return false
			}
		}
	}
	return true
}

// mayRead reports whether a call may read the session of the request.
func (l *latecomer) mayRead(cur inspector.Cursor, c *ast.CallExpr) bool {
	if isFrom(l.TypesInfo, c) { // which only returns it
		_, called := calledOn(l.TypesInfo, cur)
		return called
	}
	if isPlain(l.TypesInfo, c) {
		return false
	}
	f := typeutil.StaticCallee(l.TypesInfo, c)
	return f == nil || f.Pkg() == nil || reachesSessions(f.Pkg()) ||
		slices.ContainsFunc(c.Args, func(e ast.Expr) bool {
			t := l.TypesInfo.TypeOf(e)
			if t == nil {
				return true
			}
			_, isFunction := t.Underlying().(*types.Signature)
			return isFunction
		})
}

// guards reports whether the package has handlers behind RequireSignIn, which reads the
// session.
func (l *latecomer) guards() bool {
	for f := range l.calls {
		if f.Name() == "RequireSignIn" {
			return true
		}
	}
	return false
}

// renews reports whether a method renews the session's token.
func (l *latecomer) renews(c call) bool {
	if c.method == "Renew" {
		return true
	}
	methods, known := l.renewing[c.typ]
	if !known {
		methods = renewing(l.Fset.Position(c.typ.Obj().Pos()).Filename, c.typ.Obj().Name())
		l.renewing[c.typ] = methods
	}
	return slices.Contains(methods, c.method)
}

// renewing returns the methods of a session that renew its token, as its generated file
// has them: those that set or clear a field with renew. There are none if there is no
// such file.
func renewing(filename, session string) (methods []string) {
	source, err := os.ReadFile(filename)
	if err != nil {
		return nil
	}
	file, err := parser.ParseFile(token.NewFileSet(), filename, source, parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	fields := renewFields(file)
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if ok && f.Recv != nil && isReceiver(f, session) && setsOneOf(f, fields) {
			methods = append(methods, f.Name.Name)
		}
	}
	return methods
}

// renewFields returns the variables of the fields with renew:
//
//	visitorUserID = runtime.Value[int64]{
//		Field: runtime.Field{Key: "user_id", Index: true, Renew: true},
func renewFields(file *ast.File) (names []string) {
	for n := range ast.Preorder(file) {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			continue
		}
		for inner := range ast.Preorder(spec.Values[0]) {
			if property, ok := inner.(*ast.KeyValueExpr); ok && isNameOf(property.Key, "Renew") {
				names = append(names, spec.Names[0].Name)
			}
		}
	}
	return names
}

func isNameOf(e ast.Expr, name string) bool {
	ident, ok := e.(*ast.Ident)
	return ok && ident.Name == name
}

func isReceiver(f *ast.FuncDecl, session string) bool {
	pointer, ok := f.Recv.List[0].Type.(*ast.StarExpr)
	return ok && isNameOf(pointer.X, session)
}

// setsOneOf reports whether a function sets one of the fields, or clears it.
func setsOneOf(f *ast.FuncDecl, fields []string) bool {
	for n := range ast.Preorder(f) {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			continue
		}
		field, ok := selector.X.(*ast.Ident)
		if ok && slices.Contains(fields, field.Name) && slices.Contains([]string{"Set", "Clear", "Ensure"}, selector.Sel.Name) {
			return true
		}
	}
	return false
}
