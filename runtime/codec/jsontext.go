package codec

import (
	"bytes"
	"encoding/hex"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// escapeByte begins an escape in the strings of JSON values, see the package
// comment. A control character that nobody types keeps the escapes rare.
const escapeByte = 0x7f

const hexDigits = "0123456789abcdef"

// escape returns s in a form that JSON and Postgres keep: s itself, most often.
func escape(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 && !escaped(s) {
		return s
	}
	b := make([]byte, 0, len(s)+8)
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == 0 || r == escapeByte || r == utf8.RuneError && size == 1 {
			b = append(b, escapeByte, hexDigits[s[0]>>4], hexDigits[s[0]&0xf])
		} else {
			b = append(b, s[:size]...)
		}
		s = s[size:]
	}
	return string(b)
}

func escaped(text string) bool { return strings.IndexByte(text, escapeByte) >= 0 }

// unescape returns the string whose escaped form text is. It may be text itself.
func unescape(text []byte) (s []byte, ok bool) {
	i := bytes.IndexByte(text, escapeByte)
	if i < 0 {
		return text, true
	}
	for s = make([]byte, 0, len(text)); i >= 0; i = bytes.IndexByte(text, escapeByte) {
		s = append(s, text[:i]...)
		if len(text) < i+3 {
			return nil, false
		}
		var err error
		if s, err = hex.AppendDecode(s, text[i+1:i+3]); err != nil {
			return nil, false
		}
		text = text[i+3:]
	}
	return append(s, text...), true
}

// appendQuoted writes valid UTF-8 as a JSON string.
func appendQuoted(b []byte, text string) []byte {
	b = append(b, '"')
	done := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, text[done:i]...)
		done = i + 1
		if c >= ' ' {
			b = append(b, '\\', c)
		} else {
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		}
	}
	b = append(b, text[done:]...)
	return append(b, '"')
}

// readQuoted reads a JSON string, and white space around it. The text, which is
// valid UTF-8, may be part of b.
func readQuoted(b []byte) (text, rest []byte, err error) {
	const want = "a string"
	if first(b) != '"' {
		return nil, nil, unexpected(b, want)
	}
	inner := skipSpace(b)[1:]
	n, plain := scanQuoted(inner)
	if n < 0 {
		return nil, nil, mismatch(want, "one that is cut short or has a control character")
	}
	text, rest = inner[:n], skipSpace(inner[n+1:])
	if !utf8.Valid(text) {
		return nil, nil, mismatch(want, "one that is not UTF-8")
	}
	if plain {
		return text, rest, nil
	}
	text, ok := unquote(text)
	if !ok {
		return nil, nil, mismatch(want, "one with an invalid escape")
	}
	return text, rest, nil
}

// scanQuoted returns how many bytes precede the closing quote, or -1, and
// whether there is no backslash among them.
func scanQuoted(b []byte) (n int, plain bool) {
	plain = true
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return i, plain
		case c == '\\':
			plain = false
			i++
		case c < ' ':
			return -1, false
		}
	}
	return -1, false
}

// unquote replaces the backslash escapes of JSON (RFC 8259, section 7). A lone
// surrogate is no character and is refused.
func unquote(text []byte) (s []byte, ok bool) {
	s = make([]byte, 0, len(text))
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return append(s, text...), true
		}
		s = append(s, text[:i]...)
		r, size := unquoteRune(text[i:])
		if size == 0 {
			return nil, false
		}
		s = utf8.AppendRune(s, r)
		text = text[i+size:]
	}
}

// unquoteRune returns the character that the escape at the beginning of text
// stands for, and the escape's size, which is 0 where it is invalid.
func unquoteRune(text []byte) (r rune, size int) {
	if len(text) < 2 {
		return 0, 0
	}
	switch c := text[1]; c {
	case '"', '\\', '/':
		return rune(c), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	}
	first, ok := hexRune(text)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(first) {
		return first, 6
	}
	second, ok := hexRune(text[6:])
	if r := utf16.DecodeRune(first, second); ok && r != utf8.RuneError {
		return r, 12
	}
	return 0, 0
}

// hexRune reads an escape of \u and four hexadecimal digits.
func hexRune(text []byte) (r rune, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var unit [2]byte
	if _, err := hex.Decode(unit[:], text[2:6]); err != nil {
		return 0, false
	}
	return rune(unit[0])<<8 | rune(unit[1]), true
}
