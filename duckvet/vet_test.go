package duckvet_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/analysis/multichecker"

	"github.com/duckgen/duckgen/duckvet"
	"github.com/duckgen/duckgen/internal/testtier"
)

// misuse has one mistake for each analyzer, and compiles.
const misuse = `package main

import (
	"log"
	"net/http"

	"example.com/user/app/session"
	"github.com/duckgen/duckgen/runtime/memstore"
)

var last *session.VisitorSession

func copied(s session.VisitorSession) {}

func handle(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	last = s
	s.Load(r.Context())
	s.SetTheme("dark")
	s.Save(r.Context())
}

func leave(s *session.VisitorSession) string {
	s.Destroy()
	return s.Name()
}

func end(r *http.Request, sessions *session.VisitorSessions) {
	for s, err := range sessions.All(r.Context()) {
		if err == nil {
			s.Destroy()
		}
	}
}

func late(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	session.VisitorFrom(r.Context()).SetUserID(1)
}

func lost(s *session.VisitorSession) {
	v := s.Snapshot()
	v.Visits++
}

func main() {
	sessions, err := session.NewVisitorSessions(memstore.New())
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", handle)
	log.Fatal(http.ListenAndServe("127.0.0.1:0", sessions.Middleware(http.DefaultServeMux)))
}
`

// These tests run the command: the test binary once more, told so by the
// environment.
const commandVariable = "DUCKVET_TEST_COMMAND"

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // the syntax of all that is imported lives to the end
	if os.Getenv(commandVariable) != "" {
		multichecker.Main(duckvet.Suite...)
	}
	os.Exit(m.Run())
}

// vetTool returns the path of the command.
func vetTool(t *testing.T) string {
	t.Helper()
	tool, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(commandVariable, "true")
	return tool
}

func command(dir, name string, args ...string) (output string, err error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestDuckvetInGoVet(t *testing.T) {
	m := newModule(t)
	app := m.part("app")
	app.write("main.go", misuse)
	app.replace("session/session.go", "// Visits counts", "// Visits is the number of")
	tool := vetTool(t)

	for _, c := range []struct {
		name string
		run  []string
		want []string
	}{
		{"go vet", []string{"go", "vet", "-vettool=" + tool, "./..."},
			[]string{"duckcopy main.go:13", "duckended main.go:25", "duckerror main.go:18", "duckfound main.go:31", "ducklate main.go:38", "ducklost main.go:43", "duckretain main.go:17", "ducksave main.go:20", "duckstale session.go:14"}},
		{"go vet without one", []string{"go", "vet", "-vettool=" + tool, "-ducksave=false", "./..."},
			[]string{"duckcopy main.go:13", "duckended main.go:25", "duckerror main.go:18", "duckfound main.go:31", "ducklate main.go:38", "ducklost main.go:43", "duckretain main.go:17", "duckstale session.go:14"}},
		{"by itself with one", []string{tool, "-duckstale", "./..."}, []string{"duckstale session.go:14"}},
		{"by itself", []string{tool, "./..."},
			[]string{"duckcopy main.go:13", "duckended main.go:25", "duckerror main.go:18", "duckfound main.go:31", "ducklate main.go:38", "ducklost main.go:43", "duckretain main.go:17", "ducksave main.go:20", "duckstale session.go:14"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.run[0] == "go" {
				testtier.OnlyExhaustive(t, "it analyses every package that the program imports")
			}
			out, err := command(app.dir, c.run[0], c.run[1:]...)
			if diff := gocmp.Diff(c.want, foundIn(out)); err == nil || diff != "" {
				t.Errorf("not as wanted (-want +got), with error %v:\n%s\n%s", err, diff, out)
			}
		})
	}
	t.Run("mended", func(t *testing.T) {
		if out, err := command(app.dir, tool, "-ducksave", "-fix", "./..."); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		app.generate()
		out, _ := command(app.dir, tool, "./...")
		want := []string{"duckcopy main.go:13", "duckended main.go:24", "duckerror main.go:18", "duckfound main.go:30", "ducklate main.go:37", "ducklost main.go:42", "duckretain main.go:17"}
		if diff := gocmp.Diff(want, foundIn(out)); diff != "" {
			t.Errorf("not as wanted (-want +got):\n%s\n%s", diff, out)
		}
		if source := app.read(filepath.Join(app.dir, "main.go")); strings.Contains(source, ".Save") || strings.Contains(source, "\n\n}") {
			t.Errorf("the statement is not gone without a trace:\n%s", source)
		}
	})
}

// foundIn returns analyzer and place of each finding, sorted.
func foundIn(output string) []string {
	var found []string
	for _, m := range regexp.MustCompile(`(?m)(\w+\.go:\d+):\d+: .*\[(\w+)\]$`).FindAllStringSubmatch(output, -1) {
		found = append(found, m[2]+" "+m[1])
	}
	slices.Sort(found)
	return found
}

// TestProgramsAreSound looks for false reports in the example programs, and in the tests
// of all that sessions do.
func TestProgramsAreSound(t *testing.T) {
	programs, onPurpose := []string{"./examples/shop/web"}, []string(nil)
	if testtier.Exhaustive() {
		programs = []string{"./examples/...", "./runtime/internal/sessiontest/..."}
		onPurpose = []string{"duckcopy secrecy_test.go:97", "duckcopy secrecy_test.go:161"} // which shows the copy
		slices.Sort(onPurpose)
	}
	out, _ := command(repository(t), vetTool(t), programs...)
	if diff := gocmp.Diff(onPurpose, foundIn(out)); diff != "" || len(onPurpose) == 0 && out != "" {
		t.Errorf("not as wanted (-want +got):\n%s\n%s", diff, out)
	}
}

// A program that has duckgen as a tool already requires nothing more for duckvet.
func TestAUsersGoModDoesNotGrow(t *testing.T) {
	m := newModule(t)
	m.part("app")
	required := func(tools ...string) (paths []string) {
		for _, tool := range tools {
			if out, err := command(m.dir, "go", "mod", "edit", "-tool=github.com/duckgen/duckgen/cmd/"+tool); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		if out, err := command(m.dir, "go", "mod", "tidy"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		cmd := exec.Command("go", "mod", "edit", "-json")
		cmd.Dir, cmd.Stderr = m.dir, os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var mod struct{ Require []struct{ Path string } }
		if err := json.Unmarshal(out, &mod); err != nil {
			t.Fatal(err)
		}
		for _, r := range mod.Require {
			paths = append(paths, r.Path)
		}
		return paths
	}
	before := required("duckgen")
	if after := required("duckgen", "duckvet"); len(before) == 0 || !slices.Equal(before, after) {
		t.Errorf("with duckgen it requires %q, with duckvet %q", before, after)
	}
}
