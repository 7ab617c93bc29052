package sessiontest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// spellings are the texts in which a secret may show up: that of its token, in
// hexadecimal, in base64, raw, and as the numbers that fmt makes of bytes.
func spellings(t *testing.T, token string) []string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != 48 {
		t.Fatalf("%q is no token", token)
	}
	secret := raw[16:]
	list := []string{
		token, token[22:], string(secret), hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)),
		base64.StdEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret),
		strings.Trim(fmt.Sprint(secret), "[]"), strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", secret), "[]byte{"), "}"),
	}
	numbers, err := json.Marshal([32]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return append(list, strings.Trim(string(numbers), "[]"))
}

// printed is everything that printing and logging make of a value.
func printed(v any) string {
	var text strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&text, verb+"\n", v)
	}
	plain, structured := slog.New(slog.NewTextHandler(&text, nil)), slog.New(slog.NewJSONHandler(&text, nil))
	plain.Info("text", "value", v)
	structured.Info("json", "value", v)
	b, err := json.Marshal(v)
	fmt.Fprintln(&text, string(b), err)
	return text.String()
}

// keeper is a store that keeps what it is given and gives.
type keeper struct {
	runtime.Store
	seen []any
}

func (k *keeper) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	r, err := k.Store.Load(ctx, key)
	k.seen = append(k.seen, key, &key, r, ctx)
	return r, err
}

func (k *keeper) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	k.seen = append(k.seen, key, r, *r, ctx)
	return k.Store.Create(ctx, key, r)
}

func (k *keeper) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	result, err := k.Store.Update(ctx, key, d)
	k.seen = append(k.seen, key, d, *d, result, ctx)
	if d.Renewal != nil {
		k.seen = append(k.seen, *d.Renewal)
	}
	return result, err
}

func (k *keeper) Delete(ctx context.Context, key runtime.Key) error {
	k.seen = append(k.seen, key, ctx)
	return k.Store.Delete(ctx, key)
}

func TestTheTokenIsInTheCookieAndNowhereElse(t *testing.T) {
	s := newSite(t)
	store := &keeper{Store: s.store.Store}
	s.store.Store = store
	b := s.browser()
	var seen []any
	var tokens []string
	request := func(do func(*VisitorSession)) {
		b.do(func(w http.ResponseWriter, r *http.Request, v *VisitorSession) {
			do(v)
			seen = append(seen, v, *v, r.Context(), w, v.Err(), v.Handle())
		})
		seen = append(seen, s.lastTold())
		tokens = append(tokens, b.cookie)
		s.wait(time.Minute)
	}
	request(func(s *VisitorSession) { s.SetName("Ada"); s.SetAPIKey("k") })
	old := b.tab()
	request(func(s *VisitorSession) { s.SetUserID(7) })
	request(func(s *VisitorSession) { s.Name(); s.Renew() })
	request(func(s *VisitorSession) { s.SetName(strings.Repeat("n", 41)) }) // too large
	request(func(s *VisitorSession) { s.AppendRecent("x"); s.AddViews(1); s.Destroy(); s.SetTheme("dark") })
	old.visit(func(s *VisitorSession) { s.Name() })
	s.store.fail = func(string) error { return errOutage }
	request(func(s *VisitorSession) { s.Name(); s.SetTheme("blue") })
	s.answer("shop="+tokens[0][1:], func(s *VisitorSession) { s.Name() })
	s.answer("shop="+tokens[0]+"; shop="+tokens[1], func(s *VisitorSession) { s.Name() })

	seen = append(append(seen, s.VisitorSessions, *s.VisitorSessions), store.seen...)
	for _, err := range s.errs {
		seen = append(seen, err)
	}
	for _, e := range s.events {
		seen = append(seen, e, &e, e.String())
	}
	if len(s.errs) < 2 || len(s.events) < 2 || len(store.seen) < 20 {
		t.Fatalf("only %d errors, %d events and %d store values to look at", len(s.errs), len(s.events), len(store.seen))
	}
	var secrets []string
	for _, token := range tokens {
		secrets = append(secrets, spellings(t, token)...)
	}
	for _, v := range seen {
		text := printed(v)
		if slices.ContainsFunc(secrets, func(secret string) bool { return strings.Contains(text, secret) }) {
			t.Errorf("a %T shows a token: %.300s", v, text)
		}
	}
}

