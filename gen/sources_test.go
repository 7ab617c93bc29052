package gen

import (
	"os"
	"testing"

	"github.com/duckgen/duckgen/gen/load"
)

// TestSourcesThatOthersHaveLoadedGiveTheSame holds reading a package from what
// the driver of an analysis has at hand to the goldens.
func TestSourcesThatOthersHaveLoadedGiveTheSame(t *testing.T) {
	m := *goldens(t)
	m.loadFully(t) // so that imports are complete, as they are for a driver
	for i, pkg := range m.loaded {
		sources := load.Sources{
			Path:      pkg.Path,
			Name:      pkg.Name,
			Dir:       pkg.Dir,
			Read:      os.ReadFile,
			Imports:   pkg.Types.Imports(),
			GoVersion: "go1.26",
		}
		for _, f := range pkg.Files {
			sources.Files = append(sources.Files, f.Path)
		}
		again, err := sources.Load()
		if err != nil {
			t.Fatal(err)
		}
		m.loaded[i] = again
	}
	m.each(t, func(t *testing.T, c *goldenCase) {
		if c.name == "err_missing_type" || c.name == "err_import_missing" {
			t.Skip("the go command says more of imports that it does not find")
		}
		m.wantGolden(t, c)
	})
}
