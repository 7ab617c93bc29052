package templates

import (
	"maps"
	"slices"

	"github.com/duckgen/duckgen/gen/schema"
)

// Render renders a file that is alone in its package.
func Render(f *schema.File) ([]byte, error) { return Files([]*schema.File{f})[0].Render() }

// Declared returns the names that the generated files of a package declare,
// sorted. The tests of their stored form are not among these files.
func Declared(sources ...*schema.File) []string {
	files := Files(sources)
	names := maps.Clone(files[0].taken.claimed)
	for _, f := range files {
		for _, s := range f.sessions {
			delete(names, s.test)
		}
	}
	return slices.Sorted(maps.Keys(names))
}
