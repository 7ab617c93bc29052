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

// Retain reports sessions that are kept longer than their request.
var Retain = &analysis.Analyzer{
	Name: "duckretain",
	Doc: `report sessions that are kept longer than their request

A session belongs to one request: when that is answered the session is closed,
reads return what was read last, and writes are lost. Reported are sessions that go to package
variables, to fields of the receiver of a handler, to variables around a handler
that outlive it, into maps, slices and channels in these, and into goroutines
that nothing waits for. Functions that have to do with a live connection keep
its session on purpose and are left alone.`,
	URL:      manual + "#duckretain",
	Requires: []*analysis.Analyzer{surveyor},
	Run:      runRetain,
}

// A keeper looks for sessions that are kept, in one package.
type keeper struct {
	*analysis.Pass
	*survey
	perRequest map[*types.TypeName]bool // types that are made for one request
	obtained   map[*types.TypeName]bool // types that a function with a request gets from another, which may make them
	madeHere   map[*types.TypeName]bool // types that a function of the package makes
}

func runRetain(pass *analysis.Pass) (any, error) {
	s := surveyOf(pass)
	if !s.reaches {
		return nil, nil
	}
	k := &keeper{Pass: pass, survey: s,
		perRequest: map[*types.TypeName]bool{}, obtained: map[*types.TypeName]bool{}, madeHere: map[*types.TypeName]bool{}}
	k.findPerRequest()
	for cur := range s.root.Preorder((*ast.AssignStmt)(nil), (*ast.SendStmt)(nil), (*ast.CallExpr)(nil), (*ast.GoStmt)(nil)) {
		if inTest(pass, cur.Node().Pos()) || !written(cur) {
			continue
		}
		switch n := cur.Node().(type) {
		case *ast.AssignStmt:
			eachAssignment(n.Lhs, n.Rhs, func(to, value ast.Expr) {
				if value == nil {
					value = to // one of several results: its type says it
				}
				if k.holdsSession(value) {
					k.checkPlace(cur, value, to)
				}
			})
		case *ast.SendStmt:
			if k.holdsSession(n.Value) && !k.waits(cur) {
				k.checkPlace(cur, n.Value, n.Chan)
			}
		case *ast.CallExpr:
			k.checkStored(cur, n)
			if group := k.startedIn(n); group != nil && k.leaves(cur, group) {
				k.checkGoroutine(cur, n)
			}
		case *ast.GoStmt:
			k.checkGoroutine(cur, n.Call)
		}
	}
	return nil, nil
}

// findPerRequest notes the types of which a function with a request or a context
// makes values: what is kept in these ends with the request.
func (k *keeper) findPerRequest() {
	for cur := range k.root.Preorder((*ast.CompositeLit)(nil), (*ast.CallExpr)(nil), (*ast.TypeAssertExpr)(nil), (*ast.ValueSpec)(nil)) {
		for f := range enclosing(cur) {
			f := functionType(f.Node())
			if name := made(k.TypesInfo, cur.Node()); name != nil {
				k.madeHere[name] = true
				if hasParameter(k.TypesInfo, f, ofOneCall) {
					noteType(k.perRequest, name)
				}
			}
			if c, ok := cur.Node().(*ast.CallExpr); ok && hasParameter(k.TypesInfo, f, isOfRequest) {
				noteType(k.obtained, nameOf(k.TypesInfo.TypeOf(c)))
			}
		}
	}
}

// noteType adds a type, and those that it embeds.
func noteType(set map[*types.TypeName]bool, name *types.TypeName) {
	if name == nil || set[name] {
		return
	}
	set[name] = true
	if s, ok := name.Type().Underlying().(*types.Struct); ok {
		for field := range s.Fields() {
			if field.Embedded() {
				noteType(set, nameOf(field.Type()))
			}
		}
	}
}

