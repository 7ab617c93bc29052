//go:build unix

package cli

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/internal/testtier"
)

// What hostile trees are made of.
var (
	hostileNames = []string{
		"session.go", "other.go", "x_test.go", "session_windows.go", "a$(cd;id>pwned).go", "-x.go", "new\nline.go",
		"session_duckgen.go", "session_duckgen_stored_test.go", "session_duckgen_test.go", "gone_duckgen.go", "other_duckgen.go",
		"sub/session.go", "sub/session_duckgen.go", "a b/session.go", "vendor/example.com/dep/session.go", "testdata/session.go",
		"dep/session.go", "dep/gone_duckgen.go", "money/money.go", "p.git/HEAD", "p.git/config", ".git/config",
	}
	hostileModules = []string{
		modHead,
		"module (\n\texample.com/shop\n)\n\ngo 1.26\n",
		modHead + "\nrequire example.com/dep v1.0.0\n\nreplace example.com/dep => ../outside/dir\n",
		modHead + "\ntoolchain go1.99.0\n\nignore ./sub\n",
		"module example.com/shop\n\ngo 1.99\n",
		"module $(id)\n\ngo 1.26\n",
		strings.Repeat("(", 1000),
		"",
	}
	hostileLinks = []string{"../outside/file.go", "../outside/dir", "../outside/dir/session.go", "/dev/zero", "missing", ".", "..", "session.go"}
	hostileCalls = [][]string{
		{"./..."}, {"."}, {"-tests", "./..."}, {"-update", "./..."}, {"-tags", "x", "./..."}, {"check", "./..."}, {"diff", "./..."},
		{"explain", "./..."}, {"./sub", "./vendor/example.com/dep"}, {"example.com/shop/sub"}, {"example.com/dep"}, {"../outside/dir"}, {"./dep/..."},
	}
)

// hostileSources are contents of files, each larger with n.
var hostileSources = []func(n int) string{
	func(int) string { return good },
	func(int) string { return strings.Replace(good, "Visitor", "Guest", 1) },
	func(int) string { return strings.Replace(good, ":session\n", ":session cookie=other\n", 1) },
	func(int) string { return "" },
	func(int) string { return stray },
	func(int) string { return stray + "<<<<<<< ours\n=======\n>>>>>>> theirs\n" },
	func(int) string { return strings.Replace(good, "session\n", "other\n", 1) },
	func(n int) string { return field(strings.Repeat("[]", n) + "int") },
	func(n int) string { return field(strings.Repeat("struct{ A ", n) + "int" + strings.Repeat(" }", n)) },
	func(n int) string { return field(strings.Repeat("map[string]*", n) + "int") },
	func(n int) string { return field(fmt.Sprintf("[%d]int", n*n*n)) },
	func(n int) string { return field("T"+fmt.Sprint(n%40)) + doubled(n, "type T%d struct{ A, B T%d }\n") },
	func(n int) string {
		return field("T"+fmt.Sprint(n%40)) + doubled(n, "type T%d = struct{ A, B []T%d }\n")
	},
	func(n int) string { return field("T"+fmt.Sprint(n%40)) + doubled(n, "type T%d struct{ A, B *T%d }\n") },
	func(n int) string { return field("P[int]") + "\ntype P[X any] struct{ F *P[[]X]; G *P[*X] }\n" },
	func(n int) string { return field("T") + "\ntype T struct{ A []T; B map[string]T }\n" },
	func(int) string { return strings.Replace(good, "\tName", "\t// +build x\n\t//go:build y\n\tName", 1) },
	func(int) string {
		return "package session\n\n// #cgo pkg-config: $(id)\n// #cgo LDFLAGS: -fplugin=./x.so\nimport \"C\"\n\n//go:generate touch pwned\n" + good[len("package session\n"):]
	},
	func(int) string {
		return strings.Replace(good, "\n\n", "\n\nimport . \"example.com/shop/money\"\n\n", 1)
	},
	func(int) string {
		return strings.Replace(strings.Replace(good, "\n\n", "\n\nimport \"example.com/shop/money\"\n\n", 1), "string", "money.T30", 1)
	},
	func(n int) string {
		return "package money\n\ntype T0 int\n" + doubled(n, "type T%d struct{ A, B T%d }\n")
	},
	func(int) string {
		return "[core]\n\tsshCommand = touch pwned\n\tfsmonitor = touch pwned\n\thooksPath = .\n"
	},
	func(n int) string { return strings.Repeat("(", n) },
	func(n int) string {
		return "package session\n\nvar _ = " + strings.Repeat("(", 10*n) + "1" + strings.Repeat(")", 10*n) + "\n"
	},
	func(n int) string { return "package session\n\nvar _ = 1" + strings.Repeat(" + 1", 10*n) + "\n" },
}

func field(typ string) string { return strings.Replace(good, "string", typ, 1) }

func doubled(n int, format string) string {
	var b strings.Builder
	b.WriteString("\ntype T0 int\n")
	for i := range n % 40 {
		fmt.Fprintf(&b, format, i+1, i)
	}
	return b.String()
}

// A hostile builds a tree by the bytes that it is given.
type hostile struct {
	choices []byte
	dir     string
}

func (h *hostile) choose(n int) int {
	if len(h.choices) == 0 {
		return 0
	}
	c := int(h.choices[0])
	h.choices = h.choices[1:]
	return c % n
}

