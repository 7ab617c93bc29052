// Package verify type-checks generated files in memory, before they are
// written, together with the files of their package that are written by hand.
//
// Generated code stands on a dozen packages, whose real export data takes half
// a second to load. Instead, [Check] reads descriptions of them that are
// embedded here: Go declarations of just what generated code uses.
package verify

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"maps"
	"slices"
)

// Check type-checks the package of the given path and name, made of
// hand-written files and of generated ones, and returns what is wrong in the
// generated ones, each an [*Error], by file and position. What is wrong in
// hand-written files is not reported: it is either broken anyway or will be
// right once the generated files are there.
//
// Function bodies of hand-written files should be stripped; that only saves
// time. The keys of generated are file names, as positions will show them.
//
// Packages come from imp, which may be nil and may lack any package; what it
// lacks of what generated code uses comes from the descriptions. Types are the
// same wherever they come from: where a package of imp refers to a type of a
// package that imp lacks, that type is used. Check changes neither the files nor
// the packages of imp, and may be called concurrently if imp may.
func Check(fset *token.FileSet, path, name string, files []*ast.File, imp types.Importer,
	generated map[string][]byte) []error {
	c := checker{fset: fset, sources: map[*token.File][]byte{}}
	all := slices.Clone(files)
	for _, file := range slices.Sorted(maps.Keys(generated)) {
		if parsed := c.parse(file, generated[file]); parsed != nil {
			all = append(all, parsed)
		}
	}
	if len(c.errors) > 0 {
		return c.result()
	}
	config := types.Config{
		Importer: newImporter(imp, all),
		Error:    c.note,
	}
	_ = types.NewChecker(&config, fset, types.NewPackage(path, name), nil).Files(all) // noted
	return c.result()
}

// A checker collects the errors of one check.
type checker struct {
	fset    *token.FileSet
	sources map[*token.File][]byte // of the generated files
	errors  []*Error
}

// parse returns the syntax of a generated file, or notes why it has none.
func (c *checker) parse(name string, source []byte) *ast.File {
	file, err := parser.ParseFile(c.fset, name, source, parser.SkipObjectResolution)
	if err == nil {
		c.sources[c.fset.File(file.FileStart)] = source
		return file
	}
	list, ok := err.(scanner.ErrorList)
	if !ok {
		list = scanner.ErrorList{{Pos: token.Position{Filename: name}, Msg: err.Error()}}
	}
	for _, e := range list {
		c.errors = append(c.errors, &Error{Pos: e.Pos, Message: e.Msg, Source: lineOf(source, e.Pos.Line)})
	}
	return nil
}

// note keeps an error in a generated file.
func (c *checker) note(err error) {
	e, ok := err.(types.Error)
	if !ok {
		return
	}
	source, ok := c.sources[c.fset.File(e.Pos)]
	if !ok {
		return
	}
	pos := c.fset.PositionFor(e.Pos, false)
	c.errors = append(c.errors, &Error{Pos: pos, Message: e.Msg, Source: lineOf(source, pos.Line)})
}

// result returns the errors by file and position, each once.
func (c *checker) result() []error {
	slices.SortStableFunc(c.errors, compareErrors)
	var errs []error
	var last *Error
	for _, e := range c.errors {
		if last == nil || *last != *e {
			errs = append(errs, e)
		}
		last = e
	}
	return errs
}
