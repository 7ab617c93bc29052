package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/internal/testtier"
)

// The packages of the module that the tests generate for. Of plain everything is
// known from its own files; model has a type of another module, so that the go
// command is asked for the packages.
var determinismFiles = map[string]string{
	"plain/a.go": `package plain

import "time"

//duckgen:session cookie=a
type A struct {
	Part Part                 ` + "`session:\"part\"`" + `
	Seen map[string]time.Time ` + "`session:\"seen\"`" + `
	B    []B                  ` + "`session:\"b,merge=append\"`" + `
}

// Part is also a member of sessions of other packages.
type Part struct {
	Straße string
	Bs     []time.Time
}

func use(s *ASession) int { return s.BLen() }
`,
	"plain/b.go": `package plain

//duckgen:session cookie=b
type B struct {
	Straße string         ` + "`session:\"street,default=ı\"`" + `
	Cart   map[string]int ` + "`session:\"cart,merge=sum\"`" + `
}
`,
	"plain/b_test.go": `package plain_test

import "example.com/same/plain"

//duckgen:session
type C struct {
	B *plain.Part ` + "`session:\"b\"`" + `
}
`,
	"model/model.go": `package model

import (
	"github.com/tinylib/msgp/msgp"

	"example.com/same/plain"
)

//duckgen:session
type V struct {
	Extension msgp.RawExtension ` + "`session:\"extension\"`" + `
	A         plain.Part        ` + "`session:\"a\"`" + `
}
`,
}

// A duckgenRun is one way to start the program on a copy of the module.
type duckgenRun struct {
	name string
	args []string // the packages; none: all
	env  []string // besides what is needed, NAME=VALUE; NAME alone takes it away
	from string   // the working directory, with -C to the module; empty: the module itself
}

func TestTheSameInputGivesTheSameBytesWhateverSurroundsIt(t *testing.T) {
	testtier.OnlyExhaustive(t, "it runs the program a dozen times")
	p, cache := build(t), copyModuleCache(t)
	full := newSameModule(t, slices.Sorted(maps.Keys(determinismFiles)))
	plain := newSameModule(t, []string{"plain/a.go", "plain/b.go", "plain/b_test.go"})
	want := full.generate(t, p, duckgenRun{name: "first"})
	if len(want) != 4 {
		t.Fatalf("it generates %d files, not 4", len(want))
	}
	for _, run := range []duckgenRun{
		{name: "once more over its own output"},
		{name: "the language", env: []string{"LANG=tr_TR.UTF-8", "LC_ALL=tr_TR.UTF-8", "LANGUAGE=tr"}},
		{name: "no language", env: []string{"LANG=C", "LC_ALL=C"}},
		{name: "the time zone", env: []string{"TZ=Pacific/Kiritimati"}},
		{name: "another directory", from: t.TempDir()},
		{name: "the root directory", from: string(filepath.Separator)},
		{name: "one processor", env: []string{"GOMAXPROCS=1"}},
		{name: "many processors", env: []string{"GOMAXPROCS=16"}},
		{name: "no home", env: []string{"HOME", "XDG_CONFIG_HOME", "USERPROFILE"}},
		{name: "another module cache", env: []string{"GOMODCACHE=" + cache, "GOFLAGS=-modcacherw"}},
		{name: "the order of packages", args: []string{"./plain", "./model"}},
		{name: "the other order, and one twice", args: []string{"./model", "./plain", "./model"}},
		{name: "import paths", args: []string{"example.com/same/model", "example.com/same/plain"}},
	} {
		if diff := gocmp.Diff(want, full.generate(t, p, run)); diff != "" {
			t.Errorf("%s changes what is generated (-want +got):\n%s", run.name, diff)
		}
	}
	another := newSameModule(t, slices.Sorted(maps.Keys(determinismFiles)))
	if diff := gocmp.Diff(want, another.generate(t, p, duckgenRun{name: "another place"})); diff != "" {
		t.Errorf("the place of the module changes what is generated (-want +got):\n%s", diff)
	}
	delete(want, filepath.Join("model", "model_duckgen.go"))
	for _, run := range []duckgenRun{
		{name: "without the go command", env: []string{"PATH", "GOROOT"}},
		{name: "by the go command", env: []string{"GOFLAGS=-mod=mod"}},
		{name: "from elsewhere without the go command", from: t.TempDir(), env: []string{"PATH", "TZ=Asia/Kathmandu", "GOMAXPROCS=1"}},
	} {
		if diff := gocmp.Diff(want, plain.generate(t, p, run)); diff != "" {
			t.Errorf("%s changes what is generated (-want +got):\n%s", run.name, diff)
		}
	}
}

