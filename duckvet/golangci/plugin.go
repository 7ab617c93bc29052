// Package golangci makes duckvet a linter of golangci-lint, as a module plugin. It is
// a module of its own, so that programs that do without need nothing of it.
package golangci

import (
	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"github.com/duckgen/duckgen/duckvet"
)

// Name is what the linter is called in .golangci.yml.
const Name = "duckvet"

func init() {
	register.Plugin(Name, func(any) (register.LinterPlugin, error) { return plugin{}, nil })
}

// A plugin has no settings: single analyzers are switched off by exclusions.
type plugin struct{}

func (plugin) BuildAnalyzers() ([]*analysis.Analyzer, error) { return duckvet.Suite, nil }

func (plugin) GetLoadMode() string { return register.LoadModeTypesInfo }
