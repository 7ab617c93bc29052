package duckvet_test

import (
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/analysis/passes/copylock"
	"golang.org/x/tools/go/packages"

	"github.com/duckgen/duckgen/duckvet"
)

// BenchmarkShop analyses the packages of the shop, once they are loaded. The
// printf analyzer of go vet, over the same packages, is there to compare.
func BenchmarkShop(b *testing.B) {
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.LoadSyntax | packages.NeedModule,
		Dir:  "..",
	}, "./examples/shop/...")
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, analyzers ...*analysis.Analyzer) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				graph, err := checker.Analyze(analyzers, loaded, &checker.Options{Sequential: true})
				if err != nil {
					b.Fatal(err)
				}
				for _, action := range graph.Roots {
					if action.Err != nil || len(action.Diagnostics) > 0 {
						b.Fatal(action.Err, action.Diagnostics)
					}
				}
			}
		})
	}
	for _, a := range duckvet.Suite {
		run(a.Name, a)
	}
	run("suite", duckvet.Suite...)
	run("copylocks", copylock.Analyzer)
}
