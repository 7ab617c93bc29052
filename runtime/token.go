package runtime

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// The token of a session: how a request brings it, how a response gives it, what it
// is, and what a session keeps of it.

// presented is what a Cookie header has of the session's name.
type presented uint8

const (
	noCookie presented = iota
	oneToken
	malformedCookie
	severalCookies // of different values
)

// presentedBy returns the session of the kind whose token a request has brought.
func presentedBy(c carrier, brought, kind string) (identity, presented) {
	t, what := tokenIn(c, brought)
	if what != oneToken {
		return identity{}, what
	}
	return t.identity(kind), oneToken
}

// tokenIn returns the token that a request has brought. Equal ones are one.
func tokenIn(c carrier, brought string) (token, presented) {
	first, rest, found := c.next(brought)
	for found {
		var value string
		if value, rest, found = c.next(rest); found && value != first {
			return token{}, severalCookies
		}
	}
	if first == "" {
		return token{}, noCookie
	}
	t, ok := parseToken(first)
	if !ok {
		return token{}, malformedCookie
	}
	return t, oneToken
}

func (c *cookieCarrier) next(brought string) (value, rest string, found bool) {
	return c.config.Cookie.next(brought)
}

// next returns the value of the next cookie of this name in a Cookie header, and
// what follows it. It reads the header itself because [http.Request.Cookie] answers
// with the first of several, which is the one that an attacker planted on a longer
// path. A pair without = is a value without a name.
func (c *Cookie) next(header string) (value, rest string, found bool) {
	for header != "" {
		var pair string
		pair, header, _ = strings.Cut(header, ";")
		after, named := strings.CutPrefix(trimBlank(pair), c.Name)
		if !named {
			continue
		}
		if value, found = strings.CutPrefix(trimBlank(after), "="); found {
			return trimBlank(value), header, true
		}
	}
	return "", "", false
}

