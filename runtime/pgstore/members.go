package pgstore

import (
	"encoding/json"
	"iter"
	"strings"
)

// members yields the members of an object as Postgres spells it: no white space
// but one space behind ',' and ':'. Names and values are parts of the text where
// that is possible. The first thing that cannot be read ends the loop and is the
// error.
func members(object string, err *error) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		if object == "{}" {
			return
		}
		rest, ok := strings.CutPrefix(object, "{")
		for more := true; more; {
			var name, value string
			if ok {
				name, value, rest, ok = cutMember(rest)
			}
			if !ok {
				*err = errDamaged
				return
			}
			if !yield(name, value) {
				return
			}
			rest, more = strings.CutPrefix(rest, ", ")
		}
		if rest != "}" {
			*err = errDamaged
		}
	}
}

// cutMember cuts off the member that the text begins with.
func cutMember(text string) (name, value, rest string, ok bool) {
	quoted := stringEnd(text)
	if quoted == 0 {
		return "", "", "", false
	}
	if name, ok = unquote(text[:quoted]); !ok {
		return "", "", "", false
	}
	if rest, ok = strings.CutPrefix(text[quoted:], ": "); !ok {
		return "", "", "", false
	}
	end := valueEnd(rest)
	return name, rest[:end], rest[end:], end > 0
}

func unquote(quoted string) (text string, ok bool) {
	if strings.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1], true
	}
	return unescape(quoted)
}

// unescape is apart because what it returns is on the heap.
func unescape(quoted string) (text string, ok bool) {
	return text, json.Unmarshal([]byte(quoted), &text) == nil
}

// stringEnd returns the length of the string that the text begins with, 0 where
// there is none.
func stringEnd(text string) int {
	if text == "" || text[0] != '"' {
		return 0
	}
	for i := 1; ; i++ {
		n := strings.IndexByte(text[i:], '"')
		if n < 0 {
			return 0
		}
		i += n
		if !escaped(text[1:i]) {
			return i + 1
		}
	}
}

// escaped reports whether what follows the text is escaped: an odd number of
// backslashes ends it.
func escaped(text string) bool {
	return (len(text)-len(strings.TrimRight(text, `\`)))%2 == 1
}

// valueEnd returns the length of the value that the text begins with: what
// follows is the ',' or '}' of the object around it.
func valueEnd(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			n := stringEnd(text[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
		case '{', '[':
			depth++
		case ']':
			depth--
		case '}', ',':
			if depth == 0 {
				return i
			}
			if text[i] == '}' {
				depth--
			}
		}
	}
	return 0
}
