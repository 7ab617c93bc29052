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

	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/internal/parallel"
	"github.com/duckgen/duckgen/templates/layout"
)

// An Output is a generated file.
type Output struct {
	Content []byte
	Parts   []Part // that make it up, below its head
}

// A Part is a stretch of an output: its guard of the runtime, or a session. With
// the package's own declarations and what it needs of other parts it compiles on
// its own.
type Part struct {
	Head   []byte   // package clause and imports of this part alone
	Body   []byte   // of Content
	Shares []string // variables declared here that later parts may need
}

// Render returns the generated file, formatted. Equal schemas give equal bytes.
//
// A [ShadowedError] says that the package cannot have generated code as it is.
// Any other error is a mistake in this package.
//
// Render may be called concurrently, also for files of one package.
func (f *File) Render() (*Output, error) {
	top := f.apart()
	sections := []*section{{file: top, emit: top.runtimeGuard}}
	for _, s := range f.sessions {
		s = s.apart()
		sections = append(sections, s.section(s.emit))
	}
	return f.render(sections)
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
	s.with(g)
	s.from(g)
	s.newSessions(g)
	s.httpHooks(g)
	s.livelyHooks(g)
	s.index(g)
}

// A section is a part in the making.
type section struct {
	file   *File // whose uses are the section's
	emit   func(*jen.Group)
	shares []string
	names  map[string]string // of the imports, by path
	body   []byte
}

func (s *session) section(emit func(*jen.Group)) *section {
	section := &section{file: s.File, emit: emit}
	for _, codec := range s.codecs {
		section.shares = append(section.shares, codec.name)
	}
	return section
}

// render renders the sections, each on its own, and puts them together.
func (f *File) render(sections []*section) (*Output, error) {
	errs := make([]error, len(sections))
	parallel.Do(len(sections), func(i int) { errs[i] = sections[i].render(nil) })
	all := newUses()
	for i, s := range sections {
		if errs[i] != nil {
			return nil, errs[i]
		}
		maps.Copy(all.imports, s.file.uses.imports)
		maps.Copy(all.predeclared, s.file.uses.predeclared)
	}
	if shadowed := f.shadowed(all.predeclared); len(shadowed) > 0 {
		return nil, &ShadowedError{f.Package.Name, shadowed}
	}
	specs := all.imports.resolve(f.importNames())
	for _, s := range sections {
		if s.disagrees(specs) {
			if err := s.render(specs); err != nil {
				return nil, err
			}
		}
	}
	return f.join(specs, sections)
}

// render emits the code and formats it. Imports have the names of the specs, or
// without these the names that they would have if there were no other section.
func (s *section) render(specs []importSpec) error {
	code := jen.NewFile(s.file.Package.Name)
	code.NoFormat = true
	s.emit(code.Group)
	if specs == nil {
		specs = s.file.uses.imports.resolve(s.file.importNames())
	}
	s.names = map[string]string{}
	for _, spec := range specs {
		spec.announce(code)
		if s.file.uses.imports[spec.path] != "" {
			s.names[spec.path] = spec.name
		}
	}
	var raw bytes.Buffer
	if err := code.Render(&raw); err != nil {
		return err
	}
	var err error
	s.body, err = layout.Format(withoutHead(raw.Bytes()))
	return err
}

// disagrees reports whether the section was rendered with another name for an
// import.
func (s *section) disagrees(specs []importSpec) bool {
	for _, spec := range specs {
		if name, used := s.names[spec.path]; used && name != spec.name {
			return true
		}
	}
	return false
}

// withoutHead drops the package clause and the imports, which jennifer writes
// above any code.
func withoutHead(source []byte) []byte {
	_, source, _ = bytes.Cut(source, []byte("\n\n"))
	if bytes.HasPrefix(source, []byte("import ")) {
		_, source, _ = bytes.Cut(source, []byte("\n\n"))
	}
	return source
}

// head is the beginning of a file that holds nothing but the section.
func (s *section) head(specs []importSpec) ([]byte, error) {
	var own []importSpec
	for _, spec := range specs {
		if s.names[spec.path] != "" {
			own = append(own, spec)
		}
	}
	file := jen.NewFile(s.file.Package.Name)
	file.NoFormat = true
	file.Add(importDecl(own))
	var head bytes.Buffer
	err := file.Render(&head)
	return head.Bytes(), err
}

// join writes the head of the file and the sections below it.
func (f *File) join(specs []importSpec, sections []*section) (*Output, error) {
	var content bytes.Buffer
	if err := f.header(specs).Render(&content); err != nil {
		return nil, err
	}
	size := content.Len()
	for _, s := range sections {
		size += len(s.body) + 1
	}
	content.Grow(size - content.Len())
	out := &Output{}
	for _, s := range sections {
		content.WriteByte('\n')
		start := content.Len()
		content.Write(s.body)
		head, err := s.head(specs)
		if err != nil {
			return nil, err
		}
		out.Parts = append(out.Parts, Part{Head: head, Body: content.Bytes()[start:], Shares: s.shares})
		s.body = nil
	}
	out.Content = content.Bytes()
	return out, nil
}
