package dbsc

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// The algorithms that a browser may sign with: that of the trusted platform
// modules in use, and that of those which have no other.
const (
	es256 = "ES256"
	rs256 = "RS256"
)

var (
	errProof     = errors.New("not a proof: a JWT of the type dbsc+jwt, signed with ES256 or RS256")
	errKey       = errors.New("not a key that proofs are signed with: P-256, or RSA of 2048 to 4096 bits")
	errSignature = errors.New("the proof is not signed with the key")
	errNoKey     = errors.New("the proof of a registration has no key")
)

// A proof is what a browser signs to show that it has the key (draft, section "DBSC
// Proof JWT Syntax"). Nothing in it counts before its signature has been verified.
type proof struct {
	algorithm string
	key       json.RawMessage // the header's jwk; empty: none
	challenge string
	signed    []byte
	signature []byte
}

// parseProof takes a proof apart. Claims other than the challenge are not asked for:
// browsers send none.
func parseProof(text string) (*proof, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, errProof
	}
	var header struct{ alg, typ, crit, jwk json.RawMessage }
	if err := readObject(parts[0], members{"alg": &header.alg, "typ": &header.typ, "crit": &header.crit, "jwk": &header.jwk}); err != nil {
		return nil, err
	}
	var jti json.RawMessage
	if err := readObject(parts[1], members{"jti": &jti}); err != nil {
		return nil, err
	}
	p := &proof{algorithm: textOf(header.alg), key: header.jwk, challenge: textOf(jti)}
	p.signed = []byte(text[:len(parts[0])+1+len(parts[1])])
	var err error
	p.signature, err = decode64(parts[2])
	known := p.algorithm == es256 || p.algorithm == rs256
	if err != nil || !known || textOf(header.typ) != "dbsc+jwt" || header.crit != nil || p.challenge == "" {
		return nil, errProof
	}
	return p, nil
}

// members says where the members of an object go. Their names are compared as they
// are, which encoding/json does only for a map.
type members map[string]*json.RawMessage

// readObject reads the JSON object in a part of a JWT.
func readObject(part string, into members) error {
	b, err := decode64(part)
	if err != nil {
		return errProof
	}
	return pick(b, into)
}

func pick(object []byte, into members) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(object, &all); err != nil || all == nil {
		return errProof
	}
	for name, place := range into {
		*place = all[name]
	}
	return nil
}

// textOf returns the text of a JSON string, empty for anything else.
func textOf(raw json.RawMessage) (text string) {
	if json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return text
}

// decode64 takes the one spelling that bytes have (RFC 7515, section 2).
func decode64(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, errProof
	}
	return base64.RawURLEncoding.Strict().DecodeString(text)
}

// verifyOwn verifies the proof of a registration by the key that it brings, and
// returns that as PKIX.
func (p *proof) verifyOwn() ([]byte, error) {
	if len(p.key) == 0 {
		return nil, errNoKey
	}
	key, err := parseKey(p.key)
	if err != nil {
		return nil, err
	}
	if err := p.verifyBy(key); err != nil {
		return nil, err
	}
	return x509.MarshalPKIXPublicKey(key)
}

// verify verifies the proof of a refresh by the key of the registration.
func (p *proof) verify(key []byte) error {
	if len(p.key) > 0 {
		return fmt.Errorf("%w: it brings a key of its own", errProof)
	}
	public, err := x509.ParsePKIXPublicKey(key)
	if err != nil {
		return fmt.Errorf("the key of the registration: %w", err)
	}
	return p.verifyBy(public)
}

func (p *proof) verifyBy(key crypto.PublicKey) error {
	digest := sha256.Sum256(p.signed)
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		if p.algorithm == es256 && len(p.signature) == 64 {
			r, s := new(big.Int).SetBytes(p.signature[:32]), new(big.Int).SetBytes(p.signature[32:])
			if ecdsa.Verify(key, digest[:], r, s) {
				return nil
			}
		}
	case *rsa.PublicKey:
		if p.algorithm == rs256 && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], p.signature) == nil {
			return nil
		}
	}
	return errSignature
}

// parseKey reads a JWK (RFC 7517; RFC 7518, sections 6.2 and 6.3).
func parseKey(jwk []byte) (crypto.PublicKey, error) {
	var kty, crv, x, y, n, e json.RawMessage
	if err := pick(jwk, members{"kty": &kty, "crv": &crv, "x": &x, "y": &y, "n": &n, "e": &e}); err != nil {
		return nil, errKey
	}
	switch {
	case textOf(kty) == "EC" && textOf(crv) == "P-256":
		return parseEC(textOf(x), textOf(y))
	case textOf(kty) == "RSA":
		return parseRSA(textOf(n), textOf(e))
	default:
		return nil, errKey
	}
}

func parseEC(x, y string) (crypto.PublicKey, error) {
	point := []byte{4} // not compressed
	for _, text := range []string{x, y} {
		b, err := decode64(text)
		if err != nil || len(b) != 32 {
			return nil, errKey
		}
		point = append(point, b...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil, errKey
	}
	return key, nil
}

// usualExponent is the only one that platform modules make keys with.
const usualExponent = 65537

func parseRSA(n, e string) (crypto.PublicKey, error) {
	modulus, err := decode64(n)
	if err != nil {
		return nil, errKey
	}
	exponent, err := decode64(e)
	if err != nil || !bytes.Equal(exponent, []byte{1, 0, 1}) {
		return nil, errKey
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: usualExponent}
	if bits := key.N.BitLen(); bits < 2048 || bits > 4096 || key.N.Bit(0) == 0 || modulus[0] == 0 {
		return nil, errKey
	}
	return key, nil
}
