// Package duckgen_test holds the module to what it promises those who depend on
// it.
package duckgen_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/gen"
	"github.com/duckgen/duckgen/gen/initialise"
	"github.com/duckgen/duckgen/internal/testtier"
)

// The guide's first program uses neither a server's store nor the generator: what they
// need must not reach its go.mod.
func TestAUsersGoModStaysSmall(t *testing.T) {
	testtier.NotShort(t, "the go command builds a program")
	dir := t.TempDir()
	copyFile(t, filepath.Join(dir, "go.sum"), "go.sum")
	write(t, filepath.Join(dir, "go.mod"), fmt.Appendf(nil, `module example.com/hello

go 1.26.0

require github.com/duckgen/duckgen v0.0.0

replace github.com/duckgen/duckgen => %q
`, here(t)))
	plan, err := initialise.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Write(); err != nil {
		t.Fatal(err)
	}
	result, err := gen.Generate(t.Context(), gen.Config{Dir: filepath.Dir(plan.File)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := result.Write(); err != nil || len(result.Findings) != 0 {
		t.Fatalf("what duckgen init writes: %v, findings %v", err, result.Findings)
	}

	write(t, filepath.Join(dir, "main.go"), codeIn(t, "docs/guide.md"))

	run(t, dir, "mod", "tidy")
	run(t, dir, "build", "-o", filepath.Join(dir, "user.exe"), ".")
	want := []string{"github.com/duckgen/duckgen", "github.com/philhofer/fwd", "github.com/tinylib/msgp"}
	if got := required(t, dir); !slices.Equal(got, want) {
		t.Errorf("the user's go.mod requires %q, want %q", got, want)
	}
}

func TestTheRuntimeNeedsTheStandardLibraryAlone(t *testing.T) {
	out := run(t, here(t), "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./runtime")
	for _, path := range strings.Fields(out) {
		if path != "github.com/duckgen/duckgen/runtime" {
			t.Errorf("the runtime needs %s", path)
		}
	}
}

// A go.mod lists what the packages of a program come from, so one that keeps sessions
// in Redis needs no more than what its store does.
func TestAStoreBringsItsClientAlone(t *testing.T) {
	out := run(t, here(t), "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./runtime/redisstore")
	modules := strings.Fields(out)
	slices.Sort(modules)
	want := []string{"github.com/duckgen/duckgen", "github.com/redis/rueidis", "golang.org/x/sys"}
	if got := slices.Compact(modules); !slices.Equal(got, want) {
		t.Errorf("redisstore is of %q, want %q", got, want)
	}
}

func TestTheStructInTheReadmeIsASession(t *testing.T) {
	source := codeIn(t, "README.md")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), []byte("module example.com/user\n\ngo 1.26.0\n"))
	write(t, filepath.Join(dir, "session.go"), source)

	result, err := gen.Generate(t.Context(), gen.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Findings) != 0 || len(result.Files) != 1 {
		t.Errorf("%d files come of it, want 1, with findings %v\n%s", len(result.Files), result.Findings, source)
	}
}

func TestLinksInTheDocumentsLeadSomewhere(t *testing.T) {
	var documents []string
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s finds %d documents: %v", pattern, len(found), err)
		}
		documents = append(documents, found...)
	}
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	code := regexp.MustCompile("(?s)```.*?```")
	for _, document := range documents {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(document), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", document, m[1], err)
			}
		}
	}
}

// codeIn returns the first Go code of a document.
func codeIn(t *testing.T, document string) []byte {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```go\n")
	code, _, _ := strings.Cut(block, "```")
	return []byte(code)
}

// required returns the modules that the go.mod in dir lists, sorted.
func required(t *testing.T, dir string) (paths []string) {
	t.Helper()
	var mod struct{ Require []struct{ Path string } }
	if err := json.Unmarshal([]byte(run(t, dir, "mod", "edit", "-json")), &mod); err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Require {
		paths = append(paths, r.Path)
	}
	slices.Sort(paths)
	return paths
}

// run runs the go command. It needs no network where the tests of this module
// could be built: all that a user needs is in the module cache then.
func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, complaints.String())
	}
	return string(out)
}

func here(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func copyFile(t *testing.T, to, from string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, content)
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
