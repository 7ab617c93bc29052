package layout

import (
	"bytes"
	"unicode/utf8"
)

// A kind is one of tokens: an operator is its own.
type kind byte

const (
	end     kind = 0
	word    kind = 'a' // identifiers and keywords
	number  kind = '0'
	quoted  kind = '"' // strings in double quotes
	newline kind = '\n'
	dots    kind = '_' // ...
	unknown kind = '?'
)

// A scanner finds the tokens of one declaration.
type scanner struct {
	source []byte
	at     int // behind the token
	kind   kind
	text   []byte // of the token
}

// next goes on to the next token. Line breaks are tokens, spaces are none.
func (s *scanner) next() {
	for s.at < len(s.source) && s.source[s.at] == ' ' {
		s.at++
	}
	if s.at == len(s.source) {
		s.kind, s.text = end, nil
		return
	}
	start := s.at
	s.at++
	switch c := s.source[start]; {
	case isWord(c):
		s.kind = word
		for s.at < len(s.source) && (isWord(s.source[s.at]) || isDigit(s.source[s.at])) {
			s.at++
		}
	case isDigit(c):
		s.kind = number
		for s.at < len(s.source) && isDigit(s.source[s.at]) {
			s.at++
		}
		if s.at < len(s.source) && (isWord(s.source[s.at]) || s.source[s.at] == '.') {
			s.kind = unknown // gofmt has a say in how other numbers are written
		}
	case c == '"':
		s.quoted()
	case c == '.' && bytes.HasPrefix(s.source[s.at:], []byte("..")):
		s.kind = dots
		s.at += 2
	case bytes.IndexByte([]byte("()[]{},.*&:=!\n"), c) >= 0:
		s.kind = kind(c)
	default:
		s.kind = unknown
	}
	s.text = s.source[start:s.at]
}

// quoted finds the end of a string.
func (s *scanner) quoted() {
	s.kind = unknown
	for ; s.at < len(s.source); s.at++ {
		switch c := s.source[s.at]; {
		case c == '\\':
			s.at++
		case c == '"':
			s.at++
			s.kind = quoted
			return
		case c < ' ': // gofmt may break the line at it
			return
		}
	}
	s.at = len(s.source)
}

// line returns what is left of the line of the next token, and goes behind its
// end.
func (s *scanner) line() []byte {
	line, _, _ := bytes.Cut(s.source[s.at:], []byte("\n"))
	s.at = min(s.at+len(line)+1, len(s.source))
	return line
}

// isWord takes every letter outside of ASCII: what jennifer renders is Go.
func isWord(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= utf8.RuneSelf
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
