package gen

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/gen/schema"
)

// declaresWhatIsExpected holds the names by which clashes are judged to those that
// templates write.
func declaresWhatIsExpected(t *testing.T, result *Result) {
	t.Helper()
	for _, f := range result.Files {
		if f.Test {
			continue
		}
		want, got := expectedNames(f.Schema), declaredNames(t, f)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s declares other names (-expected +generated):\n%s", f.Path, diff)
		}
	}
}

// expectedNames returns the functions, by the type that they are methods of,
// that the schema says are generated.
func expectedNames(f *schema.File) map[string][]string {
	names := map[string][]string{}
	for _, s := range f.Sessions {
		n := s.Names()
		names[""] = append(names[""], n.New, n.From, n.With)
		methods := s.Methods()
		for _, field := range s.Fields {
			methods = append(methods, field.Methods()...)
		}
		names[n.Session] = methods
		names[n.Sessions] = s.SessionsMethods()
	}
	for _, list := range names {
		slices.Sort(list)
	}
	return names
}

func declaredNames(t *testing.T, f File) map[string][]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), f.Path, f.Content, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string][]string{}
	for _, decl := range file.Decls {
		function, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		receiver := ""
		if function.Recv != nil {
			typ := function.Recv.List[0].Type
			if pointer, ok := typ.(*ast.StarExpr); ok {
				typ = pointer.X
			}
			receiver = typ.(*ast.Ident).Name
		}
		names[receiver] = append(names[receiver], function.Name.Name)
	}
	for _, list := range names {
		slices.Sort(list)
	}
	return names
}
