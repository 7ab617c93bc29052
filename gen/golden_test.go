package gen

import (
	"bytes"
	"cmp"
	"flag"
	"go/types"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/txtar"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/load"
)

var (
	update = flag.Bool("update", false, "write what the golden cases want")
	keep   = flag.String("keep", "", "leave a module with the cases that succeed, and their output, in this empty `directory`, for linters")
)

const (
	goldenDir   = "../testdata/golden"
	wantPrefix  = "want/"
	wantFinding = "want/findings.txt"
	module      = "example.com/golden"
)

// A goldenCase is one txtar file: the input files, then want/<file> for every
// generated one, or want/findings.txt. A line "with -tests" in its comment is
// that flag.
type goldenCase struct {
	name  string
	file  string // the txtar file
	text  *txtar.Archive
	dir   string // where the input is
	input []txtar.File
	want  map[string]string
}

func (c *goldenCase) succeeds() bool { return c.want[wantFinding] == "" }

// A goldenModule is a module that holds the input of every case in a directory
// of its own, so that one load serves all of them.
type goldenModule struct {
	dir   string
	cases []*goldenCase
}

func newGoldenModule(t *testing.T) *goldenModule {
	t.Helper()
	t.Setenv("GOOS", "linux")
	t.Setenv("GOARCH", "amd64")
	t.Setenv("CGO_ENABLED", "0")
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", "-buildvcs=false -trimpath") // so that the build cache serves the next temporary directory
	return newGoldenModuleIn(t, t.TempDir())
}

func newGoldenModuleIn(t *testing.T, dir string) *goldenModule {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := &goldenModule{dir: dir}
	repository, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	writeModuleFile(t, repository, dir)
	files, err := filepath.Glob(goldenDir + "/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		m.cases = append(m.cases, readCase(t, dir, file))
	}
	return m
}

// writeModuleFile makes a module that requires what the repository requires,
// and the repository itself.
func writeModuleFile(t *testing.T, repository, dir string) {
	t.Helper()
	mod := readFile(t, filepath.Join(repository, "go.mod"))
	mod = strings.Replace(mod, "module github.com/duckgen/duckgen", "module "+module, 1)
	mod, _, _ = strings.Cut(mod, "\ntool ")
	mod += "\nrequire github.com/duckgen/duckgen v0.0.0\nreplace github.com/duckgen/duckgen => " + repository + "\n"
	writeFile(t, filepath.Join(dir, "go.mod"), mod)
	writeFile(t, filepath.Join(dir, "go.sum"), readFile(t, filepath.Join(repository, "go.sum")))
}

func readCase(t *testing.T, root, file string) *goldenCase {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimSuffix(filepath.Base(file), ".txtar")
	c := &goldenCase{name: name, file: file, text: archive, dir: filepath.Join(root, name), want: map[string]string{}}
	for _, f := range archive.Files {
		if strings.HasPrefix(f.Name, wantPrefix) {
			c.want[f.Name] = string(f.Data)
			continue
		}
		c.input = append(c.input, f)
		writeFile(t, filepath.Join(c.dir, f.Name), string(f.Data))
	}
	return c
}

// load loads every case at once, by the go command where that is wanted in full.
func (m *goldenModule) load(t *testing.T, full bool) ([]*load.Package, []diag.Finding) {
	t.Helper()
	findings := diag.NewCollector(m.dir)
	loaded, err := load.Load(t.Context(), load.Config{
		Dir:      m.dir,
		Patterns: []string{"./..."},
		Tags:     []string{"golden"},
		Tests:    true,
		Full:     full,
	}, findings)
	if err != nil {
		t.Fatal(err)
	}
	return loaded, findings.Findings()
}

