package runtime

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTokenHasOneSpelling(t *testing.T) {
	want := token{newID(), newSecret()}
	text := want.text()
	if got, ok := parseToken(text); !ok || got != want {
		t.Fatalf("parseToken(%q) = %v, %v", text, got, ok)
	}
	if len(text) != 64 || strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("the token %q is not 64 characters of base64url", text)
	}
}

func TestTokenOfAnyOtherFormIsNone(t *testing.T) {
	text := token{newID(), newSecret()}.text()
	for name, malformed := range map[string]string{
		"empty":           "",
		"short":           text[:63],
		"long":            text + "A",
		"padded":          text[:60] + "AA==",
		"standard base64": strings.Repeat("+/", 32),
		"a space":         " " + text[1:],
		"line breaks":     text[:62] + "\r\n",
		"a line break":    text[:32] + "\n" + text[33:],
		"a quote":         `"` + text[1:63] + `"`,
		"not ASCII":       text[:62] + "é",
	} {
		if _, ok := parseToken(malformed); ok {
			t.Errorf("%s: %q is taken for a token", name, malformed)
		}
	}
}

// FuzzParseToken looks for a second spelling of a token.
func FuzzParseToken(f *testing.F) {
	f.Add(token{}.text())
	f.Add(strings.Repeat("_", tokenLength))
	f.Add(strings.Repeat("A", tokenLength-1) + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		if got, ok := parseToken(text); ok && got.text() != text {
			t.Errorf("%q and %q are one token", text, got.text())
		}
	})
}

func TestTokensAreRandom(t *testing.T) {
	ids, secrets := map[ID]bool{}, map[secret]bool{}
	for range 1000 {
		ids[newID()], secrets[newSecret()] = true, true
	}
	if len(ids) != 1000 || len(secrets) != 1000 {
		t.Errorf("of 1000 tokens %d ids and %d secrets differ", len(ids), len(secrets))
	}
}

// TestT1ProofBindsTheKind compares with the formula of the rule.
func TestT1ProofBindsTheKind(t *testing.T) {
	s := newSecret()
	for _, kind := range []string{"", "shop.Visitor", strings.Repeat("long/", 40)} {
		want := sha256.Sum256(bytes.Join([][]byte{[]byte(kind), {0}, s[:]}, nil))
		if s.proof(kind) != want {
			t.Errorf("the proof for kind %q is not SHA-256(kind, 0, secret)", kind)
		}
	}
	if s.proof("a") == s.proof("b") {
		t.Error("two kinds have one proof")
	}
}

func TestProofAllocatesNothing(t *testing.T) {
	s := newSecret()
	if n := testing.AllocsPerRun(100, func() { s.proof("example.com/shop/session.Visitor") }); n != 0 {
		t.Errorf("a proof takes %v allocations", n)
	}
}

func TestIDIsPrintedInHexadecimal(t *testing.T) {
	id := ID{0xab, 15: 0x01}
	if got, want := id.String(), "ab"+strings.Repeat("00", 14)+"01"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
}

func TestTokenIsIDAndSecret(t *testing.T) {
	tok := token{newID(), newSecret()}
	raw, err := base64.RawURLEncoding.DecodeString(tok.text())
	if err != nil || !bytes.Equal(raw, append(tok.id[:], tok.secret[:]...)) {
		t.Errorf("the token is not the id and the secret: %v", err)
	}
}

func TestWhatEndsInTheNormalCourseIsRoutine(t *testing.T) {
	for _, err := range []error{ErrEnded, ErrSuperseded, ErrUnbound, context.Canceled} {
		if !isRoutine(err) || !isRoutine(&Error{Err: fmt.Errorf("again: %w", err)}) {
			t.Errorf("%v is not", err)
		}
	}
	for _, err := range []error{nil, ErrConflict, ErrTooLarge, ErrNotFound, context.DeadlineExceeded} {
		if isRoutine(err) {
			t.Errorf("%v is", err)
		}
	}
}

func TestDateIsThatOfHTTP(t *testing.T) {
	dates := []time.Time{time.Unix(0, 0), time.Date(9999, 12, 31, 23, 59, 59, 999, time.UTC), time.Date(2028, 2, 29, 9, 5, 7, 0, time.FixedZone("", -3600))}
	for day := range 400 {
		dates = append(dates, time.Date(2026, 11, day, day%24, day%60, (day+7)%60, 0, time.UTC))
	}
	for _, date := range dates {
		if got, want := string(appendDate(nil, date)), date.UTC().Format(http.TimeFormat); got != want {
			t.Errorf("the date of %v is %q, want %q", date, got, want)
		}
	}
}