// made returns the type of what an expression makes, or gets from elsewhere.
func made(info *types.Info, n ast.Node) *types.TypeName {
	var t types.Type
	switch n := n.(type) {
	case *ast.CompositeLit:
		t = info.TypeOf(n)
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "new" && len(n.Args) == 1 {
			t = info.TypeOf(n.Args[0])
		}
	case *ast.TypeAssertExpr:
		if n.Type != nil {
			t = info.TypeOf(n.Type)
		}
	case *ast.ValueSpec:
		if _, pointer := n.Type.(*ast.StarExpr); n.Type != nil && !pointer {
			t = info.TypeOf(n.Type)
		}
	}
	return nameOf(t)
}

// nameOf returns the name of a type or of what it points to, or nil.
func nameOf(t types.Type) *types.TypeName {
	if t == nil {
		return nil
	}
	t = types.Unalias(t)
	if pointer, ok := t.(*types.Pointer); ok {
		t = types.Unalias(pointer.Elem())
	}
	if named, ok := t.(*types.Named); ok {
		return named.Obj()
	}
	return nil
}

func ofOneCall(t types.Type) bool { return isOfRequest(t) || isNamed(t, "context", "Context") }

// holdsSession reports whether an expression is a session, or something that is
// made of one on the spot.
func (k *keeper) holdsSession(e ast.Expr) bool {
	e = ast.Unparen(e)
	if pointedSession(k.TypesInfo.TypeOf(e)) != nil {
		return true
	}
	switch e := e.(type) {
	case *ast.Ident, *ast.SelectorExpr:
		return isListOfSessions(k.TypesInfo.TypeOf(e))
	case *ast.UnaryExpr:
		return e.Op == token.AND && k.holdsSession(e.X)
	case *ast.KeyValueExpr:
		return k.holdsSession(e.Value)
	case *ast.CompositeLit:
		return slices.ContainsFunc(e.Elts, k.holdsSession)
	case *ast.CallExpr:
		f, _ := ast.Unparen(e.Fun).(*ast.Ident)
		isAppend := f != nil && k.TypesInfo.Uses[f] == types.Universe.Lookup("append")
		isConversion := k.TypesInfo.Types[e.Fun].IsType()
		return isAppend && len(e.Args) > 1 && slices.ContainsFunc(e.Args[1:], k.holdsSession) ||
			isConversion && k.holdsSession(e.Args[0])
	}
	return false
}

// isListOfSessions reports whether t is a slice, array or map of sessions.
func isListOfSessions(t types.Type) bool {
	if t == nil {
		return false
	}
	switch t := t.Underlying().(type) {
	case *types.Slice:
		return pointedSession(t.Elem()) != nil
	case *types.Array:
		return pointedSession(t.Elem()) != nil
	case *types.Map:
		return pointedSession(t.Elem()) != nil
	}
	return false
}

// checkStored reports a session that is handed to a container of package sync.
func (k *keeper) checkStored(cur inspector.Cursor, c *ast.CallExpr) {
	f := typeutil.StaticCallee(k.TypesInfo, c)
	if f == nil || f.Pkg() == nil || f.Signature().Recv() == nil || len(c.Args) == 0 {
		return
	}
	switch path := f.Pkg().Path(); f.Name() {
	case "Store", "Swap", "CompareAndSwap", "LoadOrStore":
		if path != "sync" && path != "sync/atomic" {
			return
		}
	default:
		return
	}
	value := c.Args[len(c.Args)-1]
	selector, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr)
	if ok && k.holdsSession(value) && (len(c.Args) < 2 || !k.endsWith(c.Args[0])) {
		k.checkPlace(cur, value, selector.X)
	}
}

// checkPlace reports a session that goes to a place which outlives the request.
func (k *keeper) checkPlace(cur inspector.Cursor, value, place ast.Expr) {
	v, key := k.rootOf(place)
	if v == nil || key != nil && k.endsWith(key) {
		return
	}
	where := k.outlives(cur, v)
	if where == "" {
		return
	}
	function, ok := outermost(cur)
	if !ok || hasConnection(k.TypesInfo, function) || k.takenBack(function, v) {
		return
	}
	report(k.Pass, value, nil, "the session goes to %s, which outlives its request: once that is answered the session is closed, and writes to it are lost; keep what you need of it, such as a field or Snapshot",
		where)
}

