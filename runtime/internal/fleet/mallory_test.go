package fleet

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"github.com/duckgen/duckgen/runtime"
)

// Mallory has tokens: of sessions that she has begun, to plant them, and stolen ones.
type mallory struct {
	tokens []string
	loot   []string // Cookie fields with a bound cookie
	device *device
	copied device // what the last browser's device knew whose cookies she has stolen

	conns   []*conn
	invited *action // her own sign-in
}

// maxTokens is how many she remembers: the first ones, and the newest.
const maxTokens = 6

func (m *mallory) learns(token string) { remember(&m.tokens, token) }

func remember(list *[]string, what string) {
	if slices.Contains(*list, what) {
		return
	}
	*list = append(*list, what)
	if len(*list) > maxTokens {
		*list = slices.Delete(*list, maxTokens/2, maxTokens/2+1)
	}
}

func (m *mallory) takes(a *action) {
	var j jar
	j.take(a.lines)
	for _, c := range j {
		m.learns(c.value)
	}
	m.device.take(a.lines, a.w.now())
	switch {
	case a.exchange != nil:
		m.device.answered(a)
	case a.invites != "":
		m.invited = a
	}
}

// steals copies the cookies of a browser.
func (m *mallory) steals(b *browser) {
	b.w.copiedAll(b.jar.header())
	for _, c := range b.jar {
		m.learns(c.value)
	}
	if b.device.session != "" {
		m.copied = *b.device
	}
	if b.device.cookieAt(b.w.now()) != "" && len(b.jar) > 0 {
		remember(&m.loot, b.header())
	}
}

// header is the Cookie field of a request: one that she has copied, or one of her
// tokens or none, with her own bound cookie or none.
func (m *mallory) header(n, how int) string {
	if how%3 == 0 && len(m.loot) > 0 {
		return m.loot[n%len(m.loot)]
	}
	header := ""
	if token := m.token(n); token != "" {
		header = name + "=" + token
	}
	if how%3 == 1 {
		return withBound(header, m.device.cookie)
	}
	return header
}

// visit sends a request of Mallory's.
func (m *mallory) visit(w *world, o *op, on *process, header string) *action {
	a := &action{op: o, on: on, name: "Mallory", user: w.users + malloryID, header: header}
	return w.send(a, a.handle)
}

// connect opens a live connection.
func (m *mallory) connect(w *world, on *process, header string) {
	w.connect(&action{op: looking, on: on, name: "Mallory", user: w.users + malloryID, header: header}, &m.conns)
}

// bind has Mallory register her own key, where she is invited to or not, sign a copied
// challenge with it, or send a proof that she has copied.
func (m *mallory) bind(w *world, n int, on *process, header string) *action {
	x := &exchange{device: m.device, session: m.copied.session, challenge: m.copied.challenge}
	switch n % 4 {
	case 0:
		x.proof = m.copied.proof
	case 1:
		x.session = ""
	case 2:
		if m.invited != nil {
			x.session, x.challenge, x.invitation = "", m.invited.invites, m.invited
		}
	}
	a := &action{on: on, name: "Mallory", header: header, exchange: x}
	return w.send(a, a.bind)
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
