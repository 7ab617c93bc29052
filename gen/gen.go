// Package gen turns annotated structs into typed sessions: it loads packages,
// reads what their structs say, and renders a file beside each source file that
// declares sessions. Everything happens in memory first. [Generate] returns
// files and findings, and [Result.Write] is the only part that changes the
// tree.
package gen

import (
	"context"
	"path/filepath"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/load"
	"github.com/duckgen/duckgen/gen/read"
)

// A Config says what to generate for.
type Config struct {
	Dir      string   // what patterns and findings are relative to; empty: the working directory
	Patterns []string // packages as the go command names them; none: the one in Dir
	Tags     []string // build tags; nil: those that GOFLAGS or go env have
	Tests    bool     // also tests of the stored form, see [File]
	Update   bool     // tests of the stored form that are there expect what is written now
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
	g.tests, g.update = cfg.Tests, cfg.Update
	result, err := g.generate(dir, packages)
	if err != nil {
		return nil, err
	}
	result.note(patterns, packages)
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
	tests    bool // also where there is none yet
	update   bool // of what they expect
}

func newGenerator(findings *diag.Collector) *generator {
	return &generator{findings: findings, render: render}
}

func (g *generator) generate(dir string, packages []*load.Package) (*Result, error) {
	units := g.read(packages)
	if err := g.checkForeign(units); err != nil {
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
	if len(result.Findings) > 0 {
		return result, nil
	}
	if err := verifyAll(units); err != nil {
		return nil, err
	}
	result.add(units, orphans)
	return result, nil
}

// A unit is a package with the files that are generated for it.
type unit struct {
	*load.Package
	files []File
}

// read reads the sessions of the packages. Nothing is rendered yet.
func (g *generator) read(packages []*load.Package) []*unit {
	units := make([]*unit, len(packages))
	for i, pkg := range packages {
		u := &unit{Package: pkg}
		for _, f := range read.Package(pkg, g.findings) {
			u.files = append(u.files, File{Path: filepath.Join(pkg.Dir, f.Output), Schema: f})
			if test, ok := g.storedTest(pkg.Dir, f); ok {
				u.files = append(u.files, test)
			}
		}
		units[i] = u
	}
	return units
}
