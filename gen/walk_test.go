package gen

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

const (
	walk      = "../docs/generated.md"
	walked    = "../examples/shop/session/session_duckgen.go"
	walkedFor = "../examples/shop/session/session.go"
)

var quote = regexp.MustCompile("(?s)<!-- part: ([^\n]+) -->\n```go\n(.*?)```\n")

// TestTheWalkQuotesTheRealFile holds the quotes of docs/generated.md to the
// generated file that they are from. With -update they are taken from there.
func TestTheWalkQuotesTheRealFile(t *testing.T) {
	parts := partsOf(t, walked)
	parts["source"] = partsOf(t, walkedFor)["Visitor"]
	text, quotes := readFile(t, walk), 0
	current := quote.ReplaceAllStringFunc(text, func(block string) string {
		quotes++
		name := quote.FindStringSubmatch(block)[1]
		part, ok := parts[name]
		if !ok {
			t.Errorf("%s quotes %s, which is not in the file", walk, name)
			return block
		}
		return "<!-- part: " + name + " -->\n```go\n" + part + "\n```\n"
	})
	if quotes < 20 || quotes != strings.Count(text, "```go\n") {
		t.Errorf("%d quotes name their part; there are %d blocks of Go", quotes, strings.Count(text, "```go\n"))
	}
	switch {
	case current == text:
	case *update:
		writeFile(t, walk, current)
	default:
		t.Errorf("%s does not quote %s as it is: run go test ./gen -run Walk -update and read what it says about them", walk, walked)
	}
}

// partsOf returns the declarations of a file with their comments, by name: what
// is declared in a group without the group's indentation, methods as Type.Name,
// and everything up to the imports as head.
func partsOf(t *testing.T, file string) map[string]string {
	t.Helper()
	source := readFile(t, file)
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	cut := func(doc *ast.CommentGroup, node ast.Node) string {
		from := node.Pos()
		if doc != nil {
			from = doc.Pos()
		}
		return source[fset.Position(from).Offset:fset.Position(node.End()).Offset]
	}
	for _, decl := range parsed.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			parts[functionName(d)] = cut(d.Doc, d)
		case *ast.GenDecl:
			if d.Tok == token.IMPORT {
				parts["head"] = source[:fset.Position(d.End()).Offset]
				continue
			}
			for _, spec := range d.Specs {
				if d.Lparen.IsValid() {
					parts[specName(d.Tok, spec)] = strings.ReplaceAll(cut(nil, spec), "\n\t", "\n")
				} else {
					parts[specName(d.Tok, spec)] = cut(d.Doc, d)
				}
			}
		}
	}
	return parts
}

func functionName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	receiver := d.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	return receiver.(*ast.Ident).Name + "." + d.Name.Name
}

// specName is the name of what is declared, with the keyword where that is no
// name.
func specName(keyword token.Token, spec ast.Spec) string {
	if s, ok := spec.(*ast.TypeSpec); ok {
		return s.Name.Name
	}
	name := spec.(*ast.ValueSpec).Names[0].Name
	if name == "_" {
		return keyword.String() + " _"
	}
	return name
}