// generate runs one case on its packages out of all that were loaded.
func (c *goldenCase) generate(t *testing.T, loaded []*load.Package, unloadable []diag.Finding) *Result {
	t.Helper()
	findings := diag.NewCollector(c.dir)
	for _, f := range unloadable {
		if c.owns(f.Package) {
			if f.Pos.Filename != "" {
				f.Pos.Filename = filepath.Join(filepath.Dir(c.dir), f.Pos.Filename)
			}
			findings.Add(f)
		}
	}
	var own []*load.Package
	for _, pkg := range loaded {
		if c.owns(pkg.Path) {
			own = append(own, pkg)
		}
	}
	g := newGenerator(findings)
	g.tests = bytes.Contains(c.text.Comment, []byte("\nwith -tests\n"))
	result, err := g.generate(c.dir, own)
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	return result
}

func (c *goldenCase) owns(importPath string) bool {
	base := path.Join(module, c.name)
	return importPath == base || importPath == base+"_test" || strings.HasPrefix(importPath, base+"/")
}

// got returns a result in the form in which a case wants it.
func (c *goldenCase) got(t *testing.T, result *Result) map[string]string {
	t.Helper()
	got := map[string]string{}
	if len(result.Findings) > 0 {
		var b bytes.Buffer
		if err := diag.Print(&b, result.Findings); err != nil {
			t.Fatal(err)
		}
		got[wantFinding] = b.String()
	}
	for _, f := range result.Files {
		got[wantPrefix+c.relative(t, f.Path)] = string(f.Content)
	}
	for _, orphan := range result.Orphans {
		got[wantPrefix+c.relative(t, orphan)] = "removed\n"
	}
	return got
}

func (c *goldenCase) relative(t *testing.T, path string) string {
	t.Helper()
	rel, err := filepath.Rel(c.dir, path)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.ToSlash(rel)
}

// save replaces what the case wants.
func (c *goldenCase) save(t *testing.T, got map[string]string) {
	t.Helper()
	archive := &txtar.Archive{Comment: c.text.Comment, Files: slices.Clone(c.input)}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(got[name])})
	}
	writeFile(t, c.file, string(txtar.Format(archive)))
	c.want = got
}

func TestGolden(t *testing.T) {
	m := newGoldenModule(t)
	loaded, unloadable := m.load(t, true)
	for _, c := range m.cases {
		t.Run(c.name, func(t *testing.T) {
			got := c.got(t, c.generate(t, loaded, unloadable))
			if *update {
				c.save(t, got)
			}
			if diff := gocmp.Diff(c.want, got); diff != "" {
				t.Errorf("not as wanted (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("the order of files does not matter", func(t *testing.T) {
		reverse(loaded)
		m.expect(t, loaded, unloadable)
	})
	m.write(t)
	t.Run("its own output does not matter", func(t *testing.T) {
		again, unloadable := m.load(t, true)
		m.expect(t, again, unloadable)
		for _, c := range m.cases {
			if changes := c.changes(t, again, unloadable); len(changes) > 0 {
				t.Errorf("%s: generating again changes %s", c.name, changes[0].Path)
			}
		}
	})
	t.Run("the output compiles", m.compiles)
	t.Run("the output is vetted", m.vetted)
	t.Run("the tests of stored forms pass", m.tested)
}

func reverse(loaded []*load.Package) {
	slices.Reverse(loaded)
	for _, pkg := range loaded {
		slices.Reverse(pkg.Files)
	}
}

// expect generates every case and compares it with what it wants. Removed files
// are left out: they are there only the first time.
func (m *goldenModule) expect(t *testing.T, loaded []*load.Package, unloadable []diag.Finding) {
	t.Helper()
	isRemoved := func(_, content string) bool { return content == "removed\n" }
	for _, c := range m.cases {
		want, got := maps.Clone(c.want), c.got(t, c.generate(t, loaded, unloadable))
		maps.DeleteFunc(want, isRemoved)
		maps.DeleteFunc(got, isRemoved)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s is not as wanted (-want +got):\n%s", c.name, diff)
		}
	}
}

// write puts what every case wants into the tree.
func (m *goldenModule) write(t *testing.T) {
	t.Helper()
	for _, c := range m.cases {
		if !c.succeeds() {
			continue
		}
		for name, content := range c.want {
			file := filepath.Join(c.dir, strings.TrimPrefix(name, wantPrefix))
			if content != "removed\n" {
				writeFile(t, file, content)
			} else if err := os.Remove(file); err != nil {
				t.Error(err)
			}
		}
	}
}

func (c *goldenCase) changes(t *testing.T, loaded []*load.Package, unloadable []diag.Finding) []Change {
	t.Helper()
	changes, err := c.generate(t, loaded, unloadable).Changes()
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// compiles checks every successful case together with its output against the
// real packages.
func (m *goldenModule) compiles(t *testing.T) {
	if testing.Short() {
		t.Skip("loads the runtime")
	}
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
			packages.NeedTypes | packages.NeedSyntax,
		Dir:        m.dir,
		Tests:      true,
		BuildFlags: []string{"-tags=golden"},
	}, m.successful("/...")...)
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range loaded {
		for _, e := range pkg.Errors {
			t.Errorf("%s: %v", pkg.PkgPath, e)
		}
		if pkg.Types == nil || pkg.Types == types.Unsafe {
			t.Errorf("%s has no types", pkg.PkgPath)
		}
	}
}

// successful returns the patterns of the cases without findings.
func (m *goldenModule) successful(suffix string) []string {
	var patterns []string
	for _, c := range m.cases {
		if c.succeeds() {
			patterns = append(patterns, "./"+c.name+suffix)
		}
	}
	return patterns
}

// vetted runs go vet over every successful case.
func (m *goldenModule) vetted(t *testing.T) {
	if testing.Short() {
		t.Skip("runs go vet")
	}
	m.goCommand(t, append([]string{"vet", "-tags=golden"}, m.successful("/...")...)...)
}

// goCommand runs the go command in the module.
func (m *goldenModule) goCommand(t *testing.T, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = m.dir
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("go %s: %v\n%s", args[0], err, out)
	}
}

