package gen

import (
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/load"
	"github.com/duckgen/duckgen/internal/testtier"
)

// FuzzSource generates for a package of one file. Whatever is in it, that ends
// without a panic, and what is generated compiles.
func FuzzSource(f *testing.F) {
	files, err := filepath.Glob(goldenDir + "/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range testtier.Some(files, 8) {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, input := range archive.Files {
			if input.Name == "session.go" {
				f.Add(string(input.Data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, source string) {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, "go.mod"), "module example.com/fuzz\n\ngo 1.26\n")
		writeFile(t, filepath.Join(dir, "session.go"), source)
		loaded, left, ok := load.Direct(load.Config{Dir: dir, Patterns: []string{"."}, Tests: true})
		if !ok || len(left) > 0 {
			t.Skip("the go command would be asked")
		}
		g := newGenerator(diag.NewCollector(dir))
		g.tests = true
		if _, err := g.generate(dir, loaded); err != nil {
			t.Fatal(err)
		}
	})
}
