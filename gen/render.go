package gen

import (
	"go/token"
	"path/filepath"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/internal/parallel"
	"github.com/duckgen/duckgen/templates"
)

// renderAll renders every file of every unit, as many at once as the machine
// has processors. A package that cannot have generated code is a finding.
func (g *generator) renderAll(units []*unit) {
	var files []*File
	for _, u := range units {
		if u.known {
			continue
		}
		u.name()
		for i := range u.files {
			files = append(files, &u.files[i])
		}
	}
	errs := make([]error, len(files))
	parallel.Do(len(files), func(i int) { errs[i] = files[i].render(g.render) })
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

// A renderFunc renders a file, or the test that belongs to it, which may be
// none.
type renderFunc func(f *templates.File, test bool) (*templates.Output, error)

func render(f *templates.File, test bool) (*templates.Output, error) {
	if test {
		return f.RenderTest()
	}
	return f.Render()
}

func (f *File) render(render renderFunc) error {
	out, err := render(f.named, f.Test)
	if err != nil || out == nil {
		return err
	}
	f.Content, f.parts = out.Content, out.Parts
	return nil
}

// name decides the names of all files of the package at once.
func (u *unit) name() {
	var sources []*schema.File
	for _, f := range u.files {
		if !f.Test {
			sources = append(sources, f.Schema)
		}
	}
	named := map[*schema.File]*templates.File{}
	for i, f := range templates.Files(sources) {
		named[sources[i]] = f
	}
	for i := range u.files {
		u.files[i].named = named[u.files[i].Schema]
	}
}
