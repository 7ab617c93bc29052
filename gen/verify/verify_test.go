package verify_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/gen/verify"
)

// world is an importer of packages that are written down here. Only those that
// are offered can be imported; others can be referred to by them.
type world struct {
	sources map[string]string
	offered map[string]bool
	made    map[string]*types.Package
}

func newWorld(sources map[string]string, offered ...string) *world {
	w := &world{sources: sources, offered: map[string]bool{}, made: map[string]*types.Package{}}
	for _, path := range offered {
		w.offered[path] = true
	}
	return w
}

func (w *world) Import(path string) (*types.Package, error) {
	if !w.offered[path] {
		return nil, errors.New("not offered")
	}
	return w.make(path)
}

func (w *world) make(path string) (*types.Package, error) {
	if pkg := w.made[path]; pkg != nil {
		return pkg, nil
	}
	source, ok := w.sources[path]
	if !ok {
		return nil, fmt.Errorf("no package %s", path)
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, source, 0)
	if err != nil {
		return nil, err
	}
	config := types.Config{Importer: importerFunc(w.make), IgnoreFuncBodies: true}
	pkg, err := config.Check(path, fset, []*ast.File{file}, nil)
	w.made[path] = pkg
	return pkg, err
}

type importerFunc func(string) (*types.Package, error)

func (f importerFunc) Import(path string) (*types.Package, error) { return f(path) }

// check checks one hand-written and one generated file.
func check(t *testing.T, hand, generated string, imp types.Importer) []string {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "session.go", hand, parser.AllErrors)
	if file == nil {
		t.Fatal(err)
	}
	errs := verify.Check(fset, "example.com/shop", "shop", []*ast.File{file}, imp, map[string][]byte{
		"session_duckgen.go": []byte(generated),
	})
	var texts []string
	for _, err := range errs {
		texts = append(texts, err.Error())
	}
	return texts
}

