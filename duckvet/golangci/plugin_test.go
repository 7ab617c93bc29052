package golangci

import (
	"slices"
	"testing"

	"github.com/golangci/plugin-module-register/register"

	"github.com/duckgen/duckgen/duckvet"
)

func TestGolangciLintGetsEveryAnalyzer(t *testing.T) {
	create, err := register.GetPlugin(Name)
	if err != nil {
		t.Fatal(err)
	}
	linter, err := create(nil)
	if err != nil {
		t.Fatal(err)
	}
	analyzers, err := linter.BuildAnalyzers()
	if err != nil || !slices.Equal(analyzers, duckvet.Suite) {
		t.Errorf("it has %v (%v), want %v", analyzers, err, duckvet.Suite)
	}
	if mode := linter.GetLoadMode(); mode != register.LoadModeTypesInfo {
		t.Errorf("packages are loaded as %q, and the analyzers need types", mode)
	}
}
