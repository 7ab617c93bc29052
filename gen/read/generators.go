package read

import (
	"go/ast"
	"go/types"
	"path"
	"slices"
	"strings"
)

// pending says which generator is to give a type methods by which it marshals
// itself, as a go:generate line has it, "" for none. It matters while these are not
// there: the stored form would depend on which generator runs first. Of stringer's
// lines none does.
func (r *resolver) pending(t *types.Named) string {
	if t.Obj().Pkg() != r.home {
		return ""
	}
	if r.generators == nil {
		r.generators = map[string]string{}
		for _, file := range r.files {
			for _, line := range generateLines(file) {
				r.note(file, line)
			}
		}
	}
	return r.generators[t.Obj().Name()]
}

// generateLines are the words of each go:generate line of a file.
func generateLines(file *ast.File) [][]string {
	var lines [][]string
	for _, group := range file.Comments {
		for _, c := range group.List {
			if rest, ok := strings.CutPrefix(c.Text, "//go:generate "); ok {
				lines = append(lines, strings.Fields(rest))
			}
		}
	}
	return lines
}

// note takes down which types a line is about. It reads those of enumer, which
// names the types, and of go-enum, which takes those of its file that say ENUM(.
func (r *resolver) note(file *ast.File, line []string) {
	tool := slices.IndexFunc(line, func(word string) bool { return isTool(word, "enumer") || isTool(word, "go-enum") })
	if tool < 0 {
		return
	}
	flags := flagsOf(line[tool+1:])
	switch {
	case isTool(line[tool], "enumer") && flags.has("text"):
		for name := range strings.SplitSeq(flags["type"], ",") {
			r.generators[name] = "enumer -text"
		}
	case isTool(line[tool], "go-enum") && flags.has("marshal"):
		for _, spec := range typeSpecs(file) {
			if strings.Contains(spec.doc.Text()+spec.Comment.Text(), "ENUM(") {
				r.generators[spec.Name.Name] = "go-enum --marshal"
			}
		}
	}
}

// isTool reports whether a word of a command line is a tool's name, import path
// or file.
func isTool(word, name string) bool {
	word, _, _ = strings.Cut(word, "@")
	return strings.TrimSuffix(path.Base(word), ".exe") == name
}

// A flagSet has the values of flags by their names.
type flagSet map[string]string

func (f flagSet) has(name string) bool {
	value, ok := f[name]
	return ok && value != "false"
}

// flagsOf reads flags with one hyphen or two, and with a value behind an equals
// sign or in the next word.
func flagsOf(words []string) flagSet {
	flags := flagSet{}
	for i, word := range words {
		name, value, found := strings.Cut(strings.TrimLeft(word, "-"), "=")
		if !strings.HasPrefix(word, "-") {
			continue
		}
		if !found && i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
			value = words[i+1]
		}
		flags[name] = strings.Trim(value, `"`)
	}
	return flags
}
