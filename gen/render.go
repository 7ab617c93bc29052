package gen

import (
	"errors"
	"fmt"
	"maps"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/templates"
)

// renderAll renders every file of every unit, as many at once as the machine
// has processors. A package that cannot have generated code is a finding.
func (g *generator) renderAll(units []*unit) error {
	var files []*File
	var owners []*unit
	for _, u := range units {
		u.separateNames()
		for i := range u.files {
			files, owners = append(files, &u.files[i]), append(owners, u)
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
