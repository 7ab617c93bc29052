package duckvet_test

import (
	"fmt"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"github.com/duckgen/duckgen/duckvet"
	"github.com/duckgen/duckgen/gen"
	"github.com/duckgen/duckgen/gen/stale"
	"github.com/duckgen/duckgen/internal/testtier"
)

// A program is a part of a module, with a package of sessions.
type program struct {
	*testing.T
	dir  string
	path string // import path of that
}

// userNeeds are the modules that a program with a session package requires besides.
var userNeeds = regexp.MustCompile(`github.com/(tinylib/msgp|philhofer/fwd) v\S+`)

// newModule makes a module under the go.mod that a user would have. As it is complete,
// duckgen needs no go command for most packages.
func newModule(t *testing.T) *program {
	t.Helper()
	testtier.NotShort(t, "the go command compiles a module")
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", "")
	t.Setenv("CGO_ENABLED", "")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t, dir, "example.com/user"}
	p.write("go.mod", fmt.Sprintf(`module example.com/user

go 1.26.0

require (
	github.com/duckgen/duckgen v0.0.0
	%s
)

replace github.com/duckgen/duckgen => %q
`, strings.Join(userNeeds.FindAllString(p.read(filepath.Join(repository(t), "go.mod")), -1), "\n\t"), repository(t)))
	p.write("go.sum", p.read(filepath.Join(repository(t), "go.sum")))
	return p
}

func repository(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// part returns a part of the module that has the session package of the shop.
func (p *program) part(name string) *program {
	p.Helper()
	part := &program{p.T, filepath.Join(p.dir, name), p.path + "/" + name}
	part.write("session/session.go", p.read(filepath.Join(repository(p.T), "examples", "shop", "session", "session.go")))
	part.generate()
	return part
}

func (p *program) read(path string) string {
	p.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		p.Fatal(err)
	}
	return string(content)
}

func (p *program) write(name, content string) {
	p.Helper()
	path := filepath.Join(p.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		p.Fatal(err)
	}
}

func (p *program) remove(name string) {
	p.Helper()
	if err := os.Remove(filepath.Join(p.dir, filepath.FromSlash(name))); err != nil {
		p.Fatal(err)
	}
}

// replace changes a file where it has a text.
func (p *program) replace(name, old, new string) {
	p.Helper()
	before := p.read(filepath.Join(p.dir, filepath.FromSlash(name)))
	after := strings.Replace(before, old, new, 1)
	if after == before {
		p.Fatalf("%s does not have %q", name, old)
	}
	p.write(name, after)
}

func (p *program) generate() {
	p.Helper()
	if _, err := p.result().Write(); err != nil {
		p.Fatal(err)
	}
}

func (p *program) result() *gen.Result {
	p.Helper()
	result, err := gen.Generate(p.Context(), gen.Config{Dir: p.dir, Patterns: []string{"./..."}})
	if err != nil {
		p.Fatal(err)
	}
	return result
}

// check is what duckgen check says: the state of each file that is not up to
// date, and the codes of findings by their lines.
func (p *program) check() map[string]string {
	p.Helper()
	verdict := map[string]string{}
	result := p.result()
	for _, f := range result.Findings {
		verdict[fmt.Sprintf("%s:%d", filepath.Base(f.Pos.Filename), f.Pos.Line)] = string(f.Code)
	}
	changes, err := result.Changes()
	if err != nil {
		p.Fatal(err)
	}
	for _, c := range changes {
		verdict[filepath.Base(c.Path)] = string(stale.Of(c))
	}
	return verdict
}

