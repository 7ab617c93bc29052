package gen

import (
	"os"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/gen/load"
)

// TestSourcesThatOthersHaveLoadedGiveTheSame holds reading a package from what
// the driver of an analysis has at hand to the goldens.
func TestSourcesThatOthersHaveLoadedGiveTheSame(t *testing.T) {
	m := newGoldenModule(t)
	loaded, unloadable := m.load(t, true)
	for i, pkg := range loaded {
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
		loaded[i] = again
	}
	for _, c := range m.cases {
		if c.name == "err_missing_type" || c.name == "err_import_missing" { // the go command says more of imports that it does not find
			continue
		}
		if diff := gocmp.Diff(c.want, c.got(t, c.generate(t, loaded, unloadable))); diff != "" {
			t.Errorf("%s is not as wanted (-want +got):\n%s", c.name, diff)
		}
	}
}
