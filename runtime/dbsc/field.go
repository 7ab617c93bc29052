package dbsc

import (
	"encoding/base64"
	"errors"
	"iter"
	"net/http"
	"strings"
)

// The header fields of the draft.
const (
	fieldID        = "Sec-Secure-Session-Id"
	fieldProof     = "Secure-Session-Response"
	fieldChallenge = "Secure-Session-Challenge"
	fieldSkipped   = "Secure-Session-Skipped"
)

// maxField bounds what is read of a field: a proof of an RSA key of 4096 bits
// needs a third of it.
const maxField = 8 << 10

var errField = errors.New("not a structured field of the expected type")

// A Skip is why a browser sends a request without refreshing the bound cookie of a
// session before.
type Skip struct {
	Reason  string // "unreachable", "server_error" or "quota_exceeded"
	Session string // its handle
}

// Skipped yields what a request's header says of sessions that its browser could
// not refresh. A thief can say the same: it is a reason, and no evidence.
func Skipped(h http.Header) iter.Seq[Skip] {
	return func(yield func(Skip) bool) {
		p := parser{strings.Join(h[fieldSkipped], ", ")}
		for {
			reason, err := p.token()
			if err != nil {
				return
			}
			params, err := p.parameters()
			if err != nil || !yield(Skip{reason, params["session_identifier"]}) || !p.comma() {
				return
			}
		}
	}
}

// readText reads a field that is one string, with parameters that say nothing.
// Chromium sends proofs and identifiers without the quotes of a string, whatever they
// begin with.
func readText(lines []string) (string, error) {
	if len(lines) != 1 || len(lines[0]) > maxField {
		return "", errField
	}
	p := parser{strings.Trim(lines[0], " ")}
	text := p.run(isTokenByte)
	if text == "" {
		var err error
		if text, err = p.string(); err != nil {
			return "", err
		}
	}
	if _, err := p.parameters(); err != nil || p.rest != "" {
		return "", errField
	}
	return text, nil
}

// quoted writes a string of visible ASCII as a field has it.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// A parser reads structured fields (RFC 9651, section 4.2) as far as the draft has
// them: strings, and tokens in a list, with parameters of any type.
type parser struct{ rest string }

// next takes the next byte if it is one of the set.
func (p *parser) next(is func(byte) bool) (c byte, ok bool) {
	if p.rest == "" || !is(p.rest[0]) {
		return 0, false
	}
	c, p.rest = p.rest[0], p.rest[1:]
	return c, true
}

func (p *parser) byte(want byte) bool {
	_, ok := p.next(func(c byte) bool { return c == want })
	return ok
}

// run takes as many bytes of the set as follow.
func (p *parser) run(is func(byte) bool) string {
	n := 0
	for n < len(p.rest) && is(p.rest[n]) {
		n++
	}
	taken := p.rest[:n]
	p.rest = p.rest[n:]
	return taken
}

func (p *parser) string() (string, error) {
	if !p.byte('"') {
		return "", errField
	}
	var b strings.Builder
	for {
		c, ok := p.next(isVisibleOrSpace)
		switch {
		case !ok:
			return "", errField
		case c == '"':
			return b.String(), nil
		case c == '\\':
			if c, ok = p.next(func(c byte) bool { return c == '"' || c == '\\' }); !ok {
				return "", errField
			}
		}
		b.WriteByte(c)
	}
}

func (p *parser) token() (string, error) {
	if p.rest == "" || !isLetter(p.rest[0]) && p.rest[0] != '*' {
		return "", errField
	}
	return p.run(isTokenByte), nil
}

// parameters reads what may follow an item. Of those that are no strings, only the
// name is kept.
func (p *parser) parameters() (map[string]string, error) {
	var params map[string]string
	for p.byte(';') {
		p.run(isSpace)
		if p.rest == "" || !isLower(p.rest[0]) && p.rest[0] != '*' {
			return nil, errField
		}
		key, value := p.run(isKeyByte), ""
		if p.byte('=') {
			var err error
			if value, err = p.bare(); err != nil {
				return nil, err
			}
		}
		if params == nil {
			params = map[string]string{}
		}
		params[key] = value
	}
	return params, nil
}

// bare reads a value of any type, and returns that of a string.
func (p *parser) bare() (string, error) {
	if p.rest == "" {
		return "", errField
	}
	switch c := p.rest[0]; {
	case c == '"':
		return p.string()
	case c == '?':
		p.rest = p.rest[1:]
		return "", p.need(1, func(c byte) bool { return c == '0' || c == '1' })
	case c == ':':
		p.rest = p.rest[1:]
		text := p.run(func(c byte) bool { return isLetter(c) || isDigit(c) || c == '+' || c == '/' || c == '=' })
		if _, err := base64.StdEncoding.DecodeString(text); err != nil || !p.byte(':') {
			return "", errField
		}
		return "", nil
	case c == '-', c == '@', isDigit(c):
		return "", p.number()
	default:
		_, err := p.token()
		return "", err
	}
}

// need takes exactly n bytes of a set that more may follow of.
func (p *parser) need(n int, is func(byte) bool) error {
	if len(p.run(is)) != n {
		return errField
	}
	return nil
}

// number reads an integer, a decimal or a date.
func (p *parser) number() error {
	p.byte('@')
	p.byte('-')
	digits := p.run(isDigit)
	if digits == "" || len(digits) > 15 {
		return errField
	}
	if p.byte('.') {
		if part := p.run(isDigit); part == "" || len(part) > 3 || len(digits) > 12 {
			return errField
		}
	}
	return nil
}

// comma goes to the next member of a list, if there is one.
func (p *parser) comma() bool {
	p.run(isBlank)
	if !p.byte(',') {
		return false
	}
	p.run(isBlank)
	return p.rest != ""
}

func isSpace(c byte) bool          { return c == ' ' }
func isBlank(c byte) bool          { return c == ' ' || c == '\t' }
func isDigit(c byte) bool          { return '0' <= c && c <= '9' }
func isLower(c byte) bool          { return 'a' <= c && c <= 'z' }
func isLetter(c byte) bool         { return isLower(c | 0x20) }
func isVisibleOrSpace(c byte) bool { return ' ' <= c && c <= '~' }
func isKeyByte(c byte) bool        { return isLower(c) || isDigit(c) || strings.IndexByte("_-.*", c) >= 0 }

func isTokenByte(c byte) bool {
	return isLetter(c) || isDigit(c) || strings.IndexByte("!#$%&'*+-.^_`|~:/", c) >= 0
}
