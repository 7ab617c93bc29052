package storedform

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
)

// Read returns the stored forms of a generated file, in the order of its
// sessions. The file need not compile. Its name is for the message of an error.
func Read(filename string, content []byte) ([]Form, error) {
	file, err := parser.ParseFile(token.NewFileSet(), filename, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var forms []Form
	kept := cookies(file)
	for _, decl := range file.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		name, session, kind, ok := model(d)
		if !ok {
			continue
		}
		form, err := parse(linesOf(d.Doc))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filename, err)
		}
		form.Session, form.Kind, form.Cookie = session, kind, kept[name]
		forms = append(forms, form)
	}
	return forms, nil
}

// model returns what a model is made with, if the declaration is one:
//
//	var visitorModel = runtime.NewModel("kind", func(…) VisitorSession {…}, …)
func model(decl *ast.GenDecl) (name, session, kind string, ok bool) {
	name, call := valueOf(decl)
	if call == nil || len(call.Args) < 2 {
		return "", "", "", false
	}
	function, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || function.Sel.Name != "NewModel" {
		return "", "", "", false
	}
	literal, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return "", "", "", false
	}
	kind, err := strconv.Unquote(literal.Value)
	return name, resultOf(call.Args[1]), kind, err == nil
}

// valueOf returns the only variable of a declaration, and the call whose result is
// its value.
func valueOf(decl *ast.GenDecl) (name string, call *ast.CallExpr) {
	if decl.Tok != token.VAR || len(decl.Specs) != 1 {
		return "", nil
	}
	spec, ok := decl.Specs[0].(*ast.ValueSpec)
	if !ok || len(spec.Values) != 1 {
		return "", nil
	}
	call, _ = spec.Values[0].(*ast.CallExpr)
	return spec.Names[0].Name, call
}

// resultOf returns the name of the type that a function literal returns.
func resultOf(expr ast.Expr) string {
	function, ok := expr.(*ast.FuncLit)
	if !ok || function.Type.Results == nil {
		return ""
	}
	name, ok := function.Type.Results.List[0].Type.(*ast.Ident)
	if !ok {
		return ""
	}
	return name.Name
}

// linesOf returns the indented lines of a comment.
func linesOf(doc *ast.CommentGroup) []string {
	if doc == nil {
		return nil
	}
	var lines []string
	for _, comment := range doc.List {
		if line, ok := strings.CutPrefix(comment.Text, "//\t"); ok {
			lines = append(lines, strings.TrimRight(line, "\r"))
		}
	}
	return lines
}
