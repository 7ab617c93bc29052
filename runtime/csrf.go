package runtime

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// Tokens against cross-site request forgery. Nothing is stored for them: a token is
// an HMAC under the half of the cookie's secret that plain renewals keep and
// sign-ins replace, which no page shows and no store has. A page shows it behind a
// mask that differs each time, so that a compressed response leaks nothing of it
// (BREACH).

// csrfSum is the token without its mask.
type csrfSum [16]byte

var csrfText = base64.RawURLEncoding.Strict()

// CSRFToken returns a token for the forms of this response: each call another text
// for the same one. A session that does not exist yet is created for it.
func (s *Session) CSRFToken() string {
	s.lock()
	defer s.unlock()
	s.look()
	secret, ok := comingSecret(s)
	if !ok {
		return ""
	}
	s.private = true
	return secret.csrf(s.engine.kind).mask()
}

// CheckCSRF reports whether the text is a token that was made for this session since
// its last sign-in or sign-out.
func (s *Session) CheckCSRF(text string) bool {
	s.lock()
	defer s.unlock()
	s.look()
	sum, ok := unmask(text)
	if !ok || !s.hasToken || s.found || s.issued || s.contest.unasked() || s.sight == ended {
		return false
	}
	want := s.secret.show().csrf(s.engine.kind)
	return subtle.ConstantTimeCompare(sum[:], want[:]) == 1
}

// comingSecret returns the secret of the token that the client has after this response, as
// far as it matters here. It is unknown on a live connection that has changed it:
// another request brings that one.
func comingSecret(s *Session) (secret, bool) {
	switch {
	case s.phase == phaseOutside, s.found, s.contest.unasked(), s.sight == ended && !s.draft.signsIn():
		return secret{}, false
	case s.hasToken && !s.draft.signsIn() && !s.draft.signsOut():
		return s.secret.show(), s.live == nil || !s.issued
	case s.live != nil || !s.takesChanges(""):
		return secret{}, false
	case s.begun:
		_ = s.fail(ErrTooLate)
		return secret{}, false
	}
	s.life.begin = true
	if s.next == nil {
		next := newSecret().hide()
		s.next = &next
	}
	return s.next.show(), true
}

func (s secret) csrf(kind string) (sum csrfSum) {
	mac := hmac.New(sha256.New, s[:familyHalf])
	mac.Write([]byte(kind + " csrf"))
	copy(sum[:], mac.Sum(nil))
	return sum
}

func (c csrfSum) mask() string {
	var b [2 * len(c)]byte
	rand.Read(b[:len(c)])
	subtle.XORBytes(b[len(c):], b[:len(c)], c[:])
	return csrfText.EncodeToString(b[:])
}

func unmask(text string) (c csrfSum, ok bool) {
	if len(text) != csrfText.EncodedLen(2*len(c)) { // the decoder passes over ends of lines
		return c, false
	}
	b, err := csrfText.DecodeString(text)
	if err != nil || len(b) != 2*len(c) {
		return c, false
	}
	subtle.XORBytes(c[:], b[:len(c)], b[len(c):])
	return c, true
}