// analyse runs the analyzer as a standalone program does, over everything below. It
// reads the sources of what is imported, too, so that the go command compiles nothing.
func (p *program) analyse(tests bool) findings {
	p.Helper()
	loaded, err := packages.Load(&packages.Config{
		Context: p.Context(),
		Mode:    packages.LoadAllSyntax | packages.NeedModule,
		Dir:     p.dir,
		Tests:   tests,
	}, "./...")
	if err != nil {
		p.Fatal(err)
	}
	graph, err := checker.Analyze([]*analysis.Analyzer{duckvet.Stale}, loaded, nil)
	if err != nil {
		p.Fatal(err)
	}
	var list findings
	for _, action := range graph.Roots {
		if action.Err != nil {
			p.Fatal(action.Err)
		}
		for _, d := range action.Diagnostics {
			list = append(list, finding{d, action.Package})
		}
	}
	return list
}

type findings []finding

type finding struct {
	analysis.Diagnostic
	pkg *packages.Package
}

func (f finding) at() token.Position { return f.pkg.Fset.Position(f.Pos) }

func (f finding) String() string { return fmt.Sprintf("%s: %s (%s)", f.at(), f.Message, f.URL) }

// of returns the findings in the directory of a program and below.
func (list findings) of(p *program) findings {
	var own findings
	for _, f := range list {
		if strings.HasPrefix(f.at().Filename, p.dir+string(filepath.Separator)) {
			own = append(own, f)
		}
	}
	return own
}

// verdict is what findings say, in the form of check. Several passes over one
// package may say the same.
func (list findings) verdict() map[string]string {
	said := map[string]string{}
	for _, f := range list {
		if file, rest, ok := strings.Cut(f.Message, " is "); ok && strings.HasSuffix(file, ".go") {
			said[file], _, _ = strings.Cut(rest, ":")
		} else if _, code, ok := strings.Cut(f.Message, "[DG"); ok {
			said[fmt.Sprintf("%s:%d", filepath.Base(f.at().Filename), f.at().Line)] = "DG" + code[:3]
		}
	}
	return said
}

const testSessions = `

// Guest is a session of the tests.
//
//duckgen:session cookie=guest
type Guest struct {
	Name string ` + "`session:\"name\"`" + `
}
`

// needsC is the name of the case for which the go command needs a C compiler.
const needsC = "sessions beside C"

