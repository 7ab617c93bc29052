package duckvet

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"
)

// noteCall remembers who calls a function of the package, or one in a variable.
func (s *survey) noteCall(info *types.Info, cur inspector.Cursor) {
	c := cur.Node().(*ast.CallExpr)
	if f := typeutil.StaticCallee(info, c); f != nil {
		s.calls[f.Origin()] = append(s.calls[f.Origin()], cur)
	} else if v := variable(info, c.Fun); v != nil {
		s.calls[v] = append(s.calls[v], cur)
	}
}

// callsOf returns the calls of a function, as far as they are in its package and
// name it.
func (s *survey) callsOf(info *types.Info, function inspector.Cursor) []inspector.Cursor {
	if decl, ok := function.Node().(*ast.FuncDecl); ok {
		return s.calls[info.Defs[decl.Name]]
	}
	literal := withoutParens(function)
	if literal.ParentEdgeKind() == edge.CallExpr_Fun {
		return []inspector.Cursor{literal.Parent()}
	}
	if v := s.holderOf(info, literal); v != nil {
		return s.calls[v]
	}
	return nil
}

// holderOf returns the variable that an expression is assigned to, or nil.
func (s *survey) holderOf(info *types.Info, value inspector.Cursor) (v *types.Var) {
	note := func(to, from ast.Expr) {
		if from == value.Node() {
			v = variable(info, to)
		}
	}
	switch n := value.Parent().Node().(type) {
	case *ast.AssignStmt:
		eachAssignment(n.Lhs, n.Rhs, note)
	case *ast.ValueSpec:
		eachAssignment(expressions(n.Names), n.Values, note)
	}
	return v
}

// noteFunctions remembers the functions that an assignment puts into variables.
func (s *survey) noteFunctions(info *types.Info, assignment inspector.Cursor, places []ast.Expr) {
	for _, place := range places {
		v := variable(info, place)
		if v == nil {
			continue
		}
		if _, isFunction := v.Type().Underlying().(*types.Signature); !isFunction {
			continue
		}
		_, again := s.functions[v]
		s.functions[v] = inspector.Cursor{}
		for value := range assignment.Children() {
			if !again && s.holderOf(info, value) == v {
				s.functions[v] = value
			}
		}
	}
}
