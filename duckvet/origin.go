package duckvet

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/duckgen/duckgen/gen/schema"
)

// An origin says where the session in a variable comes from.
type origin int

const (
	unknown   origin = iota
	ofRequest        // the hooks save it when the response begins
	ofEvent          // the same, when the event of a live connection ends
	found            // in the store: nobody saves it but the program
)

// A survey is what the analyzers need to know of a package in common.
type survey struct {
	root      inspector.Cursor
	reaches   bool // the package can have to do with sessions
	variables map[*types.Var]origin
	calls     map[types.Object][]inspector.Cursor // of functions and of variables that hold one
	functions map[*types.Var]inspector.Cursor     // what a variable holds, if it is only ever that one
}

// surveyor is what the other analyzers build on.
var surveyor = &analysis.Analyzer{
	Name:             "ducksurvey",
	Doc:              "find the sessions of a package and where they come from",
	Requires:         []*analysis.Analyzer{inspect.Analyzer},
	ResultType:       reflect.TypeFor[*survey](),
	RunDespiteErrors: true, // those that build on it say that they do not
	Run: func(pass *analysis.Pass) (any, error) {
		s := &survey{
			root:      pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root(),
			reaches:   reachesSessions(pass.Pkg),
			variables: map[*types.Var]origin{},
			calls:     map[types.Object][]inspector.Cursor{},
			functions: map[*types.Var]inspector.Cursor{},
		}
		if s.reaches {
			s.findOrigins(pass.TypesInfo)
		}
		return s, nil
	},
}

func surveyOf(pass *analysis.Pass) *survey { return pass.ResultOf[surveyor].(*survey) }

func (s *survey) findOrigins(info *types.Info) {
	note := func(name ast.Expr, from origin) {
		v := variable(info, name)
		if v == nil {
			return
		}
		if before, ok := s.variables[v]; ok && before != from {
			from = unknown
		}
		s.variables[v] = from
	}
	for cur := range s.root.Preorder((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil), (*ast.AssignStmt)(nil),
		(*ast.ValueSpec)(nil), (*ast.RangeStmt)(nil), (*ast.CallExpr)(nil)) {
		switch n := cur.Node().(type) {
		case *ast.CallExpr:
			s.noteCall(info, cur)
		case *ast.FuncDecl, *ast.FuncLit:
			from := parametersFrom(info, functionType(n))
			for name := range parameters(functionType(n)) {
				if v := variable(info, name); v != nil && pointedSession(v.Type()) != nil {
					note(name, from)
				}
			}
		case *ast.AssignStmt:
			eachAssignment(n.Lhs, n.Rhs, func(to, value ast.Expr) { note(to, s.ofValue(info, value)) })
			s.noteFunctions(info, cur, n.Lhs)
		case *ast.ValueSpec:
			if len(n.Values) > 0 {
				eachAssignment(expressions(n.Names), n.Values, func(to, value ast.Expr) { note(to, s.ofValue(info, value)) })
				s.noteFunctions(info, cur, expressions(n.Names))
			}
		case *ast.RangeStmt:
			if _, ok := foundBy(info, n); ok {
				note(n.Key, found)
			}
		}
	}
}

// foundBy returns the call that finds the stored sessions which a loop has as its
// variable.
func foundBy(info *types.Info, n *ast.RangeStmt) (call, bool) {
	c, ok := managerCall(info, n.X)
	if !ok || n.Key == nil {
		return call{}, false
	}
	_, byIndex := schema.FindByX.Field(c.method)
	return c, byIndex || c.method == "All"
}

// ofValue returns where an expression has its session from.
func (s *survey) ofValue(info *types.Info, e ast.Expr) origin {
	if e == nil {
		return unknown
	}
	if isFrom(info, e) {
		return ofRequest
	}
	return s.variables[variable(info, e)]
}

// eachAssignment calls do with each place and what it gets, nil if that is one
// of several results.
func eachAssignment(places, values []ast.Expr, do func(to, value ast.Expr)) {
	for i, to := range places {
		if len(places) == len(values) {
			do(to, values[i])
		} else {
			do(to, nil)
		}
	}
}

func expressions(names []*ast.Ident) (list []ast.Expr) {
	for _, name := range names {
		list = append(list, name)
	}
	return list
}

