package gen

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/load"
	"github.com/duckgen/duckgen/gen/read"
)

// TestBothWaysOfLoadingGiveTheSame holds the go command to the goldens. TestGolden
// does that for the way of a run, which starts no go command for most packages.
func TestBothWaysOfLoadingGiveTheSame(t *testing.T) {
	m := *goldens(t)
	m.loadFully(t)
	m.each(t, m.wantGolden)
}

func TestMostCasesAreLoadedDirectly(t *testing.T) {
	m := goldens(t)
	loaded, left, ok := load.Direct(m.everything())
	if !ok || len(loaded) == 0 || len(left) == 0 {
		t.Errorf("of all cases at once, %d packages are taken and %d left (%v)", len(loaded), len(left), ok)
	}
	var taken []string
	for _, c := range m.cases {
		if !slices.ContainsFunc(left, c.holds) {
			taken = append(taken, c.name)
		}
	}
	t.Logf("of %d cases, the go command is asked for %s", len(m.cases), strings.Join(left, ", "))
	if len(taken) < len(m.cases)*3/4 {
		t.Errorf("only %d of %d cases are taken", len(taken), len(m.cases))
	}
	for _, name := range []string{"shop", "command", "external_test", "each_other", "structs", "conflict_output"} {
		if !slices.Contains(taken, name) {
			t.Errorf("%s is not taken", name)
		}
	}
}

// holds reports whether a directory, as a pattern, is the case's or below it.
func (c *goldenCase) holds(pattern string) bool {
	return pattern == "./"+c.name || strings.HasPrefix(pattern, "./"+c.name+"/")
}

// wellKnown are the standard types that are known without the go command.
var wellKnown = []string{
	"json.Number", "json.RawMessage", "big.Float", "big.Int", "big.Rat", "netip.Addr", "netip.AddrPort", "netip.Prefix",
	"url.URL", "url.Userinfo", "time.Duration", "time.Location", "time.Month", "time.Time", "time.Weekday",
}

// TestWellKnownTypesAreReadAsTheyAre holds each of them, and types that are made
// of them, to what reading the real package gives.
func TestWellKnownTypesAreReadAsTheyAre(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "go.mod"), "module example.com/known\n\ngo 1.26\n")
	for i, name := range wellKnown {
		for j, typ := range []string{name, "*" + name, "map[string][]" + name, "Own", "struct{ V " + name + " }"} {
			pkg := fmt.Sprintf("p%d_%d", i, j)
			path := map[string]string{"json": "encoding/json", "big": "math/big", "netip": "net/netip", "url": "net/url", "time": "time"}
			first, _, _ := strings.Cut(name, ".")
			writeFile(t, filepath.Join(dir, pkg, "session.go"), fmt.Sprintf("package %s\n\nimport %q\n\ntype Own %s\n\n"+
				"//duckgen:session\ntype Visitor struct {\n\tF %s `session:\"f\"`\n}\n", pkg, path[first], name, typ))
		}
	}
	want := resultOf(t, load.Config{Dir: dir, Patterns: []string{"./..."}, Tests: true, Full: true})
	config := load.Config{Dir: dir, Patterns: []string{"./..."}, Tests: true}
	if _, left, ok := load.Direct(config); !ok || len(left) > 0 {
		t.Fatal("the go command is asked")
	}
	if diff := gocmp.Diff(want, resultOf(t, config)); diff != "" {
		t.Errorf("(-full +direct):\n%s", diff)
	}
}

// resultOf returns the findings of every package, and the sessions of those
// that have none.
func resultOf(t *testing.T, config load.Config) map[string]any {
	t.Helper()
	loaded, err := load.Load(t.Context(), config, diag.NewCollector(config.Dir))
	if err != nil {
		t.Fatal(err)
	}
	results := map[string]any{}
	for _, pkg := range loaded {
		findings := diag.NewCollector(config.Dir)
		files := read.Package(pkg, findings)
		results[pkg.Path] = findings.Findings()
		if findings.Len() == 0 {
			results[pkg.Path] = files
		}
	}
	return results
}
