// Package templates holds the shapes of the generated code. Each file has the
// emitters for one part of the output, and they follow one another there as
// they do in [session.emit]: guards, types, fields, codecs, model, accessors,
// methods, snapshot, sessions, hooks, index.
//
// Emitters build jennifer code and know nothing of Go syntax trees or of how a
// session was read; package schema says all that they need.
package templates

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/schema"
)

// Render returns the generated file, formatted. Equal schemas give equal bytes.
//
// A [ShadowedError] says that the package cannot have generated code as it is.
// Any other error is a mistake in this package.
//
// Render may be called concurrently, also with files that share a package.
func Render(f *schema.File) ([]byte, error) {
	out := newFile(f)
	chunks := out.emit()
	if shadowed := out.shadowed(); len(shadowed) > 0 {
		return nil, &ShadowedError{f.Package.Name, shadowed}
	}
	return out.render(chunks)
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

// Declared returns the package-level identifiers that the generated file
// declares, sorted. Another file of the package stays clear of them when they
// are added to its Scope before it is rendered.
func Declared(f *schema.File) []string {
	out := newFile(f)
	out.emit()
	return slices.Sorted(maps.Keys(out.declared))
}

// emit writes the body of the file, a chunk for the guard of the runtime and one
// for each session.
func (f *file) emit() []*jen.Group {
	guard := jen.NewFile(f.Package.Name).Group
	f.runtimeGuard(guard)
	chunks := []*jen.Group{guard}
	for _, s := range f.sessions {
		chunk := jen.NewFile(f.Package.Name).Group
		s.emit(chunk)
		chunks = append(chunks, chunk)
	}
	return chunks
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
	s.with(g)
	s.from(g)
	s.newSessions(g)
	s.httpHooks(g)
	s.livelyHooks(g)
	s.index(g)
}

// render formats the chunks each on its own, which costs less than formatting
// the file as a whole, and puts them together.
func (f *file) render(chunks []*jen.Group) ([]byte, error) {
	specs := f.imports.resolve(f.importNames())
	target := jen.NewFile(f.Package.Name)
	for _, spec := range specs {
		spec.announce(target)
	}
	var out bytes.Buffer
	if err := f.header(specs).Render(&out); err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, chunk := range chunks {
		text.Reset()
		if err := chunk.RenderWithFile(&text, target); err != nil {
			return nil, err
		}
		out.WriteByte('\n')
		out.Write(bytes.TrimSpace(text.Bytes()))
		out.WriteByte('\n')
	}
	return out.Bytes(), nil
}
