package gen

import (
	"errors"
	"fmt"
	"strings"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/internal/parallel"
	"github.com/duckgen/duckgen/templates"
)

// A renderFunc renders a file, or the test that belongs to it, which may be
// none.
type renderFunc func(f *templates.File, test bool, expected []templates.Expected) ([]byte, error)

func render(f *templates.File, test bool, expected []templates.Expected) ([]byte, error) {
	if test {
		return f.RenderTest(expected)
	}
	return f.Render()
}

// renderAll renders the files of all units, as many units at once as the machine
// has processors. A package that cannot have generated code is a finding.
func (g *generator) renderAll(units []*unit) error {
	shadowed := make([]map[string]bool, len(units))
	errs := make([]error, len(units))
	parallel.Do(len(units), func(i int) { shadowed[i], errs[i] = units[i].render(g.render) })
	for i, u := range units {
		g.reportShadowed(u, shadowed[i])
	}
	return errors.Join(errs...)
}

// render renders the files of one package. It returns the names that the package
// declares and that generated code needs as Go's own.
func (u *unit) render(render renderFunc) (shadowed map[string]bool, err error) {
	shadowed = map[string]bool{}
	named := u.named()
	for i := range u.files {
		f := &u.files[i]
		f.Content, err = render(named[f.Schema], f.Test, f.expected)
		if names, ok := errors.AsType[*templates.ShadowedError](err); ok {
			for _, name := range names.Names {
				shadowed[name] = true
			}
			continue
		}
		if err != nil {
			message, _, _ := strings.Cut(err.Error(), "\n") // all of the code would follow
			return nil, &BugError{Package: u.Path, Errors: []error{fmt.Errorf("%s: %s", f.Path, message)}}
		}
	}
	return shadowed, nil
}

// named decides the names of all files of the package at once.
func (u *unit) named() map[*schema.File]*templates.File {
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
	return named
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
