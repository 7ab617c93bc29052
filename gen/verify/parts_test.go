package verify_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"testing"

	"github.com/duckgen/duckgen/gen/verify"
)

const partsHome = `package shop

import mine "context"

type Address struct{ Street string }

func (a Address) Line() string { return a.Street }

func taken()

var _ mine.Context
`

// homeOf type-checks hand-written code.
func homeOf(t *testing.T, source string) *types.Package {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "shop.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	config := types.Config{Importer: verify.Described(), Error: func(error) {}}
	pkg, _ := config.Check("example.com/shop", fset, []*ast.File{file}, nil)
	return pkg
}

func part(head, body string, shares ...string) verify.Part {
	return verify.Part{Head: []byte("package shop\n" + head), Body: []byte(body), Shares: shares}
}

func generated(imports string, parts ...verify.Part) verify.File {
	return verify.File{Content: []byte("package shop\n" + imports), Parts: parts}
}

func TestPartsCompileWhereTheWholeDoes(t *testing.T) {
	const clock, text = "import \"time\"\n", "import duckcontext \"context\"\n"
	shared := part("", "var first = Address{Street: second}.Line()\n", "first")
	for name, c := range map[string]struct {
		files []verify.File
		want  bool
	}{
		"each on its own": {[]verify.File{generated(clock+text,
			part(clock, "func a() time.Time { return time.Time{} }\n"),
			part(text, "func b(ctx duckcontext.Context, v Address) string { return v.Line() }\n"))}, true},
		"a later one needs an earlier one": {[]verify.File{generated("",
			part("", "var second = \"x\"\n", "second"), shared, part("", "func a() string { return first }\n"))}, true},
		"another file needs an earlier one": {[]verify.File{
			generated("", part("", "var second = \"x\"\n", "second")), generated("", shared)}, true},
		"what is needed is not shared":    {[]verify.File{generated("", part("", "var second = \"x\"\n"), shared)}, false},
		"what is needed comes later":      {[]verify.File{generated("", shared, part("", "var second = \"x\"\n", "second"))}, false},
		"a wrong type in a body":          {[]verify.File{generated("", part("", "func a() int { return Address{}.Line() }\n"))}, false},
		"an undefined name":               {[]verify.File{generated("", part("", "var a = b\n"))}, false},
		"no Go":                           {[]verify.File{generated("", part("", "func a( {\n"))}, false},
		"a name of the package":           {[]verify.File{generated("", part("", "func taken() {}\n"))}, false},
		"a name of another part":          {[]verify.File{generated("", part("", "func a() {}\n"), part("", "type a int\n"))}, false},
		"a name of another file":          {[]verify.File{generated("", part("", "func a() {}\n")), generated("", part("", "type a int\n"))}, false},
		"a name of an import":             {[]verify.File{generated(clock, part(clock, "var _ time.Time\n"), part("", "func time() {}\n"))}, false},
		"a name of a hand-written import": {[]verify.File{generated("", part("", "func mine() {}\n"))}, false},
		"an import that no part has":      {[]verify.File{generated(clock, part("", "func a() {}\n"))}, false},
		"an import that the file lacks":   {[]verify.File{generated("", part(clock, "var _ time.Time\n"))}, false},
		"an import under another name":    {[]verify.File{generated("import x \"time\"\n", part(clock, "var _ time.Time\n"))}, false},
		"an import that is not used":      {[]verify.File{generated(clock, part(clock, "func a() {}\n"))}, false},
		"an import that nobody knows":     {[]verify.File{generated("import \"x.org/y\"\n", part("import \"x.org/y\"\n", "var _ y.T\n"))}, false},
		"a variable that is not used":     {[]verify.File{generated("", part("", "func a() { b := 1 }\n"))}, false},
		"a method twice":                  {[]verify.File{generated("", part("", "type a int\nfunc (a) b() {}\nfunc (a) b() {}\n"))}, false},
	} {
		if got := verify.Parts(homeOf(t, partsHome), verify.Described(), c.files); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
