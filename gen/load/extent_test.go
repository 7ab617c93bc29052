package load

import (
	"fmt"
	"go/ast"
	goparser "go/parser"
	"go/token"
	"strings"
	"testing"
	"time"
)

// doubling is n types each of which has the one before twice.
func doubling(n int, format string) string {
	var b strings.Builder
	b.WriteString("package p\n\ntype P[X, Y any] struct{ A X; B Y }\ntype Phantom[X, Y any] struct{}\ntype T0 int\n")
	for i := range n {
		fmt.Fprintf(&b, format+"\n", i+1, i)
	}
	return b.String()
}

func TestWhatTheTypeCheckerCannotCopeWithIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		want   string // part of the finding; empty: it is fine
	}{
		"structs":             {doubling(24, "type T%d struct{ A, B T%d }"), "parts"},
		"a few structs":       {doubling(14, "type T%d struct{ A, B T%d }"), ""},
		"behind slices":       {doubling(24, "type T%d struct{ A, B []T%d }"), ""},
		"arrays":              {doubling(24, "type T%d [2]struct{ A, B T%d }"), "parts"},
		"aliases":             {doubling(24, "type T%d = struct{ A, B T%[2]d }"), "parts"},
		"aliases to slices":   {doubling(24, "type T%d = struct{ A, B []T%[2]d }"), "parts"},
		"arguments":           {doubling(24, "type T%d = P[T%[2]d, T%[2]d]"), "parts"},
		"unused arguments":    {doubling(24, "type T%d = Phantom[T%[2]d, T%[2]d]"), "parts"},
		"interfaces":          {doubling(24, "type T%d interface{ T%[2]d; m(); interface{ T%[2]d } }"), "parts"},
		"another generic":     {"package p\ntype L[X any] struct{ A, B X }\ntype T " + strings.Repeat("L[", 20) + "int" + strings.Repeat("]", 20), "parts"},
		"declared twice":      {strings.Replace(doubling(24, "type T%d struct{ A, B T%[2]d }\ntype T%[1]d struct{ A, B *T%[2]d }"), "T0 int", "T0 uint", 1), "parts"},
		"one in itself":       {"package p\ntype T struct{ A T; B *T }", ""},
		"one that only grows": {"package p\ntype P[X any] struct{ A *P[[]X]; B *P[*X] }\ntype T P[int]", ""},
		"many slices":         {"package p\nvar _ " + strings.Repeat("[]", 3000) + "int", "nested"},
		"many structs":        {"package p\nfunc f(" + strings.Repeat("struct{ A ", 2000) + "int" + strings.Repeat(" }", 2000) + ")", "nested"},
		"many arguments":      {"package p\nvar _ " + strings.Repeat("P[", 2000) + "int" + strings.Repeat("]", 2000), "nested"},
		"a long sum":          {"package p\nvar _ = 1" + strings.Repeat(" + 1", 5000), ""},
	} {
		fset := token.NewFileSet()
		file, err := goparser.ParseFile(fset, "p.go", c.source, goparser.SkipObjectResolution)
		if err != nil {
			t.Fatal(name, err)
		}
		start := time.Now()
		files := []*ast.File{file}
		err = newMeasurer(files, func(string) *measurer { return nil }).check(fset, files)
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// TestMembersOfOtherPackagesCount has each half of a type in a package of its own.
func TestMembersOfOtherPackagesCount(t *testing.T) {
	parse := func(source string) []*ast.File {
		file, err := goparser.ParseFile(token.NewFileSet(), "p.go", source, goparser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		return []*ast.File{file}
	}
	none := func(string) *measurer { return nil }
	lower := newMeasurer(parse(doubling(12, "type T%d struct{ A, B T%d }")), none)
	upper := strings.NewReplacer("package p\n", "package p\n\nimport q \"example.com/q\"\n", "type T0 int", "type T0 struct{ A q.T12 }").
		Replace(doubling(12, "type T%d struct{ A, B T%d }"))
	files := parse(upper)
	for _, imported := range []func(string) *measurer{none, func(path string) *measurer {
		if path != "example.com/q" {
			t.Errorf("package %s is asked for", path)
		}
		return lower
	}} {
		err := newMeasurer(files, imported).check(token.NewFileSet(), files)
		if (err != nil) != (imported("example.com/q") != nil) {
			t.Errorf("with the other package known (%v): %v", imported("example.com/q") != nil, err)
		}
	}
}
