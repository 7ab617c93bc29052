package fleet

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"github.com/duckgen/duckgen/runtime"
)

// Mallory has tokens: of sessions that she has begun, to plant them, and stolen ones.
type mallory struct{ tokens []string }

// maxTokens is how many she remembers: the first ones, and the newest.
const maxTokens = 6

func (m *mallory) learns(token string) {
	if slices.Contains(m.tokens, token) {
		return
	}
	m.tokens = append(m.tokens, token)
	if len(m.tokens) > maxTokens {
		m.tokens = slices.Delete(m.tokens, maxTokens/2, maxTokens/2+1)
	}
}

func (m *mallory) takes(a *action) {
	var j jar
	j.take(a.lines)
	for _, c := range j {
		m.learns(c.value)
	}
}

// steals copies the cookies of a browser.
func (m *mallory) steals(b *browser) {
	b.w.copiedAll(b.jar.header())
	for _, c := range b.jar {
		m.learns(c.value)
	}
}

// visit sends a request of Mallory's, with one of her tokens or none.
func (m *mallory) visit(w *world, o *op, on *process, token string) *action {
	a := &action{op: o, on: on, name: "Mallory", user: w.users + malloryID}
	if token != "" {
		a.header = name + "=" + token
	}
	return w.send(a, a.handle)
}

// token returns one of her tokens.
func (m *mallory) token(n int) string {
	if len(m.tokens) == 0 {
		return ""
	}
	return m.tokens[n%len(m.tokens)]
}

// forged is a token that has the id of a session and a secret that is none.
func forged(token string) string {
	raw, _ := base64.RawURLEncoding.DecodeString(token)
	secret := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(append(raw[:len(runtime.ID{})], secret[:]...))
}

func idOf(token string) (id runtime.ID) {
	raw, _ := base64.RawURLEncoding.DecodeString(token)
	copy(id[:], raw)
	return id
}
