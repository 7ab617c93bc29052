// Package dbsctest has the part of a browser that binds sessions to its device, for
// tests: a key, the proofs that it signs, and the header fields that carry them.
package dbsctest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// A Device has a key, with which it signs proofs.
type Device struct{ key *ecdsa.PrivateKey }

// NewDevice returns a device with a key of its own.
func NewDevice() *Device {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return &Device{key}
}

// Registration returns the proof by which the device registers its key.
func (d *Device) Registration(challenge string) string {
	point, err := d.key.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return d.sign(challenge, map[string]any{"jwk": map[string]string{
		"kty": "EC", "crv": "P-256",
		"x": base64.RawURLEncoding.EncodeToString(point[1:33]),
		"y": base64.RawURLEncoding.EncodeToString(point[33:]),
	}})
}

// Proof returns the proof of a refresh.
func (d *Device) Proof(challenge string) string { return d.sign(challenge, map[string]any{}) }

func (d *Device) sign(challenge string, header map[string]any) string {
	header["alg"], header["typ"] = "ES256", "dbsc+jwt"
	signed := part(header) + "." + part(map[string]string{"jti": challenge})
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, d.key, digest[:])
	if err != nil {
		panic(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func part(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// Ask makes a request one for a bound cookie: with a session's identifier that of a
// refresh, without one a registration. An empty proof is left out.
func Ask(h http.Header, session, proof string) {
	if session != "" {
		h.Set("Sec-Secure-Session-Id", `"`+session+`"`)
	}
	if proof != "" {
		h.Set("Secure-Session-Response", `"`+proof+`"`)
	}
}

// Invitation returns the challenge with which an answer invites the browser to
// register a key, empty if it does not.
func Invitation(h http.Header) string {
	_, challenge, _ := strings.Cut(h.Get("Secure-Session-Registration"), `challenge="`)
	challenge, _, _ = strings.Cut(challenge, `"`)
	return challenge
}

// Challenge returns the challenge in an answer that is to be signed next, empty if
// there is none.
func Challenge(h http.Header) string {
	challenge, _, _ := strings.Cut(strings.TrimPrefix(h.Get("Secure-Session-Challenge"), `"`), `"`)
	return challenge
}

// Session returns the identifier in the instructions of an answer, empty if it has
// none.
func Session(body io.Reader) string {
	var said struct {
		Session string `json:"session_identifier"`
	}
	_ = json.NewDecoder(body).Decode(&said)
	return said.Session
}
