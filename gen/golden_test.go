package gen

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"go/types"
	"log"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/txtar"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/load"
	"github.com/duckgen/duckgen/internal/testtier"
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
	removed     = "removed\n" // what is wanted of an orphan
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
	dir        string
	cases      []*goldenCase
	loaded     []*load.Package
	unloadable []diag.Finding
}

// environment is that of every test here. It has no -trimpath and leaves cgo as it
// is, or the go command would compile the standard library once more.
var environment = map[string]string{
	"GOOS":    "linux",
	"GOARCH":  "amd64",
	"GOWORK":  "off",
	"GOFLAGS": "",
}

func TestMain(m *testing.M) {
	flag.Parse()
	for name, value := range environment {
		if err := os.Setenv(name, value); err != nil {
			log.Fatal(err)
		}
	}
	code := m.Run()
	if err := os.RemoveAll(shared.dir); err != nil {
		log.Fatal(err)
	}
	os.Exit(code)
}

// shared is the loaded module that tests have in common, once one has asked.
var shared struct {
	sync.Mutex
	dir    string
	module *goldenModule
}

// goldens returns the module with the input of every case, loaded. Nobody writes
// to it.
func goldens(t *testing.T) *goldenModule {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.module != nil {
		return shared.module
	}
	var err error
	if shared.dir, err = os.MkdirTemp("", "duckgen-golden-"); err != nil {
		t.Fatal(err)
	}
	m := newGoldenModule(t, shared.dir)
	m.load(t, m.everything())
	if *update {
		m.save(t)
	}
	shared.module = m
	return m
}

func newGoldenModule(t *testing.T, dir string) *goldenModule {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := &goldenModule{dir: dir}
	writeModuleFile(t, dir)
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
func writeModuleFile(t *testing.T, dir string) {
	t.Helper()
	repository, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
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

// everything is how a run of duckgen loads every case at once.
func (m *goldenModule) everything() load.Config {
	return load.Config{Dir: m.dir, Patterns: []string{"./..."}, Tags: []string{"golden"}, Tests: true}
}

// load loads every case at once.
func (m *goldenModule) load(t *testing.T, config load.Config) {
	t.Helper()
	findings := diag.NewCollector(m.dir)
	loaded, err := load.Load(t.Context(), config, findings)
	if err != nil {
		t.Fatal(err)
	}
	m.loaded, m.unloadable = loaded, findings.Findings()
}

// loadFully loads every case by the go command, which compiles them all.
func (m *goldenModule) loadFully(t *testing.T) {
	t.Helper()
	testtier.OnlyExhaustive(t, "it compiles every case")
	config := m.everything()
	config.Full = true
	m.load(t, config)
}

// generate runs one case on its packages out of all that were loaded.
func (m *goldenModule) generate(t *testing.T, c *goldenCase) *Result {
	t.Helper()
	findings := diag.NewCollector(c.dir)
	for _, f := range m.unloadable {
		if c.owns(f.Package) {
			if f.Pos.Filename != "" {
				f.Pos.Filename = filepath.Join(filepath.Dir(c.dir), f.Pos.Filename)
			}
			findings.Add(f)
		}
	}
	var own []*load.Package
	for _, pkg := range m.loaded {
		if c.owns(pkg.Path) {
			own = append(own, pkg)
		}
	}
	g := newGenerator(findings)
	g.tests = bytes.Contains(c.text.Comment, []byte("\nwith -tests\n"))
	result, err := g.generate(c.dir, own)
	if bug := new(BugError); errors.As(err, &bug) {
		t.Fatalf("%s: %v\ngen/verify/packages has to declare what generated code uses of other packages", c.name, err)
	} else if err != nil {
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
		got[wantPrefix+c.relative(t, orphan)] = removed
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

// save makes every case want what it gets.
func (m *goldenModule) save(t *testing.T) {
	t.Helper()
	for _, c := range m.cases {
		c.want = c.got(t, m.generate(t, c))
		archive := &txtar.Archive{Comment: c.text.Comment, Files: slices.Clone(c.input)}
		for _, name := range slices.Sorted(maps.Keys(c.want)) {
			archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(c.want[name])})
		}
		writeFile(t, c.file, string(txtar.Format(archive)))
	}
}

func TestGolden(t *testing.T) {
	m := goldens(t)
	m.each(t, func(t *testing.T, c *goldenCase) {
		result := m.generate(t, c)
		c.wants(t, result)
		declaresWhatIsExpected(t, result)
	})
}

func (m *goldenModule) wantGolden(t *testing.T, c *goldenCase) { c.wants(t, m.generate(t, c)) }

func (c *goldenCase) wants(t *testing.T, result *Result) {
	t.Helper()
	if diff := gocmp.Diff(c.want, c.got(t, result)); diff != "" {
		t.Errorf("not as wanted; run with -update if it is right (-want +got):\n%s", diff)
	}
}

// each tries something on every case, on several at a time.
func (m *goldenModule) each(t *testing.T, try func(*testing.T, *goldenCase)) {
	t.Helper()
	for _, c := range m.cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			try(t, c)
		})
	}
}

