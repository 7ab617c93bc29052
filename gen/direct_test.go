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

// TestBothWaysOfLoadingGiveTheSame holds the way that starts no go command to
// the goldens, for every case that it takes, and then a run in which each
// package goes the way that it needs.
func TestBothWaysOfLoadingGiveTheSame(t *testing.T) {
	m := newGoldenModule(t)
	var taken, left []string
	for _, c := range m.cases {
		loaded, others, ok := load.Direct(load.Config{Dir: c.dir, Patterns: []string{"./..."}, Tags: []string{"golden"}, Tests: true})
		if !ok || len(others) > 0 {
			left = append(left, c.name)
			continue
		}
		taken = append(taken, c.name)
		if diff := gocmp.Diff(c.want, c.got(t, c.generate(t, loaded, nil))); diff != "" {
			t.Errorf("%s is not as wanted (-want +got):\n%s", c.name, diff)
		}
	}
	t.Logf("%d cases; the go command is asked for %s", len(m.cases), strings.Join(left, ", "))
	all := load.Config{Dir: m.dir, Patterns: []string{"./..."}, Tags: []string{"golden"}, Tests: true}
	if loaded, others, ok := load.Direct(all); !ok || len(loaded) == 0 || len(others) == 0 {
		t.Errorf("of all cases at once, %d packages are taken and %d left (%v)", len(loaded), len(others), ok)
	}
	both, unloadable := m.load(t, false)
	for _, c := range m.cases {
		if diff := gocmp.Diff(c.want, c.got(t, c.generate(t, both, unloadable))); diff != "" {
			t.Errorf("%s is not as wanted where each package goes its own way (-want +got):\n%s", c.name, diff)
		}
	}
	if len(taken) < len(m.cases)*3/4 {
		t.Errorf("only %d of %d cases are taken", len(taken), len(m.cases))
	}
	for _, name := range []string{"shop", "command", "external_test", "each_other", "structs", "conflict_output"} {
		if !slices.Contains(taken, name) {
			t.Errorf("%s is not taken", name)
		}
	}
}

// wellKnown are the standard types that are known without the go command.
var wellKnown = []string{
	"json.Number", "json.RawMessage", "big.Float", "big.Int", "big.Rat", "netip.Addr", "netip.AddrPort", "netip.Prefix",
	"url.URL", "url.Userinfo", "time.Duration", "time.Location", "time.Month", "time.Time", "time.Weekday",
}

// TestWellKnownTypesAreReadAsTheyAre holds each of them, and types that are made
// of them, to what reading the real package gives.
func TestWellKnownTypesAreReadAsTheyAre(t *testing.T) {
	t.Setenv("GOWORK", "off")
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
