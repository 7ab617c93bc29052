package templates

import (
	"path"
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/schema"
)

// The packages that generated code stands on.
const (
	runtimePath = "github.com/duckgen/duckgen/runtime"
	codecPath   = runtimePath + "/codec"
)

// A file is one generated file in the making.
type file struct {
	*schema.File
	sessions []*session
	imports  imports
	locals   locals

	taken    namespace       // what no further package-level name may be called
	declared map[string]bool // the package-level names of this file

	// predeclared are the names of Go's own that the file uses.
	predeclared map[string]bool

	// codecs are the variables of struct codecs by type.
	codecs map[string]string
}

// A session is one session of a file in the making.
type session struct {
	*file
	*schema.Session
	names  schema.Names
	prefix string // of its package-level variables, "visitor"
	model  string // "visitorModel"
	fields []*field

	// codecs are the struct codecs that this session is the first to need.
	codecs []structCodec
}

// A field is one field of a session in the making.
type field struct {
	*session
	*schema.Field
	variable string // "visitorUserID"
	doc      fieldDoc
}

// newFile decides every name of the file but those of its struct codecs, which
// are named as they are met, and of its imports, which are named at the end.
func newFile(f *schema.File) *file {
	out := &file{
		File:        f,
		imports:     imports{},
		locals:      newLocals(survey(f)),
		taken:       packageNames(f),
		declared:    map[string]bool{},
		predeclared: map[string]bool{},
		codecs:      map[string]string{},
	}
	for _, s := range f.Sessions {
		for _, name := range s.Names().List() {
			out.declare(name)
		}
	}
	for _, s := range f.Sessions {
		out.sessions = append(out.sessions, newSession(out, s))
	}
	return out
}

func newSession(f *file, s *schema.Session) *session {
	out := &session{file: f, Session: s, names: s.Names(), prefix: lowerInitial(s.Name)}
	for _, field := range s.Fields {
		out.fields = append(out.fields, newField(out, field))
	}
	out.model = f.claim(out.prefix + "Model")
	return out
}

func newField(s *session, f *schema.Field) *field {
	return &field{
		session:  s,
		Field:    f,
		variable: s.claim(s.prefix + f.Name),
		doc:      newFieldDoc(f.Doc),
	}
}

// declare takes note of a package-level name that is given.
func (f *file) declare(name string) {
	f.taken[name] = true
	f.declared[name] = true
}

// claim chooses a package-level name: the first candidate that is free.
func (f *file) claim(candidates ...string) string {
	name := f.taken.claim(candidates...)
	f.declared[name] = true
	return name
}

// shadowed returns the predeclared names that the file uses and that the
// package declares itself.
func (f *file) shadowed() []string {
	var names []string
	for name := range f.predeclared {
		if f.Package.Scope[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// qual is a name of another package, which is called like the last part of its
// path.
func (f *file) qual(pkg, name string) *jen.Statement {
	f.imports[pkg] = path.Base(pkg)
	return jen.Qual(pkg, name)
}

func (f *file) runtime(name string) *jen.Statement { return f.qual(runtimePath, name) }

func (f *file) codec(name string) *jen.Statement { return f.qual(codecPath, name) }

// goOwn is a predeclared name.
func (f *file) goOwn(name string) *jen.Statement {
	f.predeclared[name] = true
	return jen.Id(name)
}

// local is a parameter, receiver or variable inside a function.
func (f *file) local(name string) *jen.Statement { return jen.Id(f.locals.name(name)) }

// core is the runtime's session behind the receiver.
func (f *file) core() *jen.Statement { return f.local("s").Dot("core") }
