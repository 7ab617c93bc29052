package breaking

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/load"
	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/gen/storedform"
)

// A Later is one source file with sessions as it is now.
type Later struct {
	Dir    string // absolute
	Schema *schema.File
}

// Report compares the files with those of an earlier state and notes every
// break that the sessions' directives do not allow. gone reports whether a session
// that is not among the later ones is in a directory no more; it has the generated name
// of the session, and an empty directory is any.
func Report(earlier []Earlier, later []Later, gone func(dir, session string) bool, findings *diag.Collector) error {
	known, err := readAll(earlier)
	if err != nil {
		return err
	}
	for _, file := range later {
		for _, s := range file.Schema.Sessions {
			form := storedform.Of(s)
			before := match(known, form, load.Real(file.Dir))
			if before == nil {
				continue
			}
			before.matched = true
			report(file, s, Allowed(Compare(before.Form, form), s.Policy.Allow), findings)
		}
	}
	for _, form := range known {
		if !form.matched && gone(form.file.Dir, form.Session) {
			findings.Add(deleted(form))
		}
	}
	return nil
}

// An earlierForm is a form with the file that it is from.
type earlierForm struct {
	storedform.Form
	file    Earlier
	matched bool
}

func readAll(files []Earlier) ([]*earlierForm, error) {
	var all []*earlierForm
	for _, file := range files {
		if file.Dir != "" {
			file.Dir = load.Real(file.Dir)
		}
		forms, err := storedform.Read(file.Name, file.Content)
		if err != nil {
			return nil, err
		}
		for _, form := range forms {
			all = append(all, &earlierForm{Form: form, file: file})
		}
	}
	return all, nil
}

// match returns the earlier form of a session: that of its kind, wherever that
// was, or else that of its name in the same place.
func match(known []*earlierForm, form storedform.Form, dir string) *earlierForm {
	for _, k := range known {
		if k.Kind == form.Kind {
			return k
		}
	}
	for _, k := range known {
		if !k.matched && k.Session == form.Session && (k.file.Dir == "" || k.file.Dir == dir) {
			return k
		}
	}
	return nil
}

func report(file Later, s *schema.Session, breaks []Break, findings *diag.Collector) {
	if len(breaks) == 0 {
		return
	}
	places := locate(filepath.Join(file.Dir, file.Schema.Source), s)
	for _, b := range breaks {
		hint := fmt.Sprintf("allow=%s in the directive accepts it", b.Rule)
		if b.Hint != "" {
			hint = b.Hint + "; " + hint
		}
		findings.Add(diag.Finding{
			Pos:     places[b.Key],
			Code:    diag.Code(b.Rule),
			Message: s.Struct + ": " + b.Message,
			Hint:    hint,
			Package: file.Schema.Package.Path,
		})
	}
}

func deleted(form *earlierForm) diag.Finding {
	return diag.Finding{
		Code:    diag.Code(schema.RuleSessionDeleted),
		Message: fmt.Sprintf("the session of the kind %s is gone: no token opens its stored sessions any more, and they stay until they expire", form.Kind),
		Hint:    "if it has moved, write kind=" + form.Kind + " in its directive",
		Package: form.file.Name,
	}
}

// locate returns where the fields of a session are declared, by their keys, and
// under "" where the struct is.
func locate(filename string, s *schema.Session) map[string]token.Position {
	start := token.Position{Filename: filename, Line: 1, Column: 1}
	places := map[string]token.Position{"": start}
	for _, f := range s.Fields {
		places[f.Key] = start
	}
	source, err := os.ReadFile(filename)
	if err != nil {
		return places
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, filename, source, parser.SkipObjectResolution)
	if err != nil {
		return places
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != s.Struct {
			return true
		}
		places[""] = fset.PositionFor(spec.Name.Pos(), false)
		if layout, ok := spec.Type.(*ast.StructType); ok {
			placeFields(places, fset, layout, s.Fields)
		}
		return false
	})
	return places
}

func placeFields(places map[string]token.Position, fset *token.FileSet, layout *ast.StructType, fields []*schema.Field) {
	for _, declared := range layout.Fields.List {
		for _, name := range declared.Names {
			i := slices.IndexFunc(fields, func(f *schema.Field) bool { return f.Name == name.Name })
			if i >= 0 {
				places[fields[i].Key] = fset.PositionFor(name.Pos(), false)
			}
		}
	}
}
