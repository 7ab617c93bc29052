package diag

import (
	"encoding/json"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

func collect(dir string) *Collector {
	c := NewCollector(dir)
	at := func(name string, line, column int) token.Position {
		return token.Position{Filename: filepath.Join(dir, name), Line: line, Column: column}
	}
	c.Add(Finding{Pos: at("b.go", 1, 1), Code: BadKey, Message: "last", Package: "p"})
	c.Add(Finding{Pos: at("a.go", 10, 2), Code: BadKey, Message: "third", Package: "p"})
	c.Add(Finding{Pos: at("a.go", 9, 30), Code: BadKey, Message: "second", Hint: "do it", Package: "p"})
	c.Add(Finding{Pos: at("a.go", 9, 4), Code: BadKey, Message: "first", Package: "q"})
	c.Add(Finding{Pos: at("a.go", 10, 2), Code: BadKey, Message: "third", Package: "p"})
	return c
}

func TestFindingsArePrintedOnceAndInOrder(t *testing.T) {
	var b strings.Builder
	if err := Print(&b, collect(t.TempDir()).Findings()); err != nil {
		t.Fatal(err)
	}
	want := `a.go:9:4: first [DG024]
a.go:9:30: second [DG024]
	hint: do it
a.go:10:2: third [DG024]
b.go:1:1: last [DG024]
duckgen: 4 errors in 2 packages
`
	if b.String() != want {
		t.Errorf("printed:\n%s\nwanted:\n%s", b.String(), want)
	}
}

func TestNothingIsPrintedWithoutFindings(t *testing.T) {
	var b strings.Builder
	if err := Print(&b, nil); err != nil || b.Len() > 0 {
		t.Errorf("printed %q (%v)", b.String(), err)
	}
}

func TestSummaryCountsInEnglish(t *testing.T) {
	if got := Summary([]Finding{{Package: "p"}}); got != "1 error in 1 package" {
		t.Error(got)
	}
}

func TestFindingsAsJSON(t *testing.T) {
	got, err := json.Marshal(collect(t.TempDir()).Findings()[1])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"file":"a.go","line":9,"column":30,"code":"DG024","message":"second","hint":"do it","package":"p"}`
	if string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestAFindingWithoutAFileNamesItsPackage(t *testing.T) {
	c := NewCollector(t.TempDir())
	c.Add(Finding{Code: PackageLoad, Message: "it is empty", Package: "example.com/p"})
	if got := c.Findings()[0].String(); got != "example.com/p: it is empty [DG001]" {
		t.Error(got)
	}
}

func TestNearestSpelling(t *testing.T) {
	options := []string{"default", "index", "max", "merge", "once", "renew", "secret", "was"}
	for word, want := range map[string]string{
		"deafult": "default", "defualt": "default", "idx": "", "indx": "index", "Max": "max", "mx": "max",
		"renwe": "renew", "omitempty": "", "": "", "was_": "was",
	} {
		if got := Nearest(word, options); got != want {
			t.Errorf("Nearest(%q) = %q, not %q", word, got, want)
		}
	}
}

func TestCodesAreDistinctAndInOrder(t *testing.T) {
	last := Code("")
	for _, code := range Codes() {
		if code <= last || !strings.HasPrefix(string(code), "DG") || len(code) != 5 {
			t.Errorf("%s follows %s", code, last)
		}
		last = code
	}
}