// trimBlank removes what browsers put around a pair, and nothing else: if other
// white space went, a cookie by another name, which a sibling subdomain may set
// whatever the prefix, would pass for this one.
func trimBlank(s string) string {
	for s != "" && isBlank(s[0]) {
		s = s[1:]
	}
	for s != "" && isBlank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// next skips credentials of another scheme, which are none of the session's.
func (c *headerCarrier) next(brought string) (value, rest string, found bool) {
	for brought != "" {
		value, brought, _ = strings.Cut(brought, ",")
		value = trimBlank(value)
		if len(value) > len(c.scheme) && strings.EqualFold(value[:len(c.scheme)], c.scheme) {
			return trimBlank(value[len(c.scheme):]), brought, true
		}
	}
	return "", "", false
}

func (c *headerCarrier) set(t token, _ *time.Time, _ time.Time) string { return c.scheme + t.text() }

// set returns the Set-Cookie line that gives the browser the token until the cookie
// ends, in seconds rounded up: a new session gets its whole age, although it is some
// microseconds old.
func (f *cookieForm) set(t token, ends *time.Time, now time.Time) string {
	var space [256]byte
	b := append(space[:0], f.name...)
	b = t.appendText(b)
	b = append(b, f.scope...)
	if ends != nil {
		seconds := max(int64((ends.Sub(now)+time.Second-1)/time.Second), 1)
		b = append(b, "; Expires="...)
		b = appendDate(b, *ends)
		b = append(b, "; Max-Age="...)
		b = strconv.AppendInt(b, seconds, 10)
	}
	b = append(b, f.flags...)
	return string(b)
}

// appendDate appends the time as [http.TimeFormat] has it. Every new session sends one,
// and package time would read the layout anew each time.
func appendDate(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = append(b, t.Weekday().String()[:3]...)
	b = appendPair(append(b, ", "...), day)
	b = append(append(b, ' '), month.String()[:3]...)
	b = appendPair(append(b, ' '), year/100)
	b = appendPair(b, year%100)
	b = appendPair(append(b, ' '), hour)
	b = appendPair(append(b, ':'), minute)
	b = appendPair(append(b, ':'), second)
	return append(b, " GMT"...)
}

// appendPair appends a number below 100 in two digits.
func appendPair(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// The text of a token is base64url without padding of 48 bytes, which fills its last
// character, so every token has exactly one spelling.
var _ [tokenLength]struct{} = [(len(ID{}) + len(secret{})) * 4 / 3]struct{}{}

// decodeSpace lets package base64 write its last eight bytes, of which six count, in
// one piece.
const decodeSpace = 2

// secret is the part of a token that changes with every renewal: its second half
// with a plain one, all of it with a sign-in and a sign-out.
type secret [32]byte

const familyHalf = len(secret{}) / 2

// hidden is a secret as a session keeps it: mixed with bytes that this process
// alone has. Package fmt prints the fields of values that do not expect it, and
// then shows no secret.
type hidden secret

var mixture = newSecret()

func (s secret) hide() (h hidden) {
	subtle.XORBytes(h[:], s[:], mixture[:])
	return h
}

func (h hidden) show() secret { return secret(secret(h).hide()) }

// token is what the cookie carries: which session, and the right to use it.
type token struct {
	id     ID
	secret secret
}

// newToken asks for all random bytes at once, which takes half as long.
func newToken() (t token) {
	var raw [len(t.id) + len(t.secret)]byte
	rand.Read(raw[:])
	copy(t.id[:], raw[:])
	copy(t.secret[:], raw[len(t.id):])
	return t
}

func newID() (id ID) {
	rand.Read(id[:])
	return id
}

func newSecret() (s secret) {
	rand.Read(s[:])
	return s
}

// renewed returns a new secret of the same family.
func (s secret) renewed() secret {
	rand.Read(s[familyHalf:])
	return s
}

// A successor is the secret of the token to come, and what puts it in the place of the
// present one.
type successor struct {
	secret  secret
	renewal Renewal
}

// successor makes that of the token. A plain renewal goes on with the family; for
// another one something may have been made of the secret already, nil for nothing.
func (i *identity) successor(kind RenewalKind, grace time.Duration, made *hidden) *successor {
	var next secret
	if kind == RenewPlain {
		next = i.secret.show().renewed()
	} else {
		next = nextSecret(made)
	}
	return &successor{next, Renewal{Kind: kind, Proof: next.proof(i.kind), Family: next.family(i.kind), Grace: grace}}
}

// nextSecret returns the secret of a token that begins a family: that of which something
// was made already, nil for none.
func nextSecret(made *hidden) secret {
	if made != nil {
		return made.show().renewed()
	}
	return newSecret()
}

// parseToken reads a token's text. It accepts nothing but the one spelling that
// text gives a token.
func parseToken(text string) (t token, ok bool) {
	if len(text) != tokenLength {
		return token{}, false
	}
	var raw [len(t.id) + len(t.secret) + decodeSpace]byte
	n, err := base64.RawURLEncoding.Decode(raw[:], []byte(text))
	if err != nil || n != len(t.id)+len(t.secret) {
		return token{}, false
	}
	copy(t.id[:], raw[:])
	copy(t.secret[:], raw[len(t.id):])
	return t, true
}

func (t token) text() string {
	var space [tokenLength]byte
	return string(t.appendText(space[:0]))
}

func (t token) appendText(b []byte) []byte {
	var raw [len(t.id) + len(t.secret)]byte
	copy(raw[:], t.id[:])
	copy(raw[len(t.id):], t.secret[:])
	return base64.RawURLEncoding.AppendEncode(b, raw[:])
}

// proof binds the secret to the kind of session, so that the token of one type
// is a wrong proof for another on the same store.
func (s secret) proof(kind string) Proof {
	var space [128]byte
	b := append(space[:0], kind...)
	b = append(b, 0)
	b = append(b, s[:]...)
	return sha256.Sum256(b)
}

// ticketProof differs from the proof of a token's secret, so that a ticket opens
// nothing as a cookie.
func (s secret) ticketProof(kind string) Proof { return s.proof(kind + " ticket") }

// family is bound to the kind of session, as the proof is.
func (s secret) family(kind string) (f Family) {
	var space [128]byte
	b := append(space[:0], kind...)
	b = append(b, " family\x00"...)
	b = append(b, s[:familyHalf]...)
	sum := sha256.Sum256(b)
	copy(f[:], sum[:])
	return f
}

// identity is which stored session a Session stands for, and with what right.
type identity struct {
	kind      string // of the session
	id        ID     // of the record, or kept for the one to be created
	secret    hidden // opens the record, if known
	proof     Proof  // of the token's secret; zero until it is first presented
	hasToken  bool   // there is a token, and it has not been found unknown
	issued    bool   // by this program: no browser has presented it yet
	confirmed bool   // the store has confirmed the token to this request or connection
	found     bool   // by an index: the proof is at hand and its secret is not
}

// identity returns the token as what a session of the kind presents.
func (t token) identity(kind string) identity {
	return identity{kind: kind, id: t.id, secret: t.secret.hide(), hasToken: true}
}

// token returns what opens the record.
func (i *identity) token() token { return token{i.id, i.secret.show()} }

// present returns the proof of the token. A secret is hashed at its first use: most
// requests do not touch their session.
func (i *identity) present() Proof {
	if i.hasToken && i.proof == (Proof{}) {
		i.proof = i.secret.show().proof(i.kind)
	}
	return i.proof
}

// presentFamily returns the family of the token, zero if its secret is not at hand.
func (i *identity) presentFamily() Family {
	if !i.hasToken || i.found {
		return Family{}
	}
	return i.secret.show().family(i.kind)
}

func (i *identity) handle() string {
	if i.id == (ID{}) {
		return ""
	}
	return i.id.String()
}
