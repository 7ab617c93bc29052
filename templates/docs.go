package templates

import (
	"fmt"
	"go/build/constraint"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dave/jennifer/jen"
)

// textWidth is how long a line of a comment may become, without its slashes.
const textWidth = 77

// A doc is the text of a comment, line by line.
type doc []string

// say adds a paragraph.
func (d *doc) say(format string, args ...any) {
	d.quote(wrap(fmt.Sprintf(format, args...)))
}

// quote adds lines as they are, as a paragraph of their own.
func (d *doc) quote(lines []string) {
	if len(lines) == 0 {
		return
	}
	if len(*d) > 0 {
		*d = append(*d, "")
	}
	*d = append(*d, lines...)
}

// write adds the comment. The slashes are written here because jennifer takes a
// text that begins with some for a finished comment.
func (d doc) write(g *jen.Group) {
	for _, line := range d {
		line = inComment(line)
		switch {
		case line == "":
			g.Comment("//")
		case line[0] == '\t':
			g.Comment("//" + line)
		default:
			g.Comment("// " + line)
		}
	}
}

// inComment quotes a line that gofmt would take for a build constraint, and move
// to the top of the file, and one that others would take for a directive with a blank
// too many.
func inComment(line string) string {
	text := strings.TrimSpace(line)
	if !constraint.IsPlusBuild("// "+text) && !strings.HasPrefix(text, "go:") {
		return line
	}
	return strings.Replace(line, text, strconv.Quote(text), 1)
}

// heading is a comment of its own above the declarations that it is about.
func heading(g *jen.Group, format string, args ...any) {
	var d doc
	d.say(format, args...)
	d.write(g)
	g.Line()
}

// wrap breaks a text into lines.
func wrap(text string) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > textWidth:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// A fieldDoc is the comment of a field as its accessors carry it on.
type fieldDoc struct {
	text       []string // all of it but what deprecates the field
	deprecated []string
}

func newFieldDoc(lines []string) (d fieldDoc) {
	for paragraph := range paragraphs(lines) {
		into := &d.text
		if strings.HasPrefix(paragraph[0], "Deprecated:") {
			into = &d.deprecated
		}
		if len(*into) > 0 {
			*into = append(*into, "")
		}
		*into = append(*into, paragraph...)
	}
	return d
}

// paragraphs yields the lines between blank lines. A line is made one that
// cannot end its comment.
func paragraphs(lines []string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		var paragraph []string
		for _, line := range append(slices.Clone(lines), "") {
			line = strings.TrimRightFunc(strings.Map(printable, line), unicode.IsSpace)
			if line != "" {
				paragraph = append(paragraph, line)
				continue
			}
			if len(paragraph) > 0 && !yield(paragraph) {
				return
			}
			paragraph = nil
		}
	}
}

// printable drops what cannot stand in a line of Go source.
func printable(r rune) rune {
	switch r {
	case '\n', '\r':
		return ' '
	case 0, '\ufeff', utf8.RuneError:
		return -1
	default:
		return r
	}
}

// starts reports whether the text is a doc comment for the name already.
func (d fieldDoc) starts(name string) bool {
	return len(d.text) > 0 && strings.HasPrefix(d.text[0], name+" ")
}

// sentences is the text, of which a mere note is made a sentence.
func (d fieldDoc) sentences() []string {
	if len(d.text) == 0 || slices.Contains(d.text, "") {
		return d.text
	}
	lines := slices.Clone(d.text)
	first, last := &lines[0], &lines[len(lines)-1]
	if word, _, _ := strings.Cut(*first, " "); isPlainWord(word) {
		initial, size := utf8.DecodeRuneInString(word)
		*first = string(unicode.ToUpper(initial)) + (*first)[size:]
	}
	if end, _ := utf8.DecodeLastRuneInString(*last); unicode.IsLetter(end) || unicode.IsDigit(end) || end == ')' {
		*last += "."
	}
	return lines
}

// isPlainWord reports whether the word is not an identifier, which would change its
// meaning with a capital.
func isPlainWord(word string) bool {
	return word != "" && strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLower(r) }) < 0
}

// reads is the comment of the accessor that the field is known by: the field's
// own one if it fits, after a sentence of ours if it does not.
func (f *field) reads(name, format string, args ...any) doc {
	var d doc
	if f.doc.starts(name) {
		d.quote(f.doc.text)
	} else {
		d.say(format, args...)
		d.quote(f.doc.sentences())
	}
	d.quote(f.doc.deprecated)
	return d
}

// writes is the comment of any other accessor. Empty sentences are left out.
func (f *field) writes(sentences ...string) doc {
	var d doc
	d.say("%s", strings.Join(sentences, " "))
	d.quote(f.doc.deprecated)
	return d
}
