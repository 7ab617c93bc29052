package read

import (
	"go/ast"
	"strings"
)

// comment returns the lines of a field's comment: that above it, or else that
// behind it.
func comment(f *ast.Field) []string {
	group := f.Doc
	if group == nil {
		group = f.Comment
	}
	text := strings.TrimSpace(group.Text())
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	if strings.HasPrefix(group.List[0].Text, "/*") {
		flushLeft(lines[1:])
	}
	return lines
}

// flushLeft removes the indentation that all lines of a block comment share,
// with the stars that some begin them with. Left in place, it would make code
// of prose.
func flushLeft(lines []string) {
	indent := -1
	for _, line := range lines {
		if text := strings.TrimLeft(line, " \t"); text != "" && (indent < 0 || len(line)-len(text) < indent) {
			indent = len(line) - len(text)
		}
	}
	starred := true
	for i, line := range lines {
		if line != "" {
			lines[i] = line[indent:]
			starred = starred && strings.HasPrefix(lines[i], "*")
		}
	}
	if !starred {
		return
	}
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(strings.TrimPrefix(line, "*"), " ")
	}
}
