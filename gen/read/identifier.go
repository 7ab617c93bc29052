package read

import (
	"strings"
	"unicode"
)

func identifierRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// wellFormedKey reports whether a key is [a-z0-9_]+.
func wellFormedKey(key string) bool {
	return key != "" && strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// snakeCase returns the key that a Go name suggests: "UserID" becomes
// "user_id".
func snakeCase(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		starts := i > 0 && unicode.IsUpper(r) &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if starts && runes[i-1] != '_' {
			b.WriteByte('_')
		}
		if lower := unicode.ToLower(r); wellFormedKey(string(lower)) {
			b.WriteRune(lower)
		}
	}
	if b.Len() == 0 {
		return "key"
	}
	return b.String()
}
