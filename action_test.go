package duckgen_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/internal/testtier"
)

const (
	before = `package session

// Visitor is one visitor.
//
//duckgen:session
type Visitor struct {
	UserID int64  ` + "`session:\"user_id,index,renew\"`" + `
	Theme  string ` + "`session:\"theme\"`" + `
}
`
	another = "	Theme  string `session:\"theme\"`\n"
)

// An action is a repository in which the GitHub Action runs, with the command as it is
// here.
type action struct {
	t       *testing.T
	dir     string
	command string
}

func newAction(t *testing.T) *action {
	t.Helper()
	a := &action{t, t.TempDir(), filepath.Join(t.TempDir(), "duckgen.exe")}
	run(t, here(t), "build", "-o", a.command, "./cmd/duckgen")
	write(t, filepath.Join(a.dir, "go.mod"), []byte("module example.com/user\n\ngo 1.26.0\n"))
	a.git("init", "--quiet")
	a.commit(before)
	return a
}

func (a *action) git(args ...string) {
	a.t.Helper()
	args = append([]string{"-C", a.dir, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)
	if out, err := exec.CommandContext(a.t.Context(), "git", args...).CombinedOutput(); err != nil {
		a.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// commit stores a struct, and what is generated from it.
func (a *action) commit(source string) {
	a.t.Helper()
	write(a.t, filepath.Join(a.dir, "session", "session.go"), []byte(source))
	if out, err := exec.CommandContext(a.t.Context(), a.command, "-C", a.dir, "./...").CombinedOutput(); err != nil {
		a.t.Fatalf("duckgen: %v\n%s", err, out)
	}
	a.git("add", ".")
	a.git("commit", "--quiet", "--message", "change")
}

// check runs the action's script, and returns its exit code and what it says.
func (a *action) check(env ...string) (exit int, said string) {
	a.t.Helper()
	cmd := exec.CommandContext(a.t.Context(), filepath.Join(here(a.t), ".github", "action", "check"))
	cmd.Dir = a.dir
	cmd.Env = append(os.Environ(), "PACKAGES=./...", "AGAINST=", "GITHUB_EVENT_NAME=", "DUCKGEN="+a.command)
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		a.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func (a *action) wants(what string, exit int, said string, env ...string) {
	a.t.Helper()
	if got, out := a.check(env...); got != exit || !strings.Contains(out, said) {
		a.t.Errorf("%s: exit %d, want %d with %q\n%s", what, got, exit, said, out)
	}
}

func TestTheActionChecksAPullRequest(t *testing.T) {
	testtier.NotShort(t, "the go command builds the command")
	for _, program := range []string{"bash", "git"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	a := newAction(t)
	request := "GITHUB_EVENT_NAME=pull_request"
	a.wants("a clone of one commit", 2, "fetch-depth", request)
	a.commit(strings.ReplaceAll(before, another, another+"	Count  int    `session:\"count\"`\n"))
	a.wants("another field", 0, "", request)
	a.commit(strings.ReplaceAll(before, "Theme  string", "Theme  bool  "))
	a.wants("a changed type", 1, "theme", request)
	a.wants("a push", 0, "")
	a.wants("a push that is to be compared", 1, "theme", "AGAINST=HEAD~2")
	write(t, filepath.Join(a.dir, "session", "session.go"), []byte(before))
	a.wants("a stale file", 1, "session_duckgen.go", request)
}