// rootOf returns the variable that a place is in, and the key of the map or slice
// in between. It is nil if the way leads through an element or a second
// pointer: what is behind these may well belong to the request.
func (k *keeper) rootOf(place ast.Expr) (root *types.Var, key ast.Expr) {
	place = ast.Unparen(place)
	if index, ok := place.(*ast.IndexExpr); ok {
		place, key = ast.Unparen(index.X), index.Index
	}
	for {
		var inner ast.Expr
		switch n := place.(type) {
		case *ast.Ident:
			return variable(k.TypesInfo, n), key
		case *ast.SelectorExpr:
			if v := k.imported(n); v != nil {
				return v, key
			}
			inner = ast.Unparen(n.X)
		case *ast.StarExpr:
			inner = ast.Unparen(n.X)
		default:
			return nil, nil
		}
		_, last := inner.(*ast.Ident)
		if s, ok := inner.(*ast.SelectorExpr); ok {
			last = k.imported(s) != nil
		}
		if _, pointer := k.TypesInfo.TypeOf(inner).Underlying().(*types.Pointer); pointer && !last {
			return nil, nil
		}
		place = inner
	}
}

// imported returns the variable of another package that a selector names, or nil.
func (k *keeper) imported(n *ast.SelectorExpr) *types.Var {
	v, ok := k.TypesInfo.Uses[n.Sel].(*types.Var)
	if !ok || v.IsField() {
		return nil
	}
	return v
}

// endsWith reports whether a key says that what it stands for ends with its
// request or connection.
func (k *keeper) endsWith(key ast.Expr) bool {
	t := k.TypesInfo.TypeOf(key)
	return t != nil && (isOfRequest(t) || isNamed(t, "context", "Context") || isConnection(t))
}

// takenBack reports whether a function also takes something out of a variable.
func (k *keeper) takenBack(function inspector.Cursor, v *types.Var) bool {
	is := func(place ast.Expr) bool {
		root, _ := k.rootOf(place)
		return root == v
	}
	for cur := range function.Preorder((*ast.CallExpr)(nil), (*ast.AssignStmt)(nil)) {
		switch n := cur.Node().(type) {
		case *ast.CallExpr:
			switch f := ast.Unparen(n.Fun).(type) {
			case *ast.Ident:
				if (f.Name == "delete" || f.Name == "clear") && len(n.Args) > 0 && is(n.Args[0]) {
					return true
				}
			case *ast.SelectorExpr:
				takes := strings.Contains(f.Sel.Name, "Delete") || len(n.Args) == 1 && k.TypesInfo.Types[n.Args[0]].IsNil()
				if takes && is(f.X) {
					return true
				}
			}
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				if len(n.Lhs) == len(n.Rhs) && k.TypesInfo.Types[n.Rhs[i]].IsNil() && is(to) {
					return true
				}
			}
		}
	}
	return false
}

// outlives says what a variable is that lives longer than the request around a
// place, or "".
func (k *keeper) outlives(cur inspector.Cursor, v *types.Var) string {
	switch {
	case v.Pkg() != nil && v.Parent() == v.Pkg().Scope():
		return "package variable " + v.Name()
	case k.perRequest[nameOf(v.Type())]:
		return ""
	}
	for f := range enclosing(cur) {
		switch n := f.Node().(type) {
		case *ast.FuncDecl:
			if v.Kind() == types.RecvVar && k.isHandler(n.Type) && isShared(v.Type()) && k.servesMany(nameOf(v.Type())) {
				return "the receiver of a handler"
			}
		case *ast.FuncLit:
			if !within(n, v.Pos()) && k.isHandler(n.Type) && k.isServed(f) {
				return "variable " + v.Name() + " around the handler"
			}
		}
	}
	return ""
}

// servesMany reports whether values of a type are not made for one request, as far as
// the package tells. Of a type that it only declares, others decide.
func (k *keeper) servesMany(name *types.TypeName) bool {
	return !k.obtained[name] && (!name.Exported() || k.madeHere[name])
}

