package templates

import (
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"unicode"

	"github.com/duckgen/duckgen/gen/schema"
)

// A namespace knows which identifiers are taken: those of the sets, which it
// leaves as they are, and those that were claimed.
type namespace struct {
	sets    []map[string]bool
	claimed map[string]bool
}

func newNamespace(sets ...map[string]bool) namespace {
	return namespace{sets: sets, claimed: map[string]bool{}}
}

func (n namespace) has(name string) bool {
	return n.claimed[name] || slices.ContainsFunc(n.sets, func(set map[string]bool) bool { return set[name] })
}

// claim takes the first candidate that is free, and numbers the last one where
// none is.
func (n namespace) claim(candidates ...string) string {
	last := ""
	for _, name := range candidates {
		if !n.has(name) {
			n.claimed[name] = true
			return name
		}
		last = name
	}
	for i := 2; ; i++ {
		if name := last + strconv.Itoa(i); !n.has(name) {
			n.claimed[name] = true
			return name
		}
	}
}

// reserved returns what no generated identifier may be called, wherever it is:
// Go's own names, and that of the package, which would mislead readers.
func reserved(p schema.Package) map[string]bool {
	names := map[string]bool{p.Name: true, "init": true, "_": true}
	for _, name := range types.Universe.Names() {
		names[name] = true
	}
	return names
}

// packageNames is where package-level names are claimed. They have to avoid the
// declarations of the package, and the imports of all its files.
func packageNames(p schema.Package) namespace {
	return newNamespace(reserved(p), p.Scope, p.Imports)
}

// importNames is where the imports of this file are claimed. They have to avoid
// the declarations of the package, generated ones included, and what locals
// have given way to. The imports of other files are no concern of this one.
func (f *File) importNames() namespace {
	return newNamespace(reserved(f.Package), f.locals.given, f.Package.Scope, f.taken.claimed)
}

// locals are the names inside functions that give way to what a type may be
// called by the package.
type locals struct {
	renamed map[string]string
	given   map[string]bool // the new names
}

// localNames is every name that an emitter gives to something inside a
// function.
var localNames = []string{
	"c", "configure", "conn", "core", "ctx", "delta", "disconnect", "err", "except", "f", "handle", "i", "ids",
	"k", "m", "manager", "next", "r", "s", "store", "t", "v", "verb", "w",
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

// lowerInitial makes an exported name an unexported one: "Visitor" becomes
// "visitor", "HTTPClient" "httpClient", "ID" "id".
func lowerInitial(name string) string {
	runes := []rune(name)
	for i, r := range runes {
		last := i+1 == len(runes)
		if !unicode.IsUpper(r) || i > 0 && !last && unicode.IsLower(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(r)
	}
	return string(runes)
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

// exportedPart makes a name fit the middle of another one: "money" becomes
// "Money".
func exportedPart(name string) string {
	runes := []rune(name)
	if len(runes) > 0 && !token.IsExported(name) {
		runes[0] = unicode.ToUpper(runes[0])
	}
	return string(runes)
}
