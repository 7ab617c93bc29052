// Package gen turns annotated structs into typed sessions: it loads packages,
// reads what their structs say, and renders a file beside each source file that
// declares sessions. Everything happens in memory first. [Generate] returns
// files and findings, and [Result.Write] is the only part that changes the
// tree.
package gen

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/load"
	"github.com/duckgen/duckgen/gen/read"
	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/gen/verify"
)

// A Config says what to generate for.
type Config struct {
	Dir      string   // what patterns and findings are relative to; empty: the working directory
	Patterns []string // packages as the go command names them; none: the one in Dir
	Tags     []string // build tags
	Tests    bool     // also tests of the stored form, see [File]
}

// A Result is what one run would make of the tree. Where it has findings, it
// has no files, and nothing is to be changed.
type Result struct {
	Dir      string         // absolute, from [Config]
	Files    []File         // that belong into the tree, in the order of their paths
	Orphans  []string       // generated files that no session stands behind any more, absolute
	Findings []diag.Finding // in the order of their positions

	patterns []string
	packages []string // directories of the packages that were read
}

// A File is one generated file: the sessions of a source file, or the test that
// holds the stored form of these. Such a test is generated where the run asks
// for it, and where there is one already.
type File struct {
	Path    string // absolute
	Content []byte
	Schema  *schema.File // what it was rendered from
	Test    bool         // it is the test
}

// Generate reads the packages and renders their sessions. An error means that
// it could not work at all, as where the go command fails, or that generated
// code does not compile ([BugError]); what is wrong in the packages are
// findings. It changes no file.
func Generate(ctx context.Context, cfg Config) (*Result, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, err
	}
	patterns := cfg.Patterns
	if len(patterns) == 0 {
		patterns = []string{"."}
	}
	findings := diag.NewCollector(dir)
	packages, err := load.Load(ctx, load.Config{
		Dir:      dir,
		Patterns: patterns,
		Tags:     cfg.Tags,
		Tests:    true,
	}, findings)
	if err != nil {
		return nil, err
	}
	g := newGenerator(findings)
	g.tests = cfg.Tests
	result, err := g.generate(dir, packages)
	if err != nil {
		return nil, err
	}
	result.patterns = patterns
	return result, nil
}

// Of is [Generate] for one package that is loaded already.
func Of(pkg *load.Package) (*Result, error) {
	return newGenerator(diag.NewCollector(pkg.Dir)).generate(pkg.Dir, []*load.Package{pkg})
}

// A generator makes the result of one run.
type generator struct {
	findings *diag.Collector
	render   renderFunc
	check    checkFunc
	tests    bool // also where there is none yet
}

func newGenerator(findings *diag.Collector) *generator {
	return &generator{findings: findings, render: render, check: verify.Check}
}

// A unit is a package with its files that declare sessions.
type unit struct {
	*load.Package
	files []File
}

func (g *generator) generate(dir string, packages []*load.Package) (*Result, error) {
	var units []*unit
	for _, pkg := range packages {
		u := &unit{Package: pkg}
		for _, f := range read.Package(pkg, g.findings) {
			u.files = append(u.files, File{Path: filepath.Join(pkg.Dir, f.Output), Schema: f})
			if test, ok := g.storedTest(pkg.Dir, f); ok {
				u.files = append(u.files, test)
			}
		}
		units = append(units, u)
	}
	if err := g.checkOutputs(units); err != nil {
		return nil, err
	}
	orphans, err := g.orphans(units)
	if err != nil {
		return nil, err
	}
	if g.findings.Len() == 0 {
		if err := g.renderAll(units); err != nil {
			return nil, err
		}
	}
	result := &Result{Dir: dir, Findings: g.findings.Findings()}
	for _, pkg := range packages {
		result.packages = append(result.packages, pkg.Dir)
	}
	if len(result.Findings) > 0 {
		return result, nil
	}
	if err := g.verifyAll(units); err != nil {
		return nil, err
	}
	for _, u := range units {
		for _, f := range u.files {
			if f.Content != nil {
				result.Files = append(result.Files, f)
			} else if exists(f.Path) { // a test that has nothing to hold any more
				orphans = append(orphans, f.Path)
			}
		}
	}
	slices.Sort(orphans)
	slices.SortFunc(result.Files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	result.Orphans = orphans
	return result, nil
}