// A program is duckgen with the environment that its runs begin with.
type program struct {
	path string
	env  []string
}

func build(t *testing.T) program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "duckgen")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	output(t, "", "go", "build", "-o", path, ".")
	env := append(os.Environ(), "GOWORK=off", "GOFLAGS=", "GOPROXY=off", "GOENV=off")
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} { // which HOME decides otherwise
		env = append(env, name+"="+output(t, "", "go", "env", name))
	}
	return program{path, env}
}

// output runs a command and returns what it prints.
func output(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir = dir
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, args, err)
	}
	return strings.TrimSpace(string(out))
}

// required are the modules that the module requires: msgp, and what that does.
var required = []string{"github.com/tinylib/msgp", "github.com/philhofer/fwd"}

// copyModuleCache makes a module cache at another place that holds just the
// required modules.
func copyModuleCache(t *testing.T) string {
	t.Helper()
	from, to := output(t, "", "go", "env", "GOMODCACHE"), t.TempDir()
	for _, module := range required {
		version := output(t, "", "go", "list", "-m", "-f", "{{.Version}}", module)
		for _, dir := range []string{module + "@" + version, "cache/download/" + module} {
			dir = filepath.FromSlash(dir)
			if err := os.CopyFS(filepath.Join(to, dir), os.DirFS(filepath.Join(from, dir))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return to
}

// A sameModule is one copy of the module.
type sameModule struct{ dir string }

func newSameModule(t *testing.T, files []string) sameModule {
	t.Helper()
	m := sameModule{t.TempDir()}
	mod := "module example.com/same\n\ngo 1.26\n"
	for _, module := range required {
		mod += fmt.Sprintf("\nrequire %s %s\n", module, output(t, "", "go", "list", "-m", "-f", "{{.Version}}", module))
	}
	m.write(t, "go.mod", mod)
	sums, err := os.ReadFile(filepath.Join("..", "..", "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, "go.sum", string(sums))
	for _, name := range files {
		m.write(t, name, determinismFiles[name])
	}
	return m
}

func (m sameModule) write(t *testing.T, name, content string) {
	t.Helper()
	file := filepath.Join(m.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// generate runs the program and returns what it has generated. Only the run
// that says so finds the output of the one before.
func (m sameModule) generate(t *testing.T, p program, run duckgenRun) map[string]string {
	t.Helper()
	if !strings.Contains(run.name, "own output") {
		for name := range m.outputs(t) {
			if err := os.Remove(filepath.Join(m.dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	args := run.args
	if len(args) == 0 {
		args = []string{"./..."}
	}
	command := exec.CommandContext(t.Context(), p.path, args...)
	command.Dir = m.dir
	if run.from != "" {
		command.Dir, command.Args = run.from, append([]string{p.path, "-C", m.dir}, args...)
	}
	command.Env = p.environment(run.env)
	if out, err := command.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%s: %v\n%s", run.name, err, out)
	}
	return m.outputs(t)
}

// environment is that of a run with its changes.
func (p program) environment(changes []string) []string {
	env := slices.Clone(p.env)
	for _, change := range changes {
		name, _, set := strings.Cut(change, "=")
		env = slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, name+"=") })
		if set {
			env = append(env, change)
		}
	}
	return env
}

func (m sameModule) outputs(t *testing.T) map[string]string {
	t.Helper()
	contents := map[string]string{}
	for _, pattern := range []string{"*_duckgen.go", "*_duckgen_test.go"} {
		files, err := filepath.Glob(filepath.Join(m.dir, "*", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(m.dir, file)
			if err != nil {
				t.Fatal(err)
			}
			contents[name] = string(content)
		}
	}
	return contents
}