// staleCases are what can become of a package. The want is what duckgen check
// says of it.
var staleCases = []staleCase{
	{"up to date", func(*program) {}, map[string]string{}},
	{"a new field", func(p *program) {
		p.replace("session/session.go", "type Visitor struct {", "type Visitor struct {\n\tAge int `session:\"age\"`")
	}, map[string]string{"session_duckgen.go": "stale"}},
	{"a removed field", func(p *program) {
		p.replace("session/session.go", "Visits int64 `session:\"visits,merge=sum\"`", "")
	}, map[string]string{"session_duckgen.go": "stale"}},
	{"a new comment", func(p *program) {
		p.replace("session/session.go", "// Visits counts", "// Visits is the number of")
	}, map[string]string{"session_duckgen.go": "stale"}},
	{"an edited output", func(p *program) {
		p.replace("session/session_duckgen.go", "return visitorVisits.Get(s.core)", "return visitorVisits.Get(s.core) + 1")
	}, map[string]string{"session_duckgen.go": "stale"}},
	{"a broken output", func(p *program) {
		p.replace("session/session_duckgen.go", "type VisitorSession struct {", "<<<<<<< HEAD\ntype VisitorSession struct {")
	}, map[string]string{"session_duckgen.go": "stale"}},
	{"no output", func(p *program) { p.remove("session/session_duckgen.go") }, map[string]string{"session_duckgen.go": "missing"}},
	{"no directive", func(p *program) {
		p.remove("session/session.go")
		p.write("session/session.go", "package session\n\ntype Visitor struct {}\n")
	}, map[string]string{"session_duckgen.go": "orphaned"}},
	{"no source", func(p *program) {
		p.remove("session/session.go")
		p.write("session/other.go", "package session\n")
	}, map[string]string{"session_duckgen.go": "orphaned"}},
	{"only an output", func(p *program) { p.remove("session/session.go") }, map[string]string{"session_duckgen.go": "orphaned"}},
	{"a wrong tag", func(p *program) {
		p.replace("session/session.go", "default=light", "deafult=light")
	}, map[string]string{"session.go:26": "DG026"}},
	{"a misspelt directive", func(p *program) {
		p.replace("session/session.go", "//duckgen:session", "// duckgen:session")
	}, map[string]string{"session.go:14": "DG010"}},
	{"a type of another package", func(p *program) {
		p.write("place/place.go", "package place\n\ntype Place struct{ Street string }\n")
		p.write("session/session.go", "package session\n\nimport \""+p.path+"/place\"\n\n//duckgen:session\ntype Visitor struct {\n\tHome place.Place `session:\"home\"`\n}\n")
		p.generate()
		p.write("place/place.go", "package place\n\ntype Place struct{ Street, Town string }\n")
	}, map[string]string{"session_duckgen.go": "stale"}},
	{"a member of another package with another name", func(p *program) {
		p.write("place/place.go", "package place\n\ntype Place struct{ Street string }\n")
		p.write("session/session.go", "package session\n\nimport \""+p.path+"/place\"\n\n//duckgen:session\ntype Visitor struct {\n\tHome place.Place `session:\"home\"`\n}\n")
		p.generate()
		p.write("place/place.go", "package place\n\ntype Place struct {\n\tStreet string `session:\"street\"`\n}\n")
	}, map[string]string{"session_duckgen.go": "stale"}},
	{"a member that JSON leaves out", func(p *program) {
		p.write("session/session.go", "package session\n\n//duckgen:session\ntype Visitor struct {\n\tUser User `session:\"user\"`\n}\n\ntype User struct {\n\tHash []byte `json:\"-\"`\n}\n")
	}, map[string]string{"session.go:9": "DG048"}},
	{"a name that a test has taken", func(p *program) {
		p.write("session/session_test.go", "package session\n\nvar visitorName, codec = 1, 2\n")
	}, map[string]string{"session_duckgen.go": "stale"}},
	{"a name that an external test has taken", func(p *program) {
		p.write("session/session_test.go", "package session_test\n\nvar visitorName, codec = 1, 2\n")
	}, map[string]string{}},
	{"sessions of tests", func(p *program) {
		p.write("session/inside_test.go", "package session"+testSessions)
		p.write("session/outside_test.go", "package session_test"+testSessions)
	}, map[string]string{"inside_duckgen_test.go": "missing", "outside_duckgen_test.go": "missing"}},
	{"sessions that tests had", func(p *program) {
		p.write("session/inside_test.go", "package session"+testSessions)
		p.write("session/outside_test.go", "package session_test"+testSessions)
		p.generate()
		p.write("session/inside_test.go", "package session\n")
		p.write("session/outside_test.go", "package session_test\n")
	}, map[string]string{"inside_duckgen_test.go": "orphaned", "outside_duckgen_test.go": "orphaned"}},
	{"a test of the stored form", func(p *program) {
		p.write("session/session_duckgen_stored_test.go", "// Code generated by duckgen. DO NOT EDIT.\n\npackage session\n")
	}, map[string]string{"session_duckgen_stored_test.go": "stale"}},
	{"an output of another system", func(p *program) {
		p.write("session/far.go", "//go:build neverland\n\npackage session"+testSessions)
		p.write("session/far_duckgen.go", "//go:build neverland\n\n// Code generated by duckgen. DO NOT EDIT.\n\npackage session\n")
		p.write("session/gone_duckgen.go", "//go:build neverland\n\n// Code generated by duckgen. DO NOT EDIT.\n\npackage session\n")
	}, map[string]string{"gone_duckgen.go": "orphaned"}},
	{needsC, func(p *program) {
		source := "package session\n\n// int answer(void) { return 42; }\nimport \"C\"\n\nvar Answer = C.answer()" + testSessions
		p.write("session/c.go", source)
		p.write("session/session_test.go", "package session\n")
		p.generate()
		p.write("session/c.go", strings.Replace(source, "Name string", "// Name is new.\n\tName string", 1))
	}, map[string]string{"c_duckgen.go": "stale"}},
	{"somebody's file in its place", func(p *program) {
		p.write("session/session_duckgen.go", "package session\n")
	}, map[string]string{"session_duckgen.go:1": "DG004"}},
}

