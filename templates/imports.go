package templates

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"
)

// imports are the packages that a generated file imports: what each calls
// itself, by path.
type imports map[string]string

// An importSpec is one line of the import declaration.
type importSpec struct {
	path  string
	name  string
	alias bool // name is not what the package calls itself
}

// resolve names every package, by its own name wherever that is free. It
// returns them in the order of their paths.
func (i imports) resolve(taken namespace) []importSpec {
	var specs []importSpec
	for _, path := range slices.SortedFunc(maps.Keys(i), compareRank) {
		name := i[path]
		given := taken.claim(importCandidates(path, name)...)
		specs = append(specs, importSpec{path: path, name: given, alias: given != name})
	}
	slices.SortFunc(specs, func(a, b importSpec) int { return strings.Compare(a.path, b.path) })
	return specs
}

// compareRank decides who has the first choice of a name: the standard library,
// then the packages of the user's types, then duckgen's own.
func compareRank(a, b string) int {
	return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
}

func rank(path string) int {
	switch {
	case isDuckgen(path):
		return 2
	case isStandard(path):
		return 0
	default:
		return 1
	}
}

func importCandidates(path, name string) []string {
	switch rank(path) {
	case 0:
		return []string{name, "std" + name}
	case 1:
		return []string{name}
	default:
		return []string{name, "duck" + name}
	}
}

func isDuckgen(path string) bool {
	return path == runtimePath || path == codecPath || path == dbscPath || path == codectestPath
}

// isStandard reports whether the path has no host name, as gofmt's kin judge.
func isStandard(path string) bool {
	host, _, _ := strings.Cut(path, "/")
	return !strings.Contains(host, ".")
}

func (s importSpec) code() jen.Code {
	if s.alias {
		return jen.Id(s.name).Lit(s.path)
	}
	return jen.Lit(s.path)
}