// The scan can find what it looks for.
func TestTheScanFindsATokenInEverySpelling(t *testing.T) {
	raw, _ := base64.RawURLEncoding.DecodeString(unknownToken)
	for _, v := range []any{unknownToken, [32]byte(raw[16:]), raw[16:], struct{ secret [32]byte }{[32]byte(raw[16:])}, http.Header{"A": {unknownToken}}} {
		found := false
		for _, secret := range spellings(t, unknownToken) {
			found = found || strings.Contains(printed(v), secret)
		}
		if !found {
			t.Errorf("a %T is not recognised", v)
		}
	}
}

func TestR11PrintingASessionShowsItsTypeAndHandleAndNothingElse(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.visit(func(v *VisitorSession) {
		v.SetTheme("dark")
		want := "sessiontest.Visitor(" + v.Handle() + ")"
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			if got := fmt.Sprintf(verb, v); got != want {
				t.Errorf("%s shows %s, want %s", verb, got, want)
			}
			if got := fmt.Sprintf(verb, *v); got != want {
				t.Errorf("%s of the session itself shows %s, want %s", verb, got, want)
			}
		}
		if got := fmt.Sprint([]any{v}, struct{ S *VisitorSession }{v}); got != "["+want+"] {"+want+"}" {
			t.Errorf("inside other values: %s", got)
		}
		if got, err := json.Marshal(v); err != nil || string(got) != `{"type":"sessiontest.Visitor","handle":"`+v.Handle()+`"}` {
			t.Errorf("JSON %s, %v", got, err)
		}
		var text bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "s", v)
		if got := text.String(); !strings.HasSuffix(got, " msg=m s.type=sessiontest.Visitor s.handle="+v.Handle()+"\n") {
			t.Errorf("slog %s", got)
		}
	})
	wantCalls(t, s, "update")
}

func TestR11AContextThatIsPrintedShowsNoToken(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.do(func(_ http.ResponseWriter, r *http.Request, v *VisitorSession) {
		v.Name()
		if got := fmt.Sprintf("%+v", r.Context()); got != "context.Background with sessiontest.Visitor" {
			t.Errorf("the context shows %.200s", got)
		}
	})
}

func TestR11LoggingASessionIsNoReadOfIt(t *testing.T) {
	s := newSite(t)
	res := s.signedUp().visit(func(s *VisitorSession) { _ = fmt.Sprint(s, s.LogValue()) })
	wantCalls(t, s, "")
	if got := res.Header.Get("Vary"); got != "" {
		t.Errorf("Vary %q", got)
	}
}

// ASVS 5.0, 7.6.2: there is no session before somebody asks for one.
func TestAHundredThousandAnonymousRequestsLeaveNoRecord(t *testing.T) {
	s := newSite(t)
	h := s.behind(func(_ http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		_, _, _ = v.Name(), v.UserID(), v.TakeNotice()
		v.SetTheme("light")
		v.ClearName()
		v.Renew()
	})
	r := httptest.NewRequest("GET", "/", nil)
	for range 100_000 {
		w := discard{http.Header{}}
		h.ServeHTTP(w, r)
		if len(w.header["Set-Cookie"]) > 0 {
			t.Fatal("a cookie before the first write")
		}
	}
	wantCalls(t, s, "")
	sweeper := s.store.Store.(runtime.Sweeper)
	if n, err := sweeper.Sweep(context.Background(), begin.Add(2*runtime.MaxAge)); n != 0 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestAnUntouchedRequestCostsNoStoreCallAndTwoAllocations(t *testing.T) {
	s := newSite(t)
	known := s.signedUp()
	h := s.behind(func(http.ResponseWriter, *http.Request, *VisitorSession) {})
	for name, token := range map[string]string{"known": known.cookie, "unknown": unknownToken, "none": ""} {
		r := httptest.NewRequest("GET", "/", nil)
		if token != "" {
			r.Header.Set("Cookie", "other=1; shop="+token)
		}
		w := discard{http.Header{}}
		if n := testing.AllocsPerRun(1000, func() { h.ServeHTTP(w, r) }); n > 2 {
			t.Errorf("%s: %v allocations, want at most 2", name, n)
		}
	}
	wantCalls(t, s, "")
}
