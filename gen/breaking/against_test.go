package breaking

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/gen/diag"
)

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestAgainstADirectoryReadsWhatDuckgenHasGenerated(t *testing.T) {
	root := t.TempDir()
	content := generated("k", "name string")
	write(t, filepath.Join(root, "shop", "session_duckgen.go"), content)
	write(t, filepath.Join(root, "shop", "session.go"), content)
	write(t, filepath.Join(root, "shop", "by_hand_duckgen.go"), []byte("package session\n"))
	write(t, filepath.Join(root, "old_duckgen.go", "notes.txt"), nil)
	got, err := Against(t.Context(), "/here", root)
	if err != nil {
		t.Fatal(err)
	}
	want := []Earlier{{Dir: "/here/shop", Name: filepath.Join(root, "shop", "session_duckgen.go"), Content: content}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAgainstACommitReadsWhatDuckgenHadGenerated: what the tree has since is not looked at.
func TestAgainstACommitReadsWhatDuckgenHadGenerated(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	content := generated("k", "name string")
	write(t, filepath.Join(root, "shop", "session_duckgen.go"), content)
	write(t, filepath.Join(root, "shop", "session.go"), content)
	write(t, filepath.Join(root, "shop", "by_hand_duckgen.go"), []byte("package session\n"))
	write(t, filepath.Join(root, "late", "session_duckgen.go"), content)
	run := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run("init", "-q")
	run("add", "shop")
	run("-c", "user.name=a", "-c", "user.email=a@a.example", "commit", "-q", "-m", "then")
	write(t, filepath.Join(root, "shop", "session_duckgen.go"), generated("k", "name int"))
	got, err := Against(t.Context(), filepath.Join(root, "shop"), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	want := []Earlier{{Dir: filepath.Join(root, "shop"), Name: "HEAD:shop/session_duckgen.go", Content: content}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, object := range []string{run("rev-parse", "HEAD:shop/session_duckgen.go"), run("rev-parse", "HEAD^{tree}")} {
		if err := os.Remove(filepath.Join(root, ".git", "objects", object[:2], object[2:])); err != nil {
			t.Fatal(err)
		}
		if got, err := Against(t.Context(), root, "HEAD"); err == nil || strings.Contains(err.Error(), "exit status") {
			t.Errorf("%v, %v without an object of the commit, want what git says", got, err)
		}
	}
}

func TestAgainstWhatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "by_hand.go"), []byte("package session\n"))
	if err := os.MkdirAll(filepath.Join(dir, "checkout"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "checkout", "session_duckgen.go")); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	for what, says := range map[string]string{
		"by_hand.go": "not a file that duckgen has generated",
		"checkout":   "session_duckgen.go",
		"socket":     "socket",
		"missing":    "neither a file nor a directory",
	} {
		got, err := Against(t.Context(), dir, what)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("against %s: %d files and %v, want an error that names %q", what, len(got), err, says)
		}
	}
}

func TestADirectoryThatIsGoneMeanwhileIsAnError(t *testing.T) {
	if files, err := fromCheckout(filepath.Join(t.TempDir(), "gone"), "/here"); err == nil {
		t.Errorf("%d files and no error", len(files))
	}
}

func TestAnEarlierStateThatCannotBeReadIsAnError(t *testing.T) {
	l := later(t, name)
	err := Report([]Earlier{{Name: "then", Content: []byte("package")}}, []Later{l}, nil, diag.NewCollector(l.Dir))
	if err == nil || !strings.Contains(err.Error(), "then") {
		t.Errorf("%v, want an error that names the file", err)
	}
}

// TestABreakIsReportedAtTheFileThatIsGone: something else may have removed it since.
func TestABreakIsReportedAtTheFileThatIsGone(t *testing.T) {
	l := later(t, name)
	if err := os.Remove(filepath.Join(l.Dir, "session.go")); err != nil {
		t.Fatal(err)
	}
	got := reported(t, Earlier{Content: generated("k", "name int")}, l, true)
	if len(got) != 1 || got[0].Pos.Line != 1 || got[0].Pos.Column != 1 {
		t.Errorf("%v, want one at the beginning of the file", got)
	}
}
