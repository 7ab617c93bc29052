package layout

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// known are declarations as jennifer renders them, in every form that is known.
var known = map[string]string{
	"a method":                "func (s * Visitor) Name () string {\nreturn visitorName . Get (s . core)\n}",
	"parameters and results":  "func F (a int,c [3] [] map[string] Pair[int,[]byte],b ... * p.T) (int,error) {\nreturn f (a,b ...),nil\n}",
	"named results":           "func F () (a func (),err error) {\nreturn f ()\n}",
	"parameters of functions": "func F (b func (),a ... func (* p.T,int) error) {\nf (a ...)\n}",
	"statements": "func F () {\na,err := f (b,func (c * p.C) {\nc . A . B = \"x\\\"y\"\nc . D = 24 * time.Hour\n},e ...)\n" +
		"if err != nil {\nreturn nil,err\n}\nids := make ([] * p.T,len (e))\nfor i,s := range e {\nids [i] = s . core\n}\nreturn & T {a},nil\n}",
	"a value over lines": "func F () T {\nreturn T {\nA:f (x),\nLonger:g (x),\nB:h {a:1},\n}\n}",
	"values of one line and of several": "var x = T {\nA:1,\nLonger:2,\nF:func (a int) int {\nreturn a\n},\nB:f (\n1,\n),\n" +
		"Q:3,\nLongest:4,\n}",
	"variables":        "var (\na = p.T[int] {\nField:p.Field {Key:\"a\",Index:true},\nC:codec . Int[int] (),\n}\nlonger = p.T[string] {\nField:p.Field {},\n}\n)",
	"arguments":        "var x = f (\n\"a\",\n& b,\nfunc (core * p.T) V {\nreturn V {core}\n},\n)",
	"a struct type":    "type T struct {\na * p.T[X]\nlonger [] int\n}",
	"a conversion":     "var _ = struct {\nA int\nLonger p.T\n}(T {})",
	"a comment":        "// F does [x.Y] (or not): \"z\".\n//\n// More of it.\n//\n//\tkey type\n//\tother map[string]int\nfunc F () {\nf ()\n}",
	"letters of any":   "// Größe ist ein Maß.\nfunc (s * T) Größe () {\ns . grö . ß (\"世界\")\n}",
	"columns of runes": "type T struct {\nGröße int\nabcdef string\n}",
}

func TestKnownFormsAreLaidOutAsGofmtDoes(t *testing.T) {
	for name, source := range known {
		p := printer{scanner: scanner{source: []byte(source)}}
		if p.declaration(); p.lost {
			t.Errorf("%s: lost behind\n%s", name, p.out)
			continue
		}
		same(t, name, source)
	}
}

func TestOtherFormsGoToGofmt(t *testing.T) {
	for name, source := range map[string]string{
		"a heading in a comment":         "// F does.\n//\n// Heading\n//\n// More of it.\nfunc F () {\nf ()\n}",
		"a list in a comment":            "// F does:\n//   - this\n//   - that\nfunc F () {\nf ()\n}",
		"a numbered list":                "// F does:\n//\n//\t1. this\n//\t2. that\nfunc F () {\nf ()\n}",
		"quotes in a comment":            "// F does ``this''.\nfunc F () {\nf ()\n}",
		"a link in a comment":            "// F does [this].\n//\n// [this]: https://example.com\n// More.\nfunc F () {\nf ()\n}",
		"code right below text":          "// F does\n//\tthis\nfunc F () {\nf ()\n}",
		"blank lines in a comment":       "//\n// F does.\n//\n//\n// More.\n//\nfunc F () {\nf ()\n}",
		"a directive":                    "// F does.\n//go:noinline\nfunc F () {\nf ()\n}",
		"a hash in a comment":            "// F does.\n//\n// # This\nfunc F () {\nf ()\n}",
		"a function of one line":         "var f = func (v * T) * int { return & v . X }",
		"an empty body":                  "func F () {}",
		"an embedded field":              "type T struct {\nInner\nA int\n}",
		"a struct in a struct":           "type T struct {\nA struct {\nB int\n}\nLonger int\n}",
		"an operator":                    "func F () {\nf (a + b * c)\n}",
		"a number":                       "var x = f (\n0XFF,\n1E3,\n)",
		"a key that is too long to tell": "var x = T {\nA:1,\n" + strings.Repeat("x", 120) + ":2,\nB:3,\n}",
		"a form feed in a string":        "var A=A(\n\"\f\",\n)",
		"a constant":                     "const _ = p . X",
		"a comment behind code":          "func F () {\nf () // x\n}",
		"a string of several lines":      "var x = f (\n`a\n\nb`,\n)",
		"two declarations":               "func F () {\nf (a+b)\n}\n\nfunc G () {\ng (a+b)\n}",
	} {
		same(t, name, source)
	}
}

func same(t *testing.T, name, source string) {
	t.Helper()
	got, err := Format([]byte(source))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	want, err := slowly([]byte(source))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not as gofmt has it (-gofmt +got):\n%s", name, diff)
	}
}

func TestWhatIsNoGoIsAnError(t *testing.T) {
	if out, err := Format([]byte("func F () {\nf (\n}")); err == nil {
		t.Errorf("no error, but\n%s", out)
	}
}

// FuzzFormat holds whatever is laid out here to gofmt.
func FuzzFormat(f *testing.F) {
	for _, source := range known {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		p := printer{scanner: scanner{source: []byte(source)}}
		if p.declaration(); p.lost {
			return
		}
		want, err := slowly([]byte(source))
		if err != nil {
			t.Skip("no Go: jennifer does not render that")
		}
		if diff := cmp.Diff(string(want), string(p.out)); diff != "" {
			t.Errorf("not as gofmt has it (-gofmt +got):\n%s", diff)
		}
	})
}