// build makes the module and a few things in it. What cannot be made, because
// something else is there, is left out.
func (h *hostile) build() {
	h.put("go.mod", hostileModules[h.choose(2*len(hostileModules))%len(hostileModules)])
	for range 1 + h.choose(6) {
		name := hostileNames[h.choose(len(hostileNames))]
		path := filepath.Join(h.dir, name)
		_ = os.MkdirAll(filepath.Dir(path), 0o755)
		switch h.choose(12) {
		case 0:
			_ = os.Symlink(h.link(path), path)
		case 1:
			_ = syscall.Mkfifo(path, 0o644)
		case 2:
			_ = os.Mkdir(path, 0o755)
		case 3:
			h.put(filepath.Dir(name)+"/go.mod", "module example.com/dep\n\ngo 1.26\n")
		case 4:
			h.put("go.work", "go 1.26\n\nuse (\n\t.\n\t../outside/dir\n)\n")
		case 5:
			_ = os.Symlink(h.link(filepath.Dir(path)), filepath.Join(h.dir, "sub"))
		default:
			h.put(name, hostileSources[h.choose(len(hostileSources))](h.choose(256)))
		}
	}
}

// link is where a link at a path leads to.
func (h *hostile) link(path string) string {
	to := hostileLinks[h.choose(len(hostileLinks))]
	if !strings.HasPrefix(to, "../outside") {
		return to
	}
	return filepath.Join(filepath.Dir(h.dir), to[len("../"):])
}

func (h *hostile) put(name, content string) {
	path := filepath.Join(h.dir, name)
	if _, err := os.Lstat(path); err == nil {
		return // a link might lead out of the tree
	}
	_ = os.WriteFile(path, []byte(content), 0o644)
}

// snapshot returns what every file below a directory is and holds, without
// following links or waiting for pipes.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		what := info.Mode().String()
		switch {
		case info.Mode().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			what += " " + string(content)
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			what += " " + target
		}
		files[strings.TrimPrefix(path, dir)] = what
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// standIns are commands that a tree may want to be run. Each leaves its name.
func standIns(f *testing.F) (dir, ran string) {
	dir = f.TempDir()
	ran = filepath.Join(dir, "ran")
	for _, name := range []string{"git", "gcc", "cc", "clang", "pkg-config", "ssh", "touch", "id", "sh"} {
		script := "#!/bin/sh\necho " + name + " >> " + ran + "\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			f.Fatal(err)
		}
	}
	return dir, ran
}

// FuzzTree runs the command in a tree that somebody else has made. Whatever is in
// it, the command comes back soon and without a bug report, has written nothing
// but generated files of the module, and has started nothing. There is no go
// command: what it would be asked is left out.
func FuzzTree(f *testing.F) {
	random := rand.New(rand.NewPCG(14, 0))
	for range testtier.Count(30, 30, 150) {
		seed := make([]byte, 24)
		for i := range seed {
			seed[i] = byte(random.Uint32())
		}
		f.Add(seed)
	}
	path, ran := standIns(f)
	f.Setenv("PATH", path)
	f.Setenv("GOENV", "off")
	f.Setenv("GOFLAGS", "")
	f.Setenv("GOWORK", "")
	f.Fuzz(func(t *testing.T, choices []byte) {
		root, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		outside := filepath.Join(root, "outside")
		write(t, root, "outside/file.go", "")
		write(t, root, "outside/dir/go.mod", "module example.com/dep\n\ngo 1.26\n")
		write(t, root, "outside/dir/session.go", good)
		write(t, root, "outside/dir/gone_duckgen.go", stray)
		h := &hostile{choices: choices, dir: filepath.Join(root, "tree")}
		if err := os.Mkdir(h.dir, 0o755); err != nil {
			t.Fatal(err)
		}
		h.build()
		before, within := snapshot(t, outside), snapshot(t, h.dir)
		call := append([]string{"-C", h.dir}, hostileCalls[h.choose(len(hostileCalls))]...)
		exit, stdout, stderr := soon(t, call)
		if exit > trouble || strings.Contains(stdout+stderr, "bug in duckgen") {
			t.Fatalf("%v: exit %d, %s%s", call, exit, stdout, stderr)
		}
		if diff := cmp.Diff(before, snapshot(t, outside)); diff != "" {
			t.Errorf("files outside have changed:\n%s", diff)
		}
		h.onlyOutputs(t, within)
		if commands, err := os.ReadFile(ran); err == nil {
			t.Errorf("these were run: %s", commands)
		}
	})
}

// soon runs the command and fails if that takes 2 s of a processor, or does not
// end.
func soon(t *testing.T, args []string) (exit int, stdout, stderr string) {
	t.Helper()
	start, done := processorTime(t), make(chan struct{})
	go func() {
		exit, stdout, stderr = run(t, args...)
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatalf("%v hangs", args)
	}
	if took := processorTime(t) - start; took > 2*time.Second {
		t.Errorf("%v takes %v", args, took)
	}
	return exit, stdout, stderr
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// onlyOutputs fails if anything of the tree has changed but generated files of
// the module.
func (h *hostile) onlyOutputs(t *testing.T, before map[string]string) {
	t.Helper()
	after := snapshot(t, h.dir)
	for name := range before {
		if _, ok := after[name]; !ok && !strings.Contains(before[name], "Code generated by duckgen") && !strings.HasSuffix(before[name], " ") {
			t.Errorf("%q is gone", name)
		}
	}
	for name, what := range after {
		if before[name] == what {
			continue
		}
		generated := strings.HasSuffix(name, "_duckgen.go") || strings.HasSuffix(name, "_duckgen_test.go") || strings.HasSuffix(name, "_duckgen_stored_test.go")
		if !generated || !strings.HasPrefix(what, "-rw-r--r-- // Code generated by duckgen.") || strings.Contains(name, "/vendor/") {
			t.Errorf("%q was written", name)
		}
	}
}
