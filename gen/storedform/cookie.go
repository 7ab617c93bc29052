package storedform

import (
	"go/ast"
	"go/token"
	"strconv"
	"strings"

	"github.com/duckgen/duckgen/runtime"
)

// A Cookie is the name and the scope of the cookie that carries the token, as far as
// the directive decides.
type Cookie struct {
	Name        string // empty: it is not known
	Domain      string // empty: host-only
	Path        string
	Partitioned bool
}

// cookieOf returns the cookie of a configuration.
func cookieOf(configure func(*runtime.Config)) Cookie {
	config, _ := runtime.Configure(configure) // what is wrong in it is a finding of its own
	c := config.Cookie
	return Cookie{Name: c.Name, Domain: strings.ToLower(c.Domain), Path: c.Path, Partitioned: c.Partitioned}
}

// Scope writes where browsers send the cookie, as in a Set-Cookie line.
func (c Cookie) Scope() string {
	scope := "Path=" + c.Path
	if c.Domain != "" {
		scope += "; Domain=" + c.Domain
	}
	if c.Partitioned {
		scope += "; Partitioned"
	}
	return scope
}

// cookies returns the cookies of the sessions of a generated file, by the names of
// their models:
//
//	runtime.NewManager(visitorModel, store, func(c *runtime.Config) {
//		c.Cookie.Name = "sid"
//	}, configure...)
func cookies(file *ast.File) map[string]Cookie {
	found := map[string]Cookie{}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 3 {
			return true
		}
		function, ok := call.Fun.(*ast.SelectorExpr)
		model, isName := call.Args[0].(*ast.Ident)
		if ok && isName && function.Sel.Name == "NewManager" {
			found[model.Name] = cookieOf(func(c *runtime.Config) { configure(&c.Cookie, call.Args[2]) })
		}
		return true
	})
	return found
}

// configure sets what the assignments of a function set of a cookie.
func configure(c *runtime.Cookie, function ast.Expr) {
	literal, ok := function.(*ast.FuncLit)
	if !ok {
		return
	}
	for _, statement := range literal.Body.List {
		if s, ok := statement.(*ast.AssignStmt); ok && len(s.Lhs) == 1 && len(s.Rhs) == 1 {
			assign(c, s.Lhs[0], s.Rhs[0])
		}
	}
}

// assign makes an assignment to a part of the cookie, as c.Cookie.Path = "/".
func assign(c *runtime.Cookie, to, value ast.Expr) {
	member, ok := to.(*ast.SelectorExpr)
	if !ok {
		return
	}
	if of, ok := member.X.(*ast.SelectorExpr); !ok || of.Sel.Name != "Cookie" {
		return
	}
	switch member.Sel.Name {
	case "Name":
		c.Name = text(value)
	case "Path":
		c.Path = text(value)
	case "Domain":
		c.Domain = text(value)
	case "Secure":
		c.Secure = isTrue(value)
	case "HTTPOnly":
		c.HTTPOnly = isTrue(value)
	case "Partitioned":
		c.Partitioned = isTrue(value)
	}
}

func text(value ast.Expr) string {
	literal, ok := value.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	s, _ := strconv.Unquote(literal.Value) // it parses
	return s
}

func isTrue(value ast.Expr) bool {
	name, ok := value.(*ast.Ident)
	return ok && name.Name == "true"
}
