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

// claim takes the first candidate that is free, and numbers the last one if
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
// have given way to. The imports of other files do not concern this one.
func (f *File) importNames() namespace {
	return newNamespace(reserved(f.Package), f.locals.given, f.Package.Scope, f.taken.claimed)
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

// exportedPart makes a name fit the middle of another one: "money" becomes
// "Money".
func exportedPart(name string) string {
	runes := []rune(name)
	if len(runes) > 0 && !token.IsExported(name) {
		runes[0] = unicode.ToUpper(runes[0])
	}
	return string(runes)
}