type staleCase struct {
	name   string
	change func(*program)
	want   map[string]string
}

func TestTheVerdictOnStaleFilesIsThatOfDuckgenCheck(t *testing.T) {
	testtier.OnlyExhaustive(t, "it analyses two dozen programs")
	m := newModule(t)
	parts := map[string]*program{}
	cases := staleCases
	if _, err := exec.LookPath("gcc"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Logf("without %s: %v", needsC, err)
		cases = slices.DeleteFunc(slices.Clone(cases), func(c staleCase) bool { return c.name == needsC })
	}
	for i, c := range cases {
		p := m.part(fmt.Sprintf("part%d", i))
		c.change(p)
		parts[c.name] = p
	}
	with, without := m.analyse(true), m.analyse(false)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := parts[c.name]
			if diff := gocmp.Diff(c.want, p.check()); diff != "" {
				t.Errorf("duckgen check says something else (-want +got):\n%s", diff)
			}
			if diff := gocmp.Diff(c.want, with.of(p).verdict()); diff != "" {
				t.Errorf("the analyzer says something else (-want +got):\n%s", diff)
			}
			want := maps.Clone(c.want) // of tests nothing is known where they are not analysed
			maps.DeleteFunc(want, func(file, _ string) bool { return strings.HasSuffix(file, "_test.go") })
			if diff := gocmp.Diff(want, without.of(p).verdict()); diff != "" {
				t.Errorf("without the tests the analyzer says something else (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsStaleIsSaidOnceAndMended(t *testing.T) {
	m := newModule(t)
	stale, missing, wrong := m.part("stale"), m.part("missing"), m.part("wrong")
	stale.replace("session/session.go", "// Visits counts", "// Visits is the number of")
	missing.remove("session/session_duckgen.go")
	wrong.replace("session/session.go", "default=light", "deafult=light")
	all := m.analyse(false)

	t.Run("stale", func(t *testing.T) {
		list := all.of(stale)
		if len(list) != 1 || len(list[0].SuggestedFixes) != 1 || len(list[0].SuggestedFixes[0].TextEdits) != 1 {
			t.Fatalf("found is %v, want one thing with one edit", list)
		}
		f := list[0]
		if at := f.at(); filepath.Base(at.Filename) != "session.go" || at.Line != 14 {
			t.Errorf("it is found at %s, want the directive", at)
		}
		if f.Category != "duckstale" || !strings.HasSuffix(f.URL, "docs/duckvet.md#duckstale") {
			t.Errorf("category %q, URL %q", f.Category, f.URL)
		}
		edit := f.SuggestedFixes[0].TextEdits[0]
		file := f.pkg.Fset.File(edit.Pos)
		if file.Offset(edit.Pos) != 0 || file.Offset(edit.End) != file.Size() {
			t.Errorf("the edit is of %s from %d to %d", file.Name(), file.Offset(edit.Pos), file.Offset(edit.End))
		}
		stale.write("session/"+filepath.Base(file.Name()), string(edit.NewText))
		if left := stale.check(); len(left) > 0 {
			t.Errorf("after the edit duckgen check says %v", left)
		}
	})
	t.Run("missing", func(t *testing.T) {
		if list := all.of(missing); len(list) != 1 || len(list[0].SuggestedFixes) != 0 {
			t.Errorf("found is %v, want one thing without a fix", list)
		}
	})
	t.Run("wrong", func(t *testing.T) {
		list := all.of(wrong)
		if len(list) != 1 || list[0].at().Line != 26 || list[0].at().Column != 31 ||
			!strings.HasSuffix(list[0].URL, "docs/findings.md#dg026") || !strings.Contains(list[0].Message, "did you mean default?") {
			t.Errorf("found is %v, want one thing at the option of the tag", list)
		}
	})
}