// isShared reports whether a type is made for many requests: it has a lock, or
// what makes the sessions.
func isShared(receiver types.Type) bool {
	pointer, ok := receiver.Underlying().(*types.Pointer)
	if !ok {
		return false
	}
	s, ok := pointer.Elem().Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for field := range s.Fields() {
		t := types.Unalias(field.Type())
		if pointer, ok := t.(*types.Pointer); ok {
			t = pointer.Elem()
		}
		if asManager(t) != nil || isNamed(t, "sync", "Mutex") || isNamed(t, "sync", "RWMutex") {
			return true
		}
	}
	return false
}

// isHandler reports whether a function has the parameters of [http.HandlerFunc].
func (k *keeper) isHandler(f *ast.FuncType) bool {
	return len(f.Params.List) == 2 && f.Results == nil &&
		isNamed(k.TypesInfo.TypeOf(f.Params.List[0].Type), "net/http", "ResponseWriter") &&
		isPointerTo(k.TypesInfo.TypeOf(f.Params.List[1].Type), "net/http", "Request")
}

// isServed reports whether a function literal serves many requests: it is what a
// function returns, or is registered with net/http, and is not made for one
// request itself.
func (k *keeper) isServed(literal inspector.Cursor) bool {
	for f := range enclosing(literal.Parent()) {
		if hasParameter(k.TypesInfo, functionType(f.Node()), ofOneCall) {
			return false
		}
	}
	cur := withoutParens(literal)
	if c, ok := cur.Parent().Node().(*ast.CallExpr); ok && k.TypesInfo.Types[c.Fun].IsType() { // http.HandlerFunc(…)
		cur = withoutParens(cur.Parent())
	}
	switch n := cur.Parent().Node().(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.CallExpr:
		f := typeutil.StaticCallee(k.TypesInfo, n)
		return f != nil && f.Pkg() != nil && f.Pkg().Path() == "net/http" && strings.HasPrefix(f.Name(), "Handle")
	}
	return false
}

// checkGoroutine reports the session of a request in a goroutine that nothing
// waits for.
func (k *keeper) checkGoroutine(cur inspector.Cursor, n *ast.CallExpr) {
	used := k.usedBy(cur, n)
	function, ok := outermost(cur)
	if used == nil || !ok || hasConnection(k.TypesInfo, function) || k.waits(cur) || k.signals(cur, n) {
		return
	}
	report(k.Pass, used, nil,
		"this goroutine may use the session after its request is answered, when the session is closed: read what it needs before it starts, or wait for it")
}

// usedBy returns where a goroutine uses the session of the request around it.
func (k *keeper) usedBy(cur inspector.Cursor, n *ast.CallExpr) ast.Node {
	for at := range cur.Preorder((*ast.Ident)(nil), (*ast.CallExpr)(nil)) {
		switch e := at.Node().(type) {
		case *ast.Ident:
			v := variable(k.TypesInfo, e)
			if v == nil || within(n, v.Pos()) {
				continue
			}
			isSession := k.variables[v] == ofRequest && pointedSession(v.Type()) != nil
			function := k.functions[v]
			if (isSession || function.Valid() && k.usesSession(function)) && k.runsLater(at, n) {
				return e
			}
		case *ast.CallExpr:
			if isFrom(k.TypesInfo, e) && k.runsLater(at, n) {
				return e
			}
		}
	}
	return nil
}

// usesSession reports whether a function is a method of the session of a request, or a
// literal that uses one of around it.
func (k *keeper) usesSession(function inspector.Cursor) bool {
	if selector, ok := ast.Unparen(function.Node().(ast.Expr)).(*ast.SelectorExpr); ok {
		selection := k.TypesInfo.Selections[selector]
		return selection != nil && selection.Kind() == types.MethodVal && pointedSession(k.TypesInfo.TypeOf(selector.X)) != nil &&
			k.ofValue(k.TypesInfo, selector.X) == ofRequest
	}
	for at := range function.Preorder((*ast.Ident)(nil), (*ast.CallExpr)(nil)) {
		switch e := at.Node().(type) {
		case *ast.Ident:
			v := variable(k.TypesInfo, e)
			if v != nil && k.variables[v] == ofRequest && pointedSession(v.Type()) != nil && !within(function.Node(), v.Pos()) {
				return true
			}
		case *ast.CallExpr:
			if isFrom(k.TypesInfo, e) {
				return true
			}
		}
	}
	return false
}

