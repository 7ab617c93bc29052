package gen

import (
	"os"
	"path/filepath"

	"github.com/duckgen/duckgen/gen/load"
	"github.com/duckgen/duckgen/gen/schema"
)

// storedTest returns the test of the stored form that a file is to have, if it
// is to have one, with what one that is there expects. What is there instead of a
// file is reported where its content matters.
func (g *generator) storedTest(dir string, f *schema.File) (File, bool) {
	name := load.StoredTestName(f.Source)
	if name == "" {
		return File{}, false
	}
	test := File{Path: filepath.Join(dir, name), Schema: f, Test: true}
	if info, err := os.Lstat(test.Path); err != nil || !info.Mode().IsRegular() {
		return test, g.tests || err == nil
	}
	content, err := os.ReadFile(test.Path)
	if err != nil || !load.IsOwn(test.Path, content) {
		return test, g.tests
	}
	if !g.update {
		test.expected = expectedIn(content)
	}
	return test, true
}
