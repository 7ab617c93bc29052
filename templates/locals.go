package templates

import "github.com/duckgen/duckgen/gen/schema"

// locals are the names inside functions that give way to what a type may be
// called by the package.
type locals struct {
	renamed map[string]string
	given   map[string]bool // the new names
}

// localNames is every name that an emitter gives to something inside a
// function.
var localNames = []string{
	"c", "configure", "conn", "core", "ctx", "d", "delta", "disconnect", "err", "except", "f", "handle", "i", "ids",
	"k", "m", "manager", "next", "on", "r", "s", "store", "t", "token", "v", "verb", "w", "within",
}

// newLocals renames what a type of the file, or a package that it comes from,
// is called as well.
func newLocals(found *surveyed) locals {
	taken := newNamespace(found.types, found.packages)
	l := locals{renamed: map[string]string{}, given: taken.claimed}
	for _, name := range localNames {
		if taken.has(name) {
			l.renamed[name] = taken.claim(name)
		}
	}
	return l
}

func (l locals) name(name string) string {
	if renamed, ok := l.renamed[name]; ok {
		return renamed
	}
	return name
}

// surveyed is what the types of a file bring with them.
type surveyed struct {
	packages map[string]bool // names of the packages that types come from
	types    map[string]bool // names of types of the file's own package
	own      string          // its import path
}

// survey walks over every type that a generated file can mention.
func survey(f *schema.File) *surveyed {
	found := &surveyed{
		packages: map[string]bool{},
		types:    map[string]bool{},
		own:      f.Package.Path,
	}
	for _, s := range f.Sessions {
		found.types[s.Struct] = true
		for _, name := range s.Names().List() {
			found.types[name] = true
		}
		for _, field := range s.Layout {
			found.visit(field.Type)
		}
		for _, field := range s.Fields {
			found.visit(field.Type)
		}
	}
	return found
}

func (s *surveyed) visit(t *schema.Type) {
	if t == nil {
		return
	}
	s.visitName(t.Name)
	s.visit(t.Key)
	s.visit(t.Elem)
	for _, m := range t.Members {
		s.visit(m.Type)
	}
	for _, part := range t.Literal {
		s.visitName(part.Name)
	}
}

func (s *surveyed) visitName(n *schema.Name) {
	if n == nil {
		return
	}
	switch n.Path {
	case "":
	case s.own:
		s.types[n.Name] = true
	default:
		s.packages[n.Package] = true
	}
	for _, arg := range n.Args {
		s.visit(arg)
	}
}
