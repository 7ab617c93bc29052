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
	dbscPath    = runtimePath + "/dbsc"
)

// A File is one generated file, whose names are all decided.
type File struct {
	*schema.File
	sessions []*session
	locals   locals

	expected []Expected // by the test

	taken namespace // what no further package-level name may be called

	// codecs are the variables of struct codecs, and structs the names of structs
	// that have none of their own, by the identity of the type.
	codecs, structs map[string]string

	// imports and predeclared are what the code that is emitted so far uses from
	// outside of the package.
	imports     imports
	predeclared map[string]bool // Go's own names
}

// A session is one session of a file in the making.
type session struct {
	*File
	*schema.Session
	names  schema.Names
	prefix string // of its package-level variables, "visitor"
	model  string // "visitorModel"
	fill   string // "visitorFill"
	test   string // "TestVisitorStoredForm"
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

// Files decides every name of the generated files of one package, but those of
// their imports, which are named once it is known what a file uses. The files
// stay clear of each other's names, and of those that the package has.
func Files(sources []*schema.File) []*File {
	if len(sources) == 0 {
		return nil
	}
	taken := packageNames(sources[0].Package)
	for _, f := range sources {
		for _, s := range f.Sessions {
			for _, name := range s.Names().List() {
				taken.claimed[name] = true
			}
		}
	}
	files := make([]*File, len(sources))
	for i, f := range sources {
		files[i] = newFile(f, taken)
	}
	return files
}

func newFile(f *schema.File, taken namespace) *File {
	out := &File{
		File:    f,
		locals:  newLocals(survey(f)),
		taken:   taken,
		codecs:  map[string]string{},
		structs: map[string]string{},
	}
	for _, s := range f.Sessions {
		out.sessions = append(out.sessions, newSession(out, s))
	}
	for _, s := range out.sessions {
		s.nameCodecs()
	}
	return out
}

func newSession(f *File, s *schema.Session) *session {
	out := &session{File: f, Session: s, names: s.Names(), prefix: lowerInitial(s.Name)}
	for _, field := range s.Fields {
		out.fields = append(out.fields, newField(out, field))
	}
	out.model = f.claim(out.prefix + "Model")
	out.fill = f.claim(out.prefix + "Fill")
	out.test = f.claim("Test" + exportedPart(s.Name) + "StoredForm")
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

// claim chooses a package-level name: the first candidate that is free.
func (f *File) claim(candidates ...string) string { return f.taken.claim(candidates...) }

// shadowed returns the predeclared names that the file uses and that the
// package declares itself, sorted.
func (f *File) shadowed() []string {
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
func (f *File) qual(pkg, name string) *jen.Statement {
	f.imports[pkg] = path.Base(pkg)
	return jen.Qual(pkg, name)
}

func (f *File) runtime(name string) *jen.Statement { return f.qual(runtimePath, name) }

func (f *File) codec(name string) *jen.Statement { return f.qual(codecPath, name) }

// goOwn is a predeclared name.
func (f *File) goOwn(name string) *jen.Statement {
	f.predeclared[name] = true
	return jen.Id(name)
}

// local is a parameter, receiver or variable inside a function.
func (f *File) local(name string) *jen.Statement { return jen.Id(f.locals.name(name)) }

// core is the runtime's session behind the receiver.
func (f *File) core() *jen.Statement { return f.local("s").Dot("core") }
