package gen

import (
	"go/token"
	"maps"
	"path/filepath"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/templates"
)

// renderAll renders every file of every unit, as many at once as the machine
// has processors. A package that cannot have generated code is a finding.
func (g *generator) renderAll(units []*unit) {
	var files []*File
	for _, u := range units {
		u.separateNames()
		for i := range u.files {
			files = append(files, &u.files[i])
		}
	}
	errs := make([]error, len(files))
	inParallel(len(files), func(i int) {
		render := g.render
		if files[i].Test {
			render = g.renderTest
		}
		files[i].Content, errs[i] = render(files[i].Schema)
	})
	for i, err := range errs {
		if err != nil {
			f := files[i]
			g.findings.Add(diag.Finding{
				Pos:     token.Position{Filename: filepath.Join(filepath.Dir(f.Path), f.Schema.Source)},
				Code:    diag.NameClash,
				Message: err.Error(),
				Package: f.Schema.Package.Path,
			})
		}
	}
}

// separateNames keeps the generated files of one package out of each other's
// way: each finds the identifiers of those before it taken.
func (u *unit) separateNames() {
	if len(u.files) < 2 {
		return
	}
	taken := maps.Clone(u.files[0].Schema.Package.Scope)
	for _, f := range u.files {
		if f.Test { // it declares only what has the name of a session
			continue
		}
		f.Schema.Package.Scope = maps.Clone(taken)
		for _, name := range templates.Declared(f.Schema) {
			taken[name] = true
		}
	}
}
