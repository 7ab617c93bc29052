package gen

import (
	"errors"
	"fmt"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/internal/parallel"
	"github.com/duckgen/duckgen/templates"
)

// renderAll renders every file of every unit, as many at once as the machine
// has processors. A package that cannot have generated code is a finding.
func (g *generator) renderAll(units []*unit) error {
	var files []*File
	var owners []*unit
	for _, u := range units {
		if u.known {
			continue
		}
		u.name()
		for i := range u.files {
			files, owners = append(files, &u.files[i]), append(owners, u)
		}
	}
	errs := make([]error, len(files))
	parallel.Do(len(files), func(i int) { errs[i] = files[i].render(g.render) })
	shadowed := map[*unit]map[string]bool{}
	for i, err := range errs {
		var names *templates.ShadowedError
		switch {
		case errors.As(err, &names):
			if shadowed[owners[i]] == nil {
				shadowed[owners[i]] = map[string]bool{}
			}
			for _, name := range names.Names {
				shadowed[owners[i]][name] = true
			}
		case err != nil:
			return fmt.Errorf("%s: %w", files[i].Path, err)
		}
	}
	for u, names := range shadowed {
		g.reportShadowed(u, names)
	}
	return nil
}

// reportShadowed reports what a package declares under predeclared names that
// generated code needs.
func (g *generator) reportShadowed(u *unit, names map[string]bool) {
	for name := range names {
		f := diag.Finding{
			Code:    diag.NameClash,
			Message: fmt.Sprintf("the package declares %s, which generated code needs as Go's own", name),
			Hint:    "rename it",
			Package: u.Path,
		}
		if obj := u.Types.Scope().Lookup(name); obj != nil {
			f.Pos = u.Position(obj.Pos())
		}
		g.findings.Add(f)
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
