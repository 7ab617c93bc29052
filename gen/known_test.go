package gen

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/gen/cache"
	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/load"
	"github.com/duckgen/duckgen/templates"
)

// knownModule is a module with as many sessions as it takes for the cache to be
// asked, half of them in a package of their own.
func knownModule(t *testing.T) string {
	t.Helper()
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", "")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(cache.Variable, filepath.Join(dir, ".cache"))
	writeFile(t, filepath.Join(dir, "go.mod"), "module example.com/known\n\ngo 1.26\n")
	for i := range worthKnowing {
		source := fmt.Sprintf("package known\n\n//duckgen:session cookie=c%d\ntype Visitor%d struct {\n\tName string `session:\"name\"`\n}\n", i, i)
		writeFile(t, filepath.Join(dir, fmt.Sprintf("p%d", i%2), fmt.Sprintf("visitor%d.go", i)), source)
	}
	return dir
}

// rendered generates, and returns the result and how many files of which
// packages were rendered for it.
func rendered(t *testing.T, dir string, tests bool) (*Result, map[string]int) {
	t.Helper()
	config := load.Config{Dir: dir, Patterns: []string{"./..."}, Tests: true}
	findings := diag.NewCollector(dir)
	packages, err := load.Load(t.Context(), config, findings)
	if err != nil {
		t.Fatal(err)
	}
	g := newGenerator(findings)
	g.cache, g.tests = cache.Open(), tests
	files := make(chan string, 10*worthKnowing)
	g.render = func(f *templates.File, test bool) (*templates.Output, error) {
		files <- filepath.Base(f.Package.Path)
		return render(f, test)
	}
	result, err := g.generate(dir, packages)
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Findings) > 0 {
		t.Fatal(result.Findings)
	}
	close(files)
	count := map[string]int{}
	for pkg := range files {
		count[pkg]++
	}
	return result, count
}

func TestOnlyPackagesThatAreNotKnownAreRendered(t *testing.T) {
	dir := knownModule(t)
	source, output := filepath.Join(dir, "p0", "visitor0.go"), filepath.Join(dir, "p0", "visitor0_duckgen.go")
	want := readFile(t, source)
	const half = worthKnowing / 2
	for _, step := range []struct {
		name   string
		change func()
		tests  bool
		want   map[string]int
	}{
		{"a first run", func() {}, false, map[string]int{"p0": half, "p1": half}},
		{"nothing has changed", func() {}, false, map[string]int{}},
		{"an output was edited", func() { writeFile(t, output, readFile(t, output)+"// mine\n") }, false, map[string]int{"p0": half}},
		{"an output is gone", func() { _ = os.Remove(output) }, false, map[string]int{"p0": half}},
		{"an output is empty", func() { writeFile(t, output, "") }, false, map[string]int{"p0": half}},
		{"a session has changed", func() { writeFile(t, source, strings.ReplaceAll(want, "name", "alias")) }, false, map[string]int{"p0": half}},
		{"it is as it was", func() { writeFile(t, source, want) }, false, map[string]int{"p0": half}},
		{"a comment has changed", func() { writeFile(t, source, want+"// more\n") }, false, map[string]int{}},
		{"a name is taken", func() { writeFile(t, source, want+"\nvar visitor0Name int\n") }, false, map[string]int{"p0": half}},
		{"it is free again", func() { writeFile(t, source, want) }, false, map[string]int{"p0": half}},
		{"tests are asked for", func() {}, true, map[string]int{"p0": 2 * half, "p1": 2 * half}},
		{"these are known, too", func() {}, false, map[string]int{}},
	} {
		step.change()
		result, got := rendered(t, dir, step.tests)
		if diff := gocmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s: rendered (-want +got):\n%s", step.name, diff)
		}
		if _, err := result.Write(); err != nil {
			t.Fatal(err)
		}
		afresh, err := Generate(t.Context(), Config{Dir: dir, Patterns: []string{"./..."}})
		if err != nil {
			t.Fatal(err)
		}
		if changes, err := afresh.Changes(); err != nil || len(changes) > 0 {
			t.Errorf("%s: without the cache %d files would change, %v", step.name, len(changes), err)
		}
	}
}

func TestWhatDoesNotCompileIsNotRemembered(t *testing.T) {
	dir := knownModule(t)
	for range 2 {
		findings := diag.NewCollector(dir)
		packages, err := load.Load(t.Context(), load.Config{Dir: dir, Patterns: []string{"./..."}}, findings)
		if err != nil {
			t.Fatal(err)
		}
		g := newGenerator(findings)
		g.cache = cache.Open()
		g.render = func(f *templates.File, _ bool) (*templates.Output, error) {
			return &templates.Output{Content: []byte("package " + f.Package.Name + "\n\nvar _ = x\n")}, nil
		}
		if _, err := g.generate(dir, packages); !isBug(err) {
			t.Fatalf("got %v, want a BugError", err)
		}
	}
}

func isBug(err error) bool {
	_, ok := errors.AsType[*BugError](err)
	return ok
}