// variable returns the variable that an expression names, or nil.
func variable(info *types.Info, e ast.Expr) *types.Var {
	name, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return nil
	}
	v, _ := info.ObjectOf(name).(*types.Var)
	return v
}

// parametersFrom returns where a function that is called with other parameters
// of these types has its session from.
func parametersFrom(info *types.Info, f *ast.FuncType) origin {
	switch {
	case hasParameter(info, f, isLivelyConn):
		return ofEvent
	case hasParameter(info, f, isOfRequest):
		return ofRequest
	default:
		return unknown
	}
}

func hasParameter(info *types.Info, f *ast.FuncType, is func(types.Type) bool) bool {
	for _, field := range f.Params.List {
		if t := info.TypeOf(field.Type); t != nil && is(t) {
			return true
		}
	}
	return false
}

func isOfRequest(t types.Type) bool {
	return isPointerTo(t, "net/http", "Request") || isNamed(t, "net/http", "ResponseWriter")
}

// isLivelyConn reports whether t is a connection of this module's endpoint. It
// commits after each event.
func isLivelyConn(t types.Type) bool { return isPointerTo(t, livelyPath, "Conn") }

// isConnection reports whether t is a live connection of any kind.
func isConnection(t types.Type) bool {
	has := func(name string) bool {
		method, _, _ := types.LookupFieldOrMethod(t, false, nil, name)
		_, ok := method.(*types.Func)
		return ok
	}
	return has("ExecuteJS") && has("SyncBrowserState")
}

// takesOver reports whether a call is of a function with one of the names that
// those have which turn a request into a connection.
func takesOver(c *ast.CallExpr) bool {
	switch calledName(c) {
	case "Hijack", "Accept", "Upgrade", "UpgradeHTTP":
		return true
	}
	return false
}

func calledName(c *ast.CallExpr) string {
	switch f := ast.Unparen(c.Fun).(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func functionType(n ast.Node) *ast.FuncType {
	switch f := n.(type) {
	case *ast.FuncDecl:
		return f.Type
	case *ast.FuncLit:
		return f.Type
	}
	return nil
}

func functionBody(n ast.Node) *ast.BlockStmt {
	switch f := n.(type) {
	case *ast.FuncDecl:
		return f.Body
	case *ast.FuncLit:
		return f.Body
	}
	return nil
}

func parameters(f *ast.FuncType) func(yield func(*ast.Ident) bool) {
	return func(yield func(*ast.Ident) bool) {
		for _, field := range f.Params.List {
			for _, name := range field.Names {
				if !yield(name) {
					return
				}
			}
		}
	}
}

// enclosing returns the functions around a place, the innermost first.
func enclosing(cur inspector.Cursor) func(yield func(inspector.Cursor) bool) {
	return cur.Enclosing((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil))
}

// outermost returns the function around all others around a place. It is false
// outside functions.
func outermost(cur inspector.Cursor) (inspector.Cursor, bool) {
	var last inspector.Cursor
	ok := false
	for f := range enclosing(cur) {
		last, ok = f, true
	}
	return last, ok
}

// hasConnection reports whether a function has to do with a live connection, or
// takes over the connection of a request: its session lives longer, and no hook
// saves it at the end.
func hasConnection(info *types.Info, function inspector.Cursor) bool {
	for cur := range function.Preorder((*ast.Ident)(nil), (*ast.CallExpr)(nil)) {
		switch n := cur.Node().(type) {
		case *ast.Ident:
			if v, ok := info.ObjectOf(n).(*types.Var); ok && isConnection(v.Type()) {
				return true
			}
		case *ast.CallExpr:
			if c, ok := managerCall(info, n); ok && strings.Contains(c.method, "Lively") || takesOver(n) {
				return true
			}
		}
	}
	return false
}

// inTest reports whether a place is in a test, which may do on purpose what a
// program should not.
func inTest(pass *analysis.Pass, pos token.Pos) bool {
	return strings.HasSuffix(fileName(pass, pos), "_test.go")
}

// written reports whether a place is in a file that was written by hand.
func written(cur inspector.Cursor) bool {
	for file := range cur.Enclosing((*ast.File)(nil)) {
		return !ast.IsGenerated(file.Node().(*ast.File))
	}
	return false
}
