package gen

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/load"
	"github.com/duckgen/duckgen/gen/verify"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/templates"
)

func TestWriteReplacesWhatDiffersAndRemovesOrphans(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	writeFile(t, path("same.go"), "same")
	writeFile(t, path("stale.go"), "old")
	writeFile(t, path("orphan.go"), "orphan")
	before, err := os.Stat(path("same.go"))
	if err != nil {
		t.Fatal(err)
	}
	r := &Result{
		Files: []File{
			{Path: path("new.go"), Content: []byte("new")},
			{Path: path("same.go"), Content: []byte("same")},
			{Path: path("stale.go"), Content: []byte("fresh")},
		},
		Orphans: []string{path("orphan.go")},
	}
	changes, err := r.Write()
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) != 3 {
		t.Errorf("%d files were changed, not 3", len(changes))
	}
	for name, want := range map[string]string{"new.go": "new", "same.go": "same", "stale.go": "fresh"} {
		if got := readFile(t, path(name)); got != want {
			t.Errorf("%s holds %q, not %q", name, got, want)
		}
	}
	if _, err := os.Stat(path("orphan.go")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the orphan is still there: %v", err)
	}
	after, err := os.Stat(path("same.go"))
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Error("a file with the same bytes was written again")
	}
	if info, err := os.Stat(path("new.go")); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("new.go has mode %v, not 0644 (%v)", info.Mode(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("%d files are left, not 3 (%v)", len(entries), err)
	}
}

func TestWriteChangesNothingWhileThereAreFindings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.go")
	r := &Result{
		Files:    []File{{Path: path, Content: []byte("new")}},
		Findings: []diag.Finding{{Code: diag.BadKey}},
	}
	if changes, err := r.Write(); err != nil || len(changes) > 0 {
		t.Errorf("Write() = %v, %v", changes, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the file was written")
	}
}

func TestWriteLeavesEveryFileWhereOneCannotBeStaged(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, "stale.go")
	writeFile(t, stale, "old")
	r := &Result{Files: []File{
		{Path: stale, Content: []byte("fresh")},
		{Path: filepath.Join(dir, "gone", "x.go"), Content: []byte("x")},
	}}
	_, err := r.Write()
	if err == nil {
		t.Fatal("writing into a directory that does not exist succeeded")
	}
	if part := "cannot write " + filepath.Join(dir, "gone", "x.go"); !strings.Contains(err.Error(), part) ||
		!strings.Contains(err.Error(), "no file was changed") {
		t.Errorf("the error is %v", err)
	}
	if got := readFile(t, stale); got != "old" {
		t.Errorf("stale.go holds %q", got)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%d files are left, not 1 (%v)", len(entries), err)
	}
}

func TestWriteNeverFollowsSymbolicLinks(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "elsewhere", "x.go"), filepath.Join(dir, "x.go")
	writeFile(t, target, "old")
	if err := os.Symlink(target, link); err != nil {
		t.Skip(err)
	}
	r := &Result{Files: []File{{Path: link, Content: []byte("new")}}}
	if _, err := r.Write(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the link is still there (%v)", err)
	}
	if got := readFile(t, target); got != "old" {
		t.Errorf("what it leads to holds %q", got)
	}
}

func TestWriteKeepsModes(t *testing.T) {
	for _, mode := range []os.FileMode{0o600, 0o664, 0o755} {
		path := filepath.Join(t.TempDir(), "x.go")
		writeFile(t, path, "old")
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		before, err := os.Stat(path) // not every system has every mode
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (&Result{Files: []File{{Path: path, Content: []byte("new")}}}).Write(); err != nil {
			t.Fatal(err)
		}
		if after, err := os.Stat(path); err != nil || after.Mode() != before.Mode() {
			t.Errorf("the mode was %v and is %v (%v)", before.Mode(), after.Mode(), err)
		}
	}
}

// TestRunsAtOnceDoNotDisturbEachOther has several runs remove one orphan and write
// one file.
func TestRunsAtOnceDoNotDisturbEachOther(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "go.mod"), "module example.com/same\n\ngo 1.26\n")
	writeFile(t, filepath.Join(dir, "session.go"), "package same\n\n//duckgen:session\ntype V struct {\n\tA int `session:\"a\"`\n}\n")
	orphan := filepath.Join(dir, "gone_duckgen.go")
	for range testtier.Count(5, 5, 25) {
		writeFile(t, orphan, load.Header+"\n\npackage same\n")
		errs := make(chan error)
		for range 4 {
			go func() {
				result, err := Generate(t.Context(), Config{Dir: dir})
				if err == nil {
					_, err = result.Write()
				}
				errs <- err
			}()
		}
		for range 4 {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
			t.Fatalf("%d files are there, not 3 (%v)", len(entries), err)
		}
		if err := os.Remove(filepath.Join(dir, "session_duckgen.go")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGeneratedCodeThatDoesNotCompileIsABug(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "go.mod"), "module example.com/bug\n\ngo 1.26\n")
	writeFile(t, filepath.Join(dir, "session.go"),
		"package bug\n\n//duckgen:session\ntype Visitor struct {\n\tName string `session:\"name\"`\n}\n")
	findings := diag.NewCollector(dir)
	loaded, err := load.Load(t.Context(), load.Config{Dir: dir, Patterns: []string{"."}}, findings)
	if err != nil {
		t.Fatal(err)
	}
	g := newGenerator(findings)
	g.render = func(*templates.File, bool, []templates.Expected) ([]byte, error) {
		return []byte("package bug\n\nvar _ = x\n"), nil
	}
	result, err := g.generate(dir, loaded)
	_, isBug := errors.AsType[*BugError](err)
	wrong, isError := errors.AsType[*verify.Error](err)
	if !isBug || !isError || wrong.Pos.Line != 3 || result != nil {
		t.Fatalf("generate() = %v, %v", result, err)
	}
	for _, part := range []string{"example.com/bug", "undefined: x\n\t\tvar _ = x", "please report"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the message lacks %q:\n%v", part, err)
		}
	}
}
