package dbsc

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The examples of RFC 7515, appendix A.2 and A.3.
const (
	exampleClaims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

	exampleRSAKey = `{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp` +
		`-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSX` +
		`ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud` +
		`F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}`
	exampleRSASignature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5ju" +
		"jGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN93" +
		"83LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtV" +
		"rBp0igcN_IoypGlUPQGe77Rw"

	exampleECKey = `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",` +
		`"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`
	exampleECSignature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)

// Their payload has no challenge, so they are no proofs; the keys and signatures are
// those of any JWT.
func TestExamplesOfRFC7515AreVerified(t *testing.T) {
	for _, c := range []struct{ algorithm, header, signature, key string }{
		{rs256, "eyJhbGciOiJSUzI1NiJ9", exampleRSASignature, exampleRSAKey},
		{es256, "eyJhbGciOiJFUzI1NiJ9", exampleECSignature, exampleECKey},
	} {
		key, err := parseKey([]byte(c.key))
		if err != nil {
			t.Errorf("%s: %v", c.algorithm, err)
			continue
		}
		signature, err := decode64(c.signature)
		if err != nil {
			t.Fatal(err)
		}
		p := proof{algorithm: c.algorithm, signed: []byte(c.header + "." + exampleClaims), signature: signature}
		if err := p.verifyBy(key); err != nil {
			t.Errorf("%s: %v", c.algorithm, err)
		}
		signature[len(signature)-1] ^= 1
		if err := p.verifyBy(key); err == nil {
			t.Errorf("%s: another signature is good", c.algorithm)
		}
		if _, err := parseProof(string(p.signed) + "." + c.signature); err == nil {
			t.Errorf("%s: a JWT of another type is a proof", c.algorithm)
		}
	}
}

// TestTheSignatureOfAProofIsTwoNumbers has the one form of RFC 7518, section 3.4, and not
// the ASN.1 of others.
func TestTheSignatureOfAProofIsTwoNumbers(t *testing.T) {
	key, err := parseKey([]byte(exampleECKey))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := decode64(exampleECSignature)
	if err != nil {
		t.Fatal(err)
	}
	// The second number begins with a set bit, which ASN.1 takes for a sign.
	der := slices.Concat([]byte{0x30, 69, 2, 32}, raw[:32], []byte{2, 33, 0}, raw[32:])
	p := proof{algorithm: es256, signed: []byte("eyJhbGciOiJFUzI1NiJ9." + exampleClaims), signature: der}
	digest := sha256.Sum256(p.signed)
	if !ecdsa.VerifyASN1(key.(*ecdsa.PublicKey), digest[:], der) {
		t.Fatal("the example is not written as ASN.1")
	}
	if err := p.verifyBy(key); err == nil {
		t.Error("a signature in ASN.1 is good")
	}
}

// A fieldVector is a test of the HTTP working group for structured fields.
type fieldVector struct {
	Name     string
	Raw      []string
	Type     string `json:"header_type"`
	Expected json.RawMessage
	MustFail bool `json:"must_fail"`
	CanFail  bool `json:"can_fail"`
}

// fieldVectors returns the tests of a file that are of the type, and of one line.
func fieldVectors(t *testing.T, file, of string) (vectors []fieldVector) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "structured-fields", file))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	vectors = slices.DeleteFunc(vectors, func(v fieldVector) bool { return v.Type != of || len(v.Raw) != 1 })
	if len(vectors) == 0 {
		t.Fatalf("%s has none", file)
	}
	return vectors
}

func TestStringsAsTheWorkingGroupHasThem(t *testing.T) {
	for _, v := range fieldVectors(t, "string.json", "item") {
		if !strings.HasPrefix(v.Raw[0], `"`) {
			continue // Chromium sends what is not quoted, see readText
		}
		got, err := readText(v.Raw)
		if v.MustFail != (err != nil) {
			t.Errorf("%s: %q, %v", v.Name, got, err)
			continue
		}
		var want []any
		if _ = json.Unmarshal(v.Expected, &want); !v.MustFail && got != want[0] {
			t.Errorf("%s: %q, want %q", v.Name, got, want[0])
		}
	}
}

// What a parameter may have is what an item may be.
func TestParametersAsTheWorkingGroupHasThem(t *testing.T) {
	for _, file := range []string{"string.json", "number.json", "binary.json", "boolean.json", "token.json"} {
		for _, v := range fieldVectors(t, file, "item") {
			if v.Raw[0] != strings.Trim(v.Raw[0], " ") {
				continue // around an item, not around a parameter
			}
			if got, err := readText([]string{`"x";k=` + v.Raw[0]}); !v.CanFail && v.MustFail != (err != nil) {
				t.Errorf("%s: %s: %q, %v", file, v.Name, got, err)
			}
		}
	}
}

func TestListsOfTokensAsTheWorkingGroupHasThem(t *testing.T) {
	for _, v := range fieldVectors(t, "param-list.json", "list") {
		var want []string
		var members [][]json.RawMessage
		if err := json.Unmarshal(v.Expected, &members); err != nil && !v.MustFail {
			t.Fatal(err)
		}
		for _, m := range members {
			var token struct{ Value string }
			if err := json.Unmarshal(m[0], &token); err != nil {
				t.Fatal(err)
			}
			want = append(want, token.Value)
		}
		var got []string
		for skip := range Skipped(http.Header{fieldSkipped: v.Raw}) {
			got = append(got, skip.Reason)
		}
		if !v.MustFail && !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", v.Name, got, want)
		}
	}
}
