package duckvet_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/duckgen/duckgen/duckvet"
)

// whole runs all analyzers as one, so that the packages are loaded once, and that
// each case also holds the other analyzers to silence.
func whole() *analysis.Analyzer {
	result := &analysis.Analyzer{Name: "duckvet", Doc: "runs the suite", RunDespiteErrors: true}
	for _, a := range duckvet.Suite {
		for _, required := range a.Requires {
			if !slices.Contains(result.Requires, required) {
				result.Requires = append(result.Requires, required)
			}
		}
	}
	result.Run = func(pass *analysis.Pass) (any, error) {
		for _, a := range duckvet.Suite {
			one := *pass
			one.Analyzer = a
			if _, err := a.Run(&one); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	return result
}

func TestWhatIsFound(t *testing.T) {
	if err := analysis.Validate(duckvet.Suite); err != nil {
		t.Fatal(err)
	}
	dirs, err := filepath.Glob("testdata/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("there are no cases: %v", err)
	}
	var patterns []string
	for _, dir := range dirs { // patterns with dots pass over testdata
		patterns = append(patterns, "./duckvet/"+filepath.ToSlash(dir))
	}
	analysistest.RunWithSuggestedFixes(t, "..", whole(), patterns...)
}

func TestEveryAnalyzerIsExplained(t *testing.T) {
	manual, err := os.ReadFile("../docs/duckvet.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range duckvet.Suite {
		if !strings.Contains(string(manual), "\n## "+a.Name+"\n") {
			t.Errorf("docs/duckvet.md has no section %s", a.Name)
		}
		if want := "https://github.com/duckgen/duckgen/blob/main/docs/duckvet.md#" + a.Name; a.URL != want {
			t.Errorf("%s leads to %q, want %q", a.Name, a.URL, want)
		}
	}
}
