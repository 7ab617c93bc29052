// Package layout formats the code that jennifer renders as gofmt does, and
// several times as fast. It knows the forms that generated code mostly consists
// of; a declaration with anything else in it goes to go/format.
package layout

import (
	"bytes"
	"go/format"
	"slices"
)

// Format formats declarations that blank lines separate. The result is that of
// [format.Source] for a file of them. Comments have to stand above
// declarations, and lines have to be broken where gofmt leaves them broken.
func Format(source []byte) ([]byte, error) {
	out := make([]byte, 0, len(source)+len(source)/8)
	for rest := source; len(rest) > 0; {
		var decl []byte
		decl, rest, _ = bytes.Cut(rest, []byte("\n\n"))
		if decl = bytes.TrimSpace(decl); len(decl) == 0 {
			continue
		}
		if len(out) > 0 {
			out = append(out, '\n')
		}
		p := printer{scanner: scanner{source: decl}, out: out}
		if p.declaration(); !p.lost {
			out = p.out
			continue
		}
		formatted, err := slowly(decl)
		if err != nil { // what looked like two declarations is one
			return slowly(source)
		}
		out = append(out, formatted...)
	}
	return out, nil
}

// clause makes declarations a file. Without it, gofmt would not take the comment
// above the first one for a doc comment.
var clause = []byte("package p\n\n")

// slowly is what [Format] does, by go/format alone.
func slowly(source []byte) ([]byte, error) {
	formatted, err := format.Source(slices.Concat(clause, source))
	if err != nil {
		return nil, err
	}
	return append(bytes.TrimSpace(formatted[len(clause):]), '\n'), nil
}