func TestErrorsOfGeneratedFilesHaveTheirPlaceAndSource(t *testing.T) {
	tests := []struct {
		name      string
		hand      string
		generated string
		want      []string
	}{
		{
			"a correct file has none",
			"package shop\ntype Visitor struct{ Name string }",
			"package shop\nvar _ = struct{ Name string }(Visitor{})",
			nil,
		},
		{
			"several are reported in the order of their places",
			"package shop",
			"package shop\nvar _ int = \"x\"\n\tvar _ = missing\n",
			[]string{
				"session_duckgen.go:2:13: cannot use \"x\" (untyped string constant) as int value in variable declaration\n\tvar _ int = \"x\"",
				"session_duckgen.go:3:10: undefined: missing\n\tvar _ = missing",
			},
		},
		{
			"bodies are checked",
			"package shop",
			"package shop\nfunc f() int {\n\tx := 1\n\treturn \"\"\n}",
			[]string{
				"session_duckgen.go:3:2: declared and not used: x\n\tx := 1",
				"session_duckgen.go:4:9: cannot use \"\" (untyped string constant) as int value in return statement\n\treturn \"\"",
			},
		},
		{
			"a struct that has changed breaks its guard",
			"package shop\ntype Visitor struct{ Name string; Age int }",
			"package shop\nvar _ = struct{ Name string }(Visitor{})",
			[]string{"session_duckgen.go:2:31: cannot convert Visitor{} (value of struct type Visitor) to type struct{Name string}" +
				"\n\tvar _ = struct{ Name string }(Visitor{})"},
		},
		{
			"a name that is declared by hand as well is reported at the generated one",
			"package shop\nvar visitorModel int",
			"package shop\nvar visitorModel string",
			[]string{"session_duckgen.go:2:5: visitorModel redeclared in this block\n\tvar visitorModel string"},
		},
		{
			"a syntax error is one",
			"package shop",
			"package shop\nfunc {",
			[]string{"session_duckgen.go:2:6: expected 'IDENT', found '{'\n\tfunc {"},
		},
		{
			"an unused import is one",
			"package shop",
			"package shop\nimport \"time\"",
			[]string{"session_duckgen.go:2:8: \"time\" imported and not used\n\timport \"time\""},
		},
		{
			"an unknown package is one",
			"package shop",
			"package shop\nimport _ \"example.com/nowhere\"",
			[]string{"session_duckgen.go:2:10: could not import example.com/nowhere (no such package here)" +
				"\n\timport _ \"example.com/nowhere\""},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, check(t, tt.hand, tt.generated, nil)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorsOfHandWrittenFilesAreNotReported(t *testing.T) {
	for name, hand := range map[string]string{
		"an undefined type":                   "package shop\ntype Visitor struct{ A int }\nvar x Missing",
		"what is not generated yet":           "package shop\ntype Visitor struct{ A int }\nfunc f(s *VisitorSession) {}",
		"an unused import":                    "package shop\nimport \"example.com/nowhere\"\ntype Visitor struct{ A int }",
		"cgo":                                 "package shop\nimport \"C\"\ntype Visitor struct{ A int }\nvar n C.int",
		"functions whose bodies are stripped": "package shop\ntype Visitor struct{ A int }\nfunc f[T any](T) int\nfunc init()",
	} {
		t.Run(name, func(t *testing.T) {
			generated := "package shop\ntype VisitorSession struct{}\nvar _ = struct{ A int }(Visitor{})"
			if got := check(t, hand, generated, nil); got != nil {
				t.Errorf("got %q", got)
			}
		})
	}
}

// usesTime is generated code that needs the very time.Time that a type of
// another package has, and things of package time that this one does not.
const usesTime = `package shop
import (
	"time"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/codec"
)
var _ = codec.Member("At", codec.Time(), func(v *Visitor) *time.Time { return &v.At })
var _ = codec.Struct(codec.Member("At", codec.Time(), func(v *Event) *time.Time { return &v.At }))
func _(s *runtime.Session) time.Time { return s.CreatedAt() }
const _ = 5 * time.Hour
`

func TestTypesAreTheSameWhereverTheirPackageComesFrom(t *testing.T) {
	sources := map[string]string{
		"time": "package time\ntype Time struct{ wall int }\nfunc (t Time) Compare(u Time) int\n" +
			"type Duration int64\nconst Hour Duration = 3600e9\ntype Month int",
		"example.com/event": "package event\nimport \"time\"\ntype Event struct{ At time.Time }",
		"example.com/bare":  "package bare\ntype Event struct{ At int }",
	}
	const byHand = `package shop
import ("example.com/event"; "time")
type Event = event.Event
type Visitor struct { At time.Time }
`
	t.Run("the importer has the package", func(t *testing.T) {
		if got := check(t, byHand, usesTime, newWorld(sources, "time", "example.com/event")); got != nil {
			t.Errorf("got %q", got)
		}
	})
	t.Run("the importer only refers to it", func(t *testing.T) {
		if got := check(t, byHand, usesTime, newWorld(sources, "example.com/event")); got != nil {
			t.Errorf("got %q", got)
		}
	})
	t.Run("the importer does not know it", func(t *testing.T) {
		hand := "package shop\nimport \"time\"\ntype Visitor struct { At time.Time }\ntype Event struct { At time.Time }"
		if got := check(t, hand, usesTime, newWorld(sources, "example.com/bare")); got != nil {
			t.Errorf("got %q", got)
		}
	})
}

func TestATypeOfAPackageThatIsOnlyReferredToCanBeNamed(t *testing.T) {
	sources := map[string]string{
		"example.com/money": "package money\ntype Amount struct { Cents int64 }",
		"example.com/order": "package order\nimport \"example.com/money\"\ntype Order struct { Total money.Amount }",
	}
	hand := "package shop\nimport \"example.com/order\"\ntype Visitor struct { Last order.Order }"
	generated := "package shop\nimport \"example.com/money\"\nfunc _(v *Visitor) *money.Amount { return &v.Last.Total }"
	if got := check(t, hand, generated, newWorld(sources, "example.com/order")); got != nil {
		t.Errorf("got %q", got)
	}
}

// Export data has of another package only what it refers to: here the type of a
// group of constants, without the constants.
func TestAPackageThatIsReferredToIsCompletedButNotChanged(t *testing.T) {
	http := types.NewPackage("net/http", "http")
	sameSite := types.NewTypeName(token.NoPos, http, "SameSite", nil)
	types.NewNamed(sameSite, types.Typ[types.Int], nil)
	http.Scope().Insert(sameSite)
	handler := types.NewTypeName(token.NoPos, http, "Handler", nil) // a declaration of its own
	types.NewNamed(handler, types.NewInterfaceType(nil, nil).Complete(), nil)
	http.Scope().Insert(handler)
	config := types.NewPackage("example.com/config", "config")
	config.Scope().Insert(types.NewVar(token.NoPos, config, "Site", sameSite.Type()))
	config.SetImports([]*types.Package{http})
	config.MarkComplete()
	imp := importerFunc(func(path string) (*types.Package, error) {
		switch path {
		case config.Path():
			return config, nil
		case http.Path():
			return http, nil // as it is, incomplete
		}
		return nil, errors.New("not offered")
	})
	hand := "package shop\nimport _ \"example.com/config\""
	generated := `package shop
import ("net/http"; "example.com/config")
var _ = [1]int{}[http.SameSiteStrictMode - 3]
func _() { config.Site = http.SameSiteStrictMode }
func _(w http.ResponseWriter) http.Handler { return nil }
`
	if got := check(t, hand, generated, imp); got != nil {
		t.Errorf("got %q", got)
	}
	if names := http.Scope().Names(); len(names) != 2 {
		t.Errorf("the importer's package has %q now", names)
	}
}

func TestChecksRunConcurrently(t *testing.T) {
	source := strings.ReplaceAll(usesTime, "Event", "Visitor")
	hand := "package shop\nimport \"time\"\ntype Visitor struct { At time.Time }"
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if got := check(t, hand, source, nil); got != nil {
				t.Errorf("got %q", got)
			}
		})
	}
	group.Wait()
}