func TestTheOrderOfFilesDoesNotMatter(t *testing.T) {
	m := *goldens(t)
	m.cases = testtier.Some(m.cases, 8)
	m.loaded = slices.Clone(m.loaded)
	slices.Reverse(m.loaded)
	for i, pkg := range m.loaded {
		reversed := *pkg
		reversed.Files = slices.Clone(pkg.Files)
		slices.Reverse(reversed.Files)
		m.loaded[i] = &reversed
	}
	m.each(t, m.wantGolden)
}

// TestTheOutputInItsPlace tries what every case wants beside its input.
func TestTheOutputInItsPlace(t *testing.T) {
	m := newGoldenModule(t, t.TempDir())
	m.cases = testtier.Some(m.cases, 8)
	m.write(t)
	t.Run("changes nothing", func(t *testing.T) {
		loaded, left, ok := load.Direct(m.everything())
		if !ok {
			t.Fatal("nothing is loaded without the go command")
		}
		m.loaded = loaded
		m.each(t, func(t *testing.T, c *goldenCase) {
			if slices.ContainsFunc(left, c.holds) {
				t.Skip("the go command would compile it, as it does below")
			}
			m.wantUnchanged(t, c)
		})
	})
	t.Run("changes nothing for the go command", func(t *testing.T) {
		m.loadFully(t)
		m.each(t, m.wantUnchanged)
	})
	t.Run("compiles", m.compiles)
	t.Run("is vetted", m.vetted)
	t.Run("has tests that pass", m.tested)
}

// wantUnchanged demands that generating a case beside its own output gives that
// again. Removed files are not there any more.
func (m *goldenModule) wantUnchanged(t *testing.T, c *goldenCase) {
	want, result := maps.Clone(c.want), m.generate(t, c)
	maps.DeleteFunc(want, func(_, content string) bool { return content == removed })
	if diff := gocmp.Diff(want, c.got(t, result)); diff != "" {
		t.Errorf("not as wanted (-want +got):\n%s", diff)
	}
	changes, err := result.Changes()
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) > 0 {
		t.Errorf("generating again changes %s", changes[0].Path)
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
			if content != removed {
				writeFile(t, file, content)
			} else if err := os.Remove(file); err != nil {
				t.Error(err)
			}
		}
	}
}

// compiles checks every successful case together with its output against the
// real packages.
func (m *goldenModule) compiles(t *testing.T) {
	testtier.OnlyExhaustive(t, "it compiles every case")
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

// aboutSources are complaints about the cases' own files, which show every oddity, and
// the headings of packages.
var aboutSources = regexp.MustCompile(`(?m)^(#.*|[^\s:]*session\.go:\d+:\d+: .*)\n`)

// vetted runs go vet over every successful case.
func (m *goldenModule) vetted(t *testing.T) {
	testtier.OnlyExhaustive(t, "it compiles every case")
	out, err := goOutput(t, m.dir, append([]string{"vet", "-tags=golden"}, m.successful("/...")...)...)
	if rest := aboutSources.ReplaceAllString(out, ""); rest != "" || err != nil && out == "" {
		t.Errorf("go vet: %v\n%s", err, rest)
	}
}

func goCommand(t *testing.T, dir string, args ...string) {
	t.Helper()
	if out, err := goOutput(t, dir, args...); err != nil {
		t.Errorf("go %s: %v\n%s", args[0], err, out)
	}
}

func goOutput(t *testing.T, dir string, args ...string) (out string, err error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = dir
	both, err := command.CombinedOutput()
	return string(both), err
}

// tested runs the tests that were generated.
func (m *goldenModule) tested(t *testing.T) {
	testtier.OnlyExhaustive(t, "it links the tests of several cases")
	args := []string{"test"}
	for _, c := range m.cases {
		if _, ok := c.want["want/session_duckgen_stored_test.go"]; ok && c.succeeds() {
			args = append(args, "./"+c.name)
		}
	}
	if len(args) < 3 {
		t.Fatal("no case has such a test")
	}
	goCommand(t, m.dir, args...)
}

// TestKeepGoldens is for CI, which runs linters over the module.
func TestKeepGoldens(t *testing.T) {
	if *keep == "" {
		t.Skip("without -keep nothing is to be kept")
	}
	m := newGoldenModule(t, *keep)
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
