package dbsc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
)

func part(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// signES256 makes a proof of a new key; its JWK takes the place of $ in the header.
func signES256(t testing.TB, header, payload string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	jwk := `{"kty":"EC","crv":"P-256","x":"` + part(string(point[1:33])) + `","y":"` + part(string(point[33:])) + `"}`
	signed := part(strings.Replace(header, "$", jwk, 1)) + "." + part(payload)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + part(string(signature))
}

func signRS256(t testing.TB, bits int, exponent string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	jwk := `{"kty":"RSA","n":"` + part(string(key.N.Bytes())) + `","e":"` + exponent + `"}`
	signed := part(`{"alg":"RS256","typ":"dbsc+jwt","jwk":`+jwk+`}`) + "." + part(`{"jti":"c"}`)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + part(string(signature))
}

const goodHeader = `{"alg":"ES256","typ":"dbsc+jwt","jwk":$}`

func verifyOwn(text string) ([]byte, error) {
	p, err := parseProof(text)
	if err != nil {
		return nil, err
	}
	return p.verifyOwn()
}

func TestAProofIsVerifiedByItsOwnKey(t *testing.T) {
	for name, text := range map[string]string{
		"ES256":          signES256(t, goodHeader, `{"jti":"c"}`),
		"further claims": signES256(t, `{"alg":"ES256","typ":"dbsc+jwt","kid":"1","jwk":$}`, `{"jti":"c","aud":"x","iat":1}`),
		"RS256":          signRS256(t, 2048, "AQAB"),
	} {
		key, err := verifyOwn(text)
		if err != nil || len(key) == 0 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		p, _ := parseProof(text)
		if p.challenge != "c" {
			t.Errorf("%s: the challenge is %q", name, p.challenge)
		}
		if err := p.verify(key); err == nil {
			t.Errorf("%s: the proof of a refresh brings a key of its own", name)
		}
		p.key = nil
		if err := p.verify(key); err != nil {
			t.Errorf("%s: by the stored key: %v", name, err)
		}
	}
}

func TestWhatIsNoProof(t *testing.T) {
	good := signES256(t, goodHeader, `{"jti":"c"}`)
	parts := strings.Split(good, ".")
	for name, text := range map[string]string{
		"nothing":            "",
		"two parts":          parts[0] + "." + parts[1],
		"four parts":         good + ".",
		"padding":            good + "=",
		"a line end":         parts[0] + "\n." + parts[1] + "." + parts[2],
		"another signature":  parts[0] + "." + parts[1] + "." + part(strings.Repeat("x", 64)),
		"a short signature":  parts[0] + "." + parts[1] + "." + part("x"),
		"another payload":    parts[0] + "." + part(`{"jti":"d"}`) + "." + parts[2],
		"another spelling":   good[:len(good)-1] + string(good[len(good)-1]+1),
		"no challenge":       signES256(t, goodHeader, `{}`),
		"an empty challenge": signES256(t, goodHeader, `{"jti":""}`),
		"a numeric one":      signES256(t, goodHeader, `{"jti":1}`),
		"another case":       signES256(t, `{"ALG":"ES256","typ":"dbsc+jwt","jwk":$}`, `{"jti":"c"}`),
		"another type":       signES256(t, `{"alg":"ES256","typ":"JWT","jwk":$}`, `{"jti":"c"}`),
		"no algorithm":       signES256(t, `{"alg":"none","typ":"dbsc+jwt","jwk":$}`, `{"jti":"c"}`),
		"another algorithm":  signES256(t, `{"alg":"RS256","typ":"dbsc+jwt","jwk":$}`, `{"jti":"c"}`),
		"an HMAC":            signES256(t, `{"alg":"HS256","typ":"dbsc+jwt","jwk":$}`, `{"jti":"c"}`),
		"a demand":           signES256(t, `{"alg":"ES256","typ":"dbsc+jwt","crit":["b64"],"jwk":$}`, `{"jti":"c"}`),
		"no key":             signES256(t, `{"alg":"ES256","typ":"dbsc+jwt"}`, `{"jti":"c"}`),
		"a point elsewhere":  signES256(t, `{"alg":"ES256","typ":"dbsc+jwt","jwk":{"kty":"EC","crv":"P-256","x":"`+part(strings.Repeat("x", 32))+`","y":"`+part(strings.Repeat("y", 32))+`"}}`, `{"jti":"c"}`),
		"another curve":      signES256(t, strings.Replace(goodHeader, "$", `{"kty":"EC","crv":"P-384","x":"","y":""}`, 1), `{"jti":"c"}`),
		"no object":          part("[]") + "." + part(`{"jti":"c"}`) + "." + part("x"),
		"null":               part("null") + "." + part(`null`) + "." + part("x"),
		"a short RSA key":    signRS256(t, 1024, "AQAB"),
		"exponent 3":         signRS256(t, 2048, "Aw"),
	} {
		if _, err := verifyOwn(text); err == nil {
			t.Errorf("%s is a proof", name)
		}
	}
}

func TestWhatIsNoKey(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	even := new(big.Int).Add(key.N, big.NewInt(1))
	rsaKey := func(n []byte, e string) string {
		return `{"kty":"RSA","n":"` + part(string(n)) + `","e":"` + e + `"}`
	}
	point, err := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	ecKey := func(kty, crv string, x, y []byte) string {
		return `{"kty":"` + kty + `","crv":"` + crv + `","x":"` + part(string(x)) + `","y":"` + part(string(y)) + `"}`
	}
	for name, jwk := range map[string]string{
		"RSA": rsaKey(key.N.Bytes(), "AQAB"),
		"EC":  ecKey("EC", "P-256", point[1:33], point[33:]),
	} {
		if _, err := parseKey([]byte(jwk)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, jwk := range map[string]string{
		"no JSON":              `{`,
		"a number as kind":     `{"kty":1}`,
		"another kind":         ecKey("OKP", "P-256", point[1:33], point[33:]),
		"another curve":        ecKey("EC", "P-384", point[1:33], point[33:]),
		"half a point":         ecKey("EC", "P-256", point[1:33], nil),
		"a long coordinate":    ecKey("EC", "P-256", point[1:33], append([]byte{0}, point[33:]...)),
		"no point":             `{"kty":"EC","crv":"P-256","x":"!","y":"!"}`,
		"an even modulus":      rsaKey(even.Bytes(), "AQAB"),
		"a padded modulus":     rsaKey(append([]byte{0}, key.N.Bytes()...), "AQAB"),
		"no modulus":           rsaKey(nil, "AQAB"),
		"a modulus of letters": `{"kty":"RSA","n":"!","e":"AQAB"}`,
		"a large modulus":      rsaKey(new(big.Int).SetBit(key.N, 4096, 1).Bytes(), "AQAB"),
		"an exponent of none":  rsaKey(key.N.Bytes(), "!"),
	} {
		if got, err := parseKey([]byte(jwk)); err != errKey || got != nil {
			t.Errorf("%s is the key %v, %v", name, got, err)
		}
	}
	if err := (&proof{}).verify([]byte("no key")); err == nil {
		t.Error("a proof is good by a stored key that is none")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// FuzzProof holds that nothing that was not signed is a proof, and nothing panics.
func FuzzProof(f *testing.F) {
	good := signES256(f, goodHeader, `{"jti":"c"}`)
	f.Add(good)
	f.Add(signES256(f, `{"alg":"ES256","typ":"dbsc+jwt"}`, `{"jti":"c"}`))
	f.Add(`e30.e30.`)
	f.Fuzz(func(t *testing.T, text string) {
		if key, err := verifyOwn(text); err == nil && text != good {
			p, err := parseProof(text)
			if err != nil {
				t.Fatal(err)
			}
			p.key = nil
			if err := p.verify(key); err != nil {
				t.Errorf("%q is good by its own key alone: %v", text, err)
			}
		}
	})
}
