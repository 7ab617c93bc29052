package runtime

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Keys are keys for secret fields. Printing them in any way, also as a part of
// something else, shows only how many they are.
type Keys [][]byte

const keyBytes = 32

// String says how many keys they are.
func (k Keys) String() string { return fmt.Sprintf("%d hidden keys", len(k)) }

// Format implements [fmt.Formatter].
func (k Keys) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(k.String())) }

// MarshalText implements [encoding.TextMarshaler], which JSON and package log/slog
// use.
func (k Keys) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// problems returns what is certainly no key, or one too many.
func (k Keys) problems() []Problem {
	var l problemList
	say := fmt.Sprintf
	const hint = "make a key of 32 random bytes with crypto/rand"
	for i, key := range k {
		setting := say("Keys[%d]", i)
		l.demand(len(key) == keyBytes, setting, say("has %d bytes, not %d", len(key), keyBytes), hint)
		if len(key) != keyBytes {
			continue
		}
		l.demand(bytes.Count(key, key[:1]) < keyBytes, setting, "is one byte, 32 times", hint)
		first := slices.IndexFunc(k, func(other []byte) bool { return bytes.Equal(other, key) })
		l.demand(first == i, setting, say("is Keys[%d] once more", first), "give each key once, the one that seals in front")
	}
	return l
}

var errPassPhrase = errors.New("32 printable characters are a pass phrase rather than a key, which is easier to guess: " +
	"make one of 32 random bytes (openssl rand -base64 32), decode it at start, put it in front, and keep this one behind it for Age")

// passPhrases returns which of the keys seem to have been typed.
func (k Keys) passPhrases() (settings []string) {
	for i, key := range k {
		if !strings.ContainsFunc(string(key), func(r rune) bool { return r < ' ' || r > '~' }) {
			settings = append(settings, fmt.Sprintf("Keys[%d]", i))
		}
	}
	return settings
}
