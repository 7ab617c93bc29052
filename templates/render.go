// Package templates holds the shapes of the generated code. Each file has the
// emitters for one part of the output, and they follow one another there as
// they do in [session.emit]: guards, types, fields, codecs, stored, model,
// accessors, methods, snapshot, context, sessions, hooks, index.
//
// Emitters build jennifer code and know nothing of Go syntax trees or of how a
// session was read; package schema says all that they need.
package templates

import (
	"bytes"
	"fmt"

	"github.com/dave/jennifer/jen"
)

// Render returns the generated file, formatted. Equal schemas give equal bytes.
//
// A [ShadowedError] says that the package cannot have generated code as it is.
// Any other error is a mistake in this package.
//
// Several files may be rendered concurrently, also of one package. A file and
// its test are rendered one after the other.
func (f *File) Render() ([]byte, error) {
	body := f.begin()
	f.runtimeGuard(body)
	for _, s := range f.sessions {
		s.emit(body)
	}
	return f.finish(body)
}

// A ShadowedError says that a package declares predeclared names, such as
// string, which generated code needs as Go's own.
type ShadowedError struct {
	Package string
	Names   []string // sorted
}

func (e *ShadowedError) Error() string {
	return fmt.Sprintf("package %s declares %q, which generated code needs as Go's own: rename it", e.Package, e.Names)
}

// emit writes everything that is generated for one session.
func (s *session) emit(g *jen.Group) {
	s.layoutGuard(g)
	s.types(g)
	s.fieldVars(g)
	s.structCodecs(g)
	s.storedForm(g)
	s.modelVar(g)
	s.accessors(g)
	s.sessionMethods(g)
	s.snapshot(g)
	s.fillVar(g)
	s.with(g)
	s.from(g)
	s.newSessions(g)
	s.newCookie().write(g, s.sessionsReceiver())
	s.httpHooks(g)
	s.livelyHooks(g)
	s.boundHooks(g)
	s.everySession(g)
	s.index(g)
}

// begin returns what a file is emitted to.
func (f *File) begin() *jen.Group {
	f.imports, f.predeclared = imports{}, map[string]bool{}
	return declarations()
}

// finish puts the head above what was emitted, which decides what is imported,
// and formats the whole.
func (f *File) finish(body *jen.Group) ([]byte, error) {
	if shadowed := f.shadowed(); len(shadowed) > 0 {
		return nil, &ShadowedError{f.Package.Name, shadowed}
	}
	specs := f.imports.resolve(f.importNames())
	names := jen.NewFile("") // what jennifer calls the packages
	for _, spec := range specs {
		names.ImportAlias(spec.path, spec.name)
	}
	source := declarations()
	f.head(source, specs)
	source.Add(body)
	var out bytes.Buffer
	err := source.RenderWithFile(&out, names)
	return out.Bytes(), err
}

// declarations is a group that puts each of its items on a line of its own.
func declarations() *jen.Group { return jen.NewFile("").Group }