// startedIn returns the group in which a call starts a goroutine, or nil.
func (k *keeper) startedIn(n *ast.CallExpr) ast.Expr {
	selector, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != "Go" || len(n.Args) != 1 {
		return nil
	}
	f := typeutil.StaticCallee(k.TypesInfo, n)
	if f == nil || f.Pkg() == nil || f.Pkg().Path() != "sync" && f.Pkg().Path() != "golang.org/x/sync/errgroup" {
		return nil
	}
	return selector.X
}

// leaves reports whether nobody can wait for a group before the request is answered:
// it outlives that, or is a variable of the function with which that does nothing else.
func (k *keeper) leaves(cur inspector.Cursor, group ast.Expr) bool {
	v, _ := k.rootOf(group)
	function, ok := outermost(cur)
	switch {
	case v == nil || !ok:
		return false
	case v.Kind() != types.LocalVar:
		return k.outlives(cur, v) != ""
	}
	for at := range function.Preorder((*ast.Ident)(nil)) {
		if k.TypesInfo.Uses[at.Node().(*ast.Ident)] == v && !k.isGroupCall(at) {
			return false
		}
	}
	return true
}

// isGroupCall reports whether a group is only named to add to it.
func (k *keeper) isGroupCall(at inspector.Cursor) bool {
	if at.ParentEdgeKind() != edge.SelectorExpr_X {
		return false
	}
	switch at.Parent().Node().(*ast.SelectorExpr).Sel.Name {
	case "Go", "Add", "Done", "SetLimit":
		return true
	}
	return false
}

// runsLater reports whether a place in a call that starts a goroutine is in that rather
// than evaluated before it, or is a session or a function that is handed to it.
func (k *keeper) runsLater(at inspector.Cursor, n *ast.CallExpr) bool {
	for f := range at.Enclosing((*ast.FuncLit)(nil)) {
		if within(n, f.Node().Pos()) {
			return true
		}
		break
	}
	at = withoutParens(at)
	if at.Parent().Node() == n {
		return true // an argument, or what is called
	}
	return at.ParentEdgeKind() == edge.SelectorExpr_X && at.Parent().Parent().Node() == n // go s.Save(ctx)
}

// waits reports whether the functions around a statement wait for others: what
// they have started may well be done before they return.
func (k *keeper) waits(statement inspector.Cursor) bool {
	function, _ := outermost(statement)
	for cur := range function.Preorder((*ast.CallExpr)(nil), (*ast.UnaryExpr)(nil), (*ast.RangeStmt)(nil), (*ast.SelectStmt)(nil), (*ast.ForStmt)(nil)) {
		if statement.Contains(cur) {
			continue
		}
		switch n := cur.Node().(type) {
		case *ast.CallExpr:
			if calledName(n) == "Wait" {
				return true
			}
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				return true
			}
		case *ast.RangeStmt:
			if isChannel(k.TypesInfo.TypeOf(n.X)) {
				return true
			}
		case *ast.ForStmt:
			if n.Cond == nil {
				return true
			}
		case *ast.SelectStmt:
			return true
		}
	}
	return false
}

// signals reports whether a goroutine may tell somebody that it is done.
func (k *keeper) signals(statement inspector.Cursor, n *ast.CallExpr) bool {
	for _, argument := range n.Args {
		t := k.TypesInfo.TypeOf(argument)
		_, isFunc := t.Underlying().(*types.Signature)
		if isFunc && k.startedIn(n) == nil || isChannel(t) || isPointerTo(t, "sync", "WaitGroup") {
			return true
		}
	}
	for cur := range statement.Preorder((*ast.CallExpr)(nil), (*ast.SendStmt)(nil)) {
		c, ok := cur.Node().(*ast.CallExpr)
		if !ok {
			return true
		}
		switch calledName(c) {
		case "Done", "Signal", "Broadcast", "Release", "close":
			return true
		}
	}
	return false
}

func isChannel(t types.Type) bool {
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Chan)
	return ok
}
