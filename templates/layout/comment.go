package layout

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// comment copies the comment above a declaration where gofmt would not change
// it: paragraphs of plain text, and blocks of code that a tab indents.
func (p *printer) comment() {
	var above []byte // the line above
	first := true
	for bytes.HasPrefix(p.source[p.at:], []byte("//")) {
		line := p.line()
		last := !bytes.HasPrefix(p.source[p.at:], []byte("//"))
		switch {
		case len(line) == 2:
			p.must(!first && !last && len(above) > 2) // gofmt drops it
		case line[2] == '\t':
			p.must(isCode(line[3:]) && (isBlank(above) || isTabbed(above)))
		default:
			p.must(isPlain(line[2:]) && !isTabbed(above))
			p.must(!isBlank(above) || last || !isHeading(line))
		}
		p.out = append(append(p.out, line...), '\n')
		above, first = line, false
	}
}

func isBlank(line []byte) bool { return len(line) == 2 }

func isTabbed(line []byte) bool { return len(line) > 2 && line[2] == '\t' }

// isCode reports whether a line of code can be no item of a list.
func isCode(text []byte) bool {
	return len(text) > 0 && (isWord(text[0]) && text[0] < utf8.RuneSelf) && !endsBlank(text)
}

// isPlain reports whether a line is of a paragraph: it begins with one space and
// then nothing that has a meaning in doc comments.
func isPlain(text []byte) bool {
	if len(text) < 2 || text[0] != ' ' || endsBlank(text) {
		return false
	}
	switch c := text[1]; {
	case c == '[' && bytes.Contains(text, []byte("]:")): // where a link leads
		return false
	case !isWord(c) && c != '[' && c != '(' && c != '"':
		return false
	}
	return !bytes.Contains(text, []byte("``")) && !bytes.Contains(text, []byte("''")) && !bytes.ContainsAny(text, "\t\r\v\f")
}

func endsBlank(text []byte) bool {
	r, _ := utf8.DecodeLastRune(text)
	return unicode.IsSpace(r)
}

// isHeading reports whether a line may be taken for a heading of the old form
// where it stands alone. Those have no punctuation.
func isHeading(line []byte) bool {
	return !bytes.ContainsAny(line[2:], ";:!?+*/=[]{}_^°&§~%#@<\">\\") && !bytes.HasSuffix(line, []byte("."))
}