// tested runs the tests that were generated.
func (m *goldenModule) tested(t *testing.T) {
	if testing.Short() {
		t.Skip("runs go test")
	}
	args := []string{"test"}
	for _, c := range m.cases {
		if _, ok := c.want["want/session_duckgen_stored_test.go"]; ok && c.succeeds() {
			args = append(args, "./"+c.name)
		}
	}
	if len(args) < 3 {
		t.Fatal("no case has such a test")
	}
	m.goCommand(t, args...)
}

// TestKeepGoldens is for CI, which runs linters over the module.
func TestKeepGoldens(t *testing.T) {
	if *keep == "" {
		t.Skip("without -keep nothing is to be kept")
	}
	m := newGoldenModuleIn(t, *keep)
	m.write(t)
	for _, c := range m.cases {
		if !c.succeeds() {
			if err := os.RemoveAll(c.dir); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestEveryCodeHasACase(t *testing.T) {
	files, err := filepath.Glob(goldenDir + "/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	errorCases := 0
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if f.Name == wantFinding {
				errorCases++
				all.Write(f.Data)
			}
		}
	}
	for _, code := range diag.Codes() {
		if !strings.Contains(all.String(), "["+string(code)+"]") {
			t.Errorf("no golden case shows %s", code)
		}
	}
	if len(files) < 205 || errorCases < 85 {
		t.Errorf("there are %d cases, %d of them errors; wanted are 205 and 85", len(files), errorCases)
	}
}

// TestFindingsAreDocumented holds docs/findings.md to the list of codes.
func TestFindingsAreDocumented(t *testing.T) {
	var documented []diag.Code
	for line := range strings.Lines(readFile(t, "../docs/findings.md")) {
		if rest, ok := strings.CutPrefix(line, "### DG"); ok {
			code, _, _ := strings.Cut("DG"+rest, " ")
			documented = append(documented, diag.Code(strings.TrimSpace(code)))
		}
	}
	slices.SortFunc(documented, func(a, b diag.Code) int { return cmp.Compare(a, b) })
	if diff := gocmp.Diff(diag.Codes(), documented); diff != "" {
		t.Errorf("docs/findings.md does not have the codes that there are (-want +got):\n%s", diff)
	}
}

func readFile(t testing.TB, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func writeFile(t testing.TB, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
