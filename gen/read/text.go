package read

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A located is a piece of text with the place of each byte in the literal or
// comment that it was taken from. The end has a place, too.
type located struct {
	text string
	at   []int
}

// locate returns text that begins at an offset and stands there as it is.
func locate(text string, offset int) located {
	at := make([]int, len(text)+1)
	for i := range at {
		at[i] = offset + i
	}
	return located{text, at}
}

func (l located) slice(from, to int) located {
	return located{l.text[from:to], l.at[from : to+1]}
}

func (l located) place() int { return l.at[0] }

// cut slices l around the first separator.
func (l located) cut(separator string) (before, after located, found bool) {
	i := strings.Index(l.text, separator)
	if i < 0 {
		return l, located{}, false
	}
	return l.slice(0, i), l.slice(i+len(separator), len(l.text)), true
}

// words returns the parts between blanks.
func (l located) words() []located {
	var words []located
	start := -1
	for i := 0; i <= len(l.text); i++ {
		blank := i == len(l.text) || l.text[i] == ' ' || l.text[i] == '\t' || l.text[i] == '\r'
		switch {
		case blank && start >= 0:
			words = append(words, l.slice(start, i))
			start = -1
		case !blank && start < 0:
			start = i
		}
	}
	return words
}

// unquote returns what a Go string literal stands for. The second result is
// false where it is no literal.
func (l located) unquote() (located, bool) {
	text, err := strconv.Unquote(l.text)
	if err != nil {
		return located{}, false
	}
	inner := l.slice(1, len(l.text)-1)
	if l.text[0] == '`' {
		return inner, len(inner.text) == len(text)
	}
	result := located{text: text}
	for rest := inner.text; rest != ""; {
		r, multibyte, tail, err := strconv.UnquoteChar(rest, '"')
		if err != nil {
			return located{}, false
		}
		size := 1
		if multibyte {
			size = utf8.RuneLen(r)
		}
		for range size {
			result.at = append(result.at, inner.at[len(inner.text)-len(rest)])
		}
		rest = tail
	}
	result.at = append(result.at, inner.at[len(inner.text)])
	return result, len(result.at) == len(text)+1
}
