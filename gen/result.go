package gen

import (
	"cmp"
	"os"
	"slices"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/templates"
)

// A Result is what one run would make of the tree. Where it has findings, it
// has no files, and nothing is to be changed.
type Result struct {
	Dir      string         // absolute, from [Config]
	Files    []File         // that belong into the tree, in the order of their paths
	Orphans  []string       // generated files that no session stands behind any more, absolute
	Findings []diag.Finding // in the order of their positions

	roots    []string        // of the patterns that take in all directories below
	packages []string        // directories of the packages that were read, without symbolic links
	sources  map[string]bool // the files written by hand that were, likewise
}

// A File is one generated file: the sessions of a source file, or the test that
// holds the stored form of these. Such a test is generated where the run asks
// for it, and where there is one already.
type File struct {
	Path    string // absolute
	Content []byte
	Schema  *schema.File // what it was rendered from
	Test    bool         // it is the test

	expected []templates.Expected // of a test that is there
}

// add adds the files of the units, and the orphans.
func (r *Result) add(units []*unit, orphans []string) {
	for _, u := range units {
		for _, f := range u.files {
			if f.Content != nil {
				r.Files = append(r.Files, f)
			} else if exists(f.Path) { // a test that has nothing to hold any more
				orphans = append(orphans, f.Path)
			}
		}
	}
	slices.SortFunc(r.Files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	slices.Sort(orphans)
	r.Orphans = orphans
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
