package read

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/duckgen/duckgen/gen/diag"
)

// directive is how the comment that makes a struct a session begins.
const directive = "//duckgen:session"

// loose matches what may be a misspelt directive: the word after the name, and
// what follows it.
var loose = regexp.MustCompile(`^(?://|/\*)\s*duckgen\s*:?\s*(\w+)[ \t]*([^\n]*)`)

// A commentKind says what a comment is to duckgen.
type commentKind uint8

const (
	prose commentKind = iota
	isDirective
	nearMiss
)

// classify tells directives and their misspellings from prose. Prose that only
// begins with the same words is left alone: a misspelt directive is followed by
// settings or nothing.
func classify(comment string) commentKind {
	if rest, ok := strings.CutPrefix(comment, directive); ok && (rest == "" || strings.ContainsAny(rest[:1], " \t\r")) {
		return isDirective
	}
	if strings.HasPrefix(comment, "//duckgen:") {
		return nearMiss
	}
	m := loose.FindStringSubmatch(comment)
	if m == nil || diag.Nearest(m[1], []string{"session"}) == "" {
		return prose
	}
	rest := strings.TrimSuffix(strings.TrimSpace(m[2]), "*/")
	for _, word := range strings.Fields(rest) {
		if !strings.Contains(word, "=") && !slices.Contains(settingNames(), word) {
			return prose
		}
	}
	return nearMiss
}

// HasDirective reports whether a source file that was not loaded declares
// sessions, as far as its lines tell.
func HasDirective(source []byte) bool {
	for line := range bytes.Lines(source) {
		if classify(strings.TrimSpace(string(line))) == isDirective {
			return true
		}
	}
	return false
}

// parseDirective reads name=value pairs between blanks. A name alone is a
// setting without value.
func parseDirective(comment string) []option {
	var settings []option
	rest := locate(comment, 0)
	for _, word := range rest.slice(len(directive), len(comment)).words() {
		name, value, hasValue := word.cut("=")
		settings = append(settings, option{name, value, hasValue})
	}
	return settings
}
