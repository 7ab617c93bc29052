package read

import (
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/runtime"
)

func TestDirectivesAreToldFromProse(t *testing.T) {
	for comment, want := range map[string]commentKind{
		"//duckgen:session":                        isDirective,
		"//duckgen:session cookie=a":               isDirective,
		"//duckgen:session\tsecure":                isDirective,
		"//duckgen:sessions":                       nearMiss,
		"//duckgen:init":                           nearMiss,
		"//duckgen: session":                       nearMiss,
		"// duckgen:session":                       nearMiss,
		"// duckgen:session age=1h secure":         nearMiss,
		"//duckgen session":                        nearMiss,
		"/*duckgen:session*/":                      nearMiss,
		"/* duckgen:session cookie=a */":           nearMiss,
		"// duckgen:sesion":                        nearMiss,
		"// duckgen:session is what makes it one.": prose,
		"// duckgen generates it.":                 prose,
		"// See //duckgen:session":                 prose,
		"//go:generate go tool duckgen":            prose,
		"// duckgen":                               prose,
	} {
		if got := classify(comment); got != want {
			t.Errorf("%s is %d, not %d", comment, got, want)
		}
	}
}

func TestASourceThatIsNotLoadedShowsItsDirective(t *testing.T) {
	if !HasDirective([]byte("package p\r\n\r\n//duckgen:session age=1h\r\ntype V struct{}\r\n")) {
		t.Error("the directive is not seen")
	}
	if HasDirective([]byte("package p\n\n// Without duckgen:session.\ntype V struct{}\n")) {
		t.Error("a directive is seen where there is none")
	}
}

func TestDurationsMayHaveDays(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "7d": 7 * day, "1d12h": 36 * time.Hour, "0d1ms": time.Millisecond, "168h": 7 * day,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%s is %v (%v), not %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "7", "7dd", "1.5d", "1d-2h", "1d+2h", "-1d2h", "99999999d", "106751d24h", "x"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%q is %v, not an error", text, got)
		}
	}
}

// FuzzDirective reads any text as a directive: every setting stands where its
// place says, and no value makes a reader panic.
func FuzzDirective(f *testing.F) {
	for _, seed := range []string{
		"", " cookie=shop age=168h idle=30m", " secure path=/ samesite=none", "\tkind=a.B  reserved=a,b ", " =", " ==x",
		" age=7d12h hooks=http,lively name=X allow=A", " domain=example.com browserclose partitioned=false",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\n") {
			t.Skip("a line comment has one line")
		}
		comment := directive + text
		s := &schema.Session{}
		for _, o := range parseDirective(comment) {
			if got := comment[o.name.place():]; !strings.HasPrefix(got, o.name.text) {
				t.Fatalf("%q is not at its place in %q", o.name.text, comment)
			}
			if o.hasValue && !strings.HasPrefix(comment[o.value.place():], o.value.text) {
				t.Fatalf("the value %q is not at its place in %q", o.value.text, comment)
			}
			if rule := findSetting(o.name.text); rule != nil {
				_ = rule.read(s, o.value.text)
			}
		}
		config, problems := runtime.Configure(s.Policy.Configure)
		if len(problems) == 0 && (config.Age <= 0 || config.Age > runtime.MaxAge || config.Idle > config.Age) {
			t.Fatalf("%q gives the age %v and the idle limit %v", text, config.Age, config.Idle)
		}
	})
}
