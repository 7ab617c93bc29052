package dbsc

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

func TestReadText(t *testing.T) {
	for _, c := range []struct {
		line, want string
		ok         bool
	}{
		{`"a b"`, "a b", true},
		{`"a\"\\"`, `a"\`, true},
		{` "x" `, "x", true},
		{`"x";id="y";n=1;t=?1;b=:YQ==:;f;d=@5;x=1.5;k=*a`, "x", true},
		{`"x";*a=1`, "x", true},
		{`"x";1=1`, "", false},
		{`499783f6a1f4`, "499783f6a1f4", true}, // as Chromium sends it
		{`eyJ.eyJ.a-_`, "eyJ.eyJ.a-_", true},
		{``, "", false},
		{`"x`, "", false},
		{`"x\y"`, "", false},
		{`"x" y`, "", false},
		{`"x";`, "", false},
		{`"x";A=1`, "", false},
		{`"x";a=1.`, "", false},
		{`"x";a=;b=1`, "", false},
		{`"x";a=?2`, "", false},
		{`"x";a=:%:`, "", false},
		{`"x", "y"`, "", false},
		{"\"\x7f\"", "", false},
		{`"ü"`, "", false},
		{`"` + strings.Repeat("a", maxField) + `"`, "", false},
	} {
		got, err := readText([]string{c.line})
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%.40s is %q, %v", c.line, got, err)
		}
	}
	if _, err := readText([]string{`"a"`, `"b"`}); err == nil {
		t.Error("two lines are one string")
	}
}

func TestSkipped(t *testing.T) {
	h := http.Header{fieldSkipped: {
		`unreachable;session_identifier="123", quota_exceeded;session_identifier="456"`, "server_error",
	}}
	want := []Skip{{"unreachable", "123"}, {"quota_exceeded", "456"}, {"server_error", ""}}
	if got := slices.Collect(Skipped(h)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for range Skipped(http.Header{}) {
		t.Error("nothing is a reason")
	}
}

// FuzzReadText holds that whatever is read is written as the same.
func FuzzReadText(f *testing.F) {
	for _, seed := range []string{`"a"`, `"a\\\"";id="b"`, "eyJ", `"x";n=-1.5, y`, `"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		text, err := readText([]string{line})
		if err != nil {
			return
		}
		if again, err := readText([]string{quoted(text)}); err != nil || again != text {
			t.Errorf("%q is written as %s and read as %q, %v", text, quoted(text), again, err)
		}
		for range Skipped(http.Header{fieldSkipped: {line}}) {
		}
	})
}

func TestTheEndpointTakesPostsAlone(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "PUT", "OPTIONS"} {
		w := httptest.NewRecorder()
		Handler(runtime.Binder{}).ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s is answered %d with %v", method, w.Code, w.Header())
		}
	}
}
