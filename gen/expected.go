package gen

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"regexp"
	"strconv"

	"github.com/duckgen/duckgen/templates"
)

// storedCall is where a check begins, whatever the package is called.
var storedCall = regexp.MustCompile(`\b\w*codectest\.(Stored|Key)\(`)

// expectedIn returns what a test of the stored form expects. The test need not
// parse: what stands between conflict markers counts, and of two calls for one
// value the first.
func expectedIn(test []byte) []templates.Expected {
	var expected []templates.Expected
	for _, at := range storedCall.FindAllIndex(test, -1) {
		call, ok := callAt(test[at[0]:])
		if !ok || len(call.Args) < 5 {
			continue
		}
		variable, isVariable := variableOf(call.Args[2])
		key, isText := literals(call.Args[1:2])
		texts, areTexts := literals(call.Args[4:])
		if isVariable && isText && areTexts {
			expected = append(expected, templates.Expected{Variable: variable, Key: key[0], Texts: texts})
		}
	}
	return expected
}

// callAt parses the call that a text begins with.
func callAt(text []byte) (*ast.CallExpr, bool) {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(text))
	s.Init(file, text, nil, 0)
	for depth := 0; ; {
		pos, tok, _ := s.Scan()
		switch tok {
		case token.EOF:
			return nil, false
		case token.LPAREN:
			depth++
		case token.RPAREN:
			depth--
			if depth > 0 {
				continue
			}
			expr, _ := parser.ParseExpr(string(text[:file.Offset(pos)+1]))
			call, ok := expr.(*ast.CallExpr)
			return call, ok
		}
	}
}

// variableOf returns the variable of the field that a check is about, as in
// visitorName.Codec.
func variableOf(expr ast.Expr) (string, bool) {
	selector, ok := expr.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	id, ok := selector.X.(*ast.Ident)
	if !ok {
		return "", false
	}
	return id.Name, true
}

func literals(args []ast.Expr) ([]string, bool) {
	var texts []string
	for _, arg := range args {
		literal, ok := arg.(*ast.BasicLit)
		if !ok {
			return nil, false
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}
