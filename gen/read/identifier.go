package read

import (
	"fmt"
	"strings"
	"unicode"
)

func identifierRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// wellFormedKey reports whether a key is [a-z0-9_]+.
func wellFormedKey(key string) bool {
	return key != "" && strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// suggestKey says what to write as a field's key: what is made of the key that
// is there, or else of the field's name. Letters that have no Latin spelling
// make neither, since half of a name is no key that lasts.
func suggestKey(key, name string) string {
	if strings.Trim(key, " ") == "-" {
		return "write `session:\"-\"` alone to leave the field out"
	}
	for _, text := range []string{key, name} {
		if suggested := snakeCase(text); suggested != "" {
			return fmt.Sprintf("write `session:%q`", suggested)
		}
	}
	return "choose a key such as `session:\"user_name\"`"
}

// snakeCase returns the key that a name suggests: "UserID" becomes "user_id",
// "Größe" becomes "groesse". It is empty where a letter has no Latin spelling.
func snakeCase(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if startsWord(runes, i) {
			separate(&b)
		}
		lower := unicode.ToLower(r)
		switch {
		case wellFormedKey(string(lower)):
			b.WriteRune(lower)
		case latin[lower] != "":
			b.WriteString(latin[lower])
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			return ""
		case !unicode.IsMark(r):
			separate(&b)
		}
	}
	if key := strings.TrimRight(b.String(), "_"); strings.Trim(key, "_") != "" {
		return key
	}
	return ""
}

// startsWord reports whether an upper-case letter begins a word. The s of "IDs"
// does not make its D one.
func startsWord(name []rune, i int) bool {
	if i == 0 || !unicode.IsUpper(name[i]) {
		return false
	}
	if !unicode.IsUpper(name[i-1]) {
		return true
	}
	rest := name[i+1:]
	plural := len(rest) > 0 && rest[0] == 's' && (len(rest) == 1 || !unicode.IsLower(rest[1]))
	return len(rest) > 0 && unicode.IsLower(rest[0]) && !plural
}

// separate ends a word of a key.
func separate(b *strings.Builder) {
	if key := b.String(); key != "" && !strings.HasSuffix(key, "_") {
		b.WriteByte('_')
	}
}

// latin are the letters of European languages in those of keys.
var latin = spelled(map[string]string{
	"a": "àáâãāăą", "ae": "äæ", "aa": "å", "c": "çćĉċč", "d": "ďđð", "e": "èéêëēĕėęě", "g": "ĝğġģ", "h": "ĥħ",
	"i": "ìíîïĩīĭįı", "ij": "ĳ", "j": "ĵ", "k": "ķĸ", "l": "ĺļľŀł", "n": "ñńņňŉŋ", "o": "òóôõōŏő", "oe": "öøœ",
	"r": "ŕŗř", "s": "śŝşšșſ", "ss": "ß", "t": "ţťŧț", "th": "þ", "u": "ùúûũūŭůűų", "ue": "ü", "w": "ŵ", "y": "ýÿŷ",
	"z": "źżž",
})

func spelled(letters map[string]string) map[rune]string {
	spelling := map[rune]string{}
	for text, of := range letters {
		for _, letter := range of {
			spelling[letter] = text
		}
	}
	return spelling
}
