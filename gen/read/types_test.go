package read

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/gen/load"
)

// checked returns a package that imports nothing, and its file.
func checked(t *testing.T, text string) (*types.Package, *ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "source.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := new(types.Config).Check("example.com/source", fset, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pkg, file
}

func TestInternalPackagesAreImportedByTheGoCommandsRule(t *testing.T) {
	for path, want := range map[string]bool{
		"example.com/other":           true,
		"example.com/internal/x":      true,
		"example.com/shop/internal":   true,
		"example.com/shop/internal/x": true,
		"example.com/stock/internal":  false,
		"internal/abi":                false,
		"vendor/golang.org/x/net":     false,
	} {
		if got := importable(path, "example.com/shop"); got != want {
			t.Errorf("%s is importable: %v, want %v", path, got, want)
		}
	}
}

func TestSuggestedKeysHaveTheWordsOfTheName(t *testing.T) {
	for name, want := range map[string]string{
		"UserID": "user_id", "IDs": "ids", "UserIDs": "user_ids", "IDsSeen": "ids_seen", "HTTPServer": "http_server", "ASsh": "a_ssh",
	} {
		if got := snakeCase(name); got != want {
			t.Errorf("%s suggests %s, want %s", name, got, want)
		}
	}
}

func TestOnlyTheTimeOfPackageTimeIsTime(t *testing.T) {
	pkg, _ := checked(t, "package source\ntype Time struct { wall, ext int }\n")
	if got := timeUnderlying(pkg.Scope().Lookup("Time").Type().(*types.Named)); got != nil {
		t.Errorf("a type of another package is taken for time.Time: %v", got)
	}
}

func TestALockIsFoundWhereItWouldBeCopied(t *testing.T) {
	pkg, _ := checked(t, `package source
type lock struct{}
func (*lock) Lock() {}
func (*lock) Unlock() {}
type (
	Held struct { L lock }
	List []lock
	Map map[string]lock
	Array [2]lock
	Behind struct { List []lock; Map map[string]lock; Pointer *lock }
	Locker interface { Lock(); Unlock() }
	Abstract struct { Any Locker; Pointer *Locker; Embedded struct{ Locker } }
	half struct{}
	other struct{}
	Halves struct { A half; B other }
)
func (*half) Lock() {}
func (*other) Lock() int { return 0 }
func (*other) Unlock(bool) {}`)
	r := &resolver{home: pkg, unlocked: map[types.Type]bool{}}
	for name, want := range map[string]string{"Held": "v.L", "List": "v[]", "Map": "v[]", "Array": "v[]", "Behind": "", "Abstract": "", "Halves": ""} {
		if _, got := r.lockIn(pkg.Scope().Lookup(name).Type(), "v", true); got != want {
			t.Errorf("in a %s a lock is found at %q, want %q", name, got, want)
		}
	}
}

func TestATypeMarshalsItselfByMethodsOfExactlyTheRightTypes(t *testing.T) {
	for methods, want := range map[[2]string]bool{
		{"MarshalText() ([]byte, error)", "UnmarshalText([]byte) error"}:         true,
		{"MarshalText() (string, error)", "UnmarshalText([]byte) error"}:         false,
		{"MarshalText() ([]byte, bool)", "UnmarshalText([]byte) error"}:          false,
		{"MarshalText() ([]byte, error)", "UnmarshalText(string) error"}:         false,
		{"MarshalText() ([]byte, error)", "UnmarshalText(...byte) error"}:        false,
		{"MarshalText() ([]byte, error)", "UnmarshalText([]byte, []byte) error"}: false,
		{"MarshalText() ([]byte, error)", "Unmarshal([]byte) error"}:             false,
		{"MarshalBinary() ([]byte, error)", "UnmarshalBinary([]byte) error"}:     false,
	} {
		text := fmt.Sprintf("package source\ntype T int\nfunc (*T) %s { panic(0) }\nfunc (*T) %s { panic(0) }\n", methods[0], methods[1])
		pkg, _ := checked(t, text)
		if got := marshalsItself(pkg.Scope().Lookup("T").Type().(*types.Named), "Text"); got != want {
			t.Errorf("%s: %v, want %v", methods, got, want)
		}
	}
}

func TestGeneratedTypesAreNamedAfterTheirStructs(t *testing.T) {
	pkg, _ := checked(t, "package source\ntype Visitor struct{}\n")
	r := &reader{pkg: &load.Package{Types: pkg}}
	for name, want := range map[string]bool{
		"VisitorSession": true, "VisitorSessions": true, "Visitors": false, "BasketSession": false, "other.VisitorSession": false,
	} {
		if got := r.isGenerated(name); got != want {
			t.Errorf("%s is generated: %v, want %v", name, got, want)
		}
	}
}

func TestEveryNameOfAFieldHasItsTag(t *testing.T) {
	_, file := checked(t, "package source\ntype E struct{}\ntype F struct{}\ntype S struct {\n A, B int `ab`\n C int\n E `e`\n *F `f`\n}\n")
	tags, got := tagLiterals([]*ast.File{file}), map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && tags[id.Pos()] != nil {
			got[id.Name] = tags[id.Pos()].Value
		}
		return true
	})
	if diff := gocmp.Diff(map[string]string{"A": "`ab`", "B": "`ab`", "E": "`e`", "F": "`f`"}, got); diff != "" {
		t.Errorf("other tags (-want +got):\n%s", diff)
	}
}
