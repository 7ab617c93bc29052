package breaking

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGitRunsNothingThatTheTreeNames compares with a commit in trees whose own
// configuration of git names commands. They lack the commit's objects, so that git
// would fetch them if it may.
func TestGitRunsNothingThatTheTreeNames(t *testing.T) {
	for where, place := range map[string]string{
		"an embedded bare repository": ".",
		"the repository itself":       ".git",
	} {
		dir := t.TempDir()
		ran := filepath.Join(dir, "ran")
		hostile(t, filepath.Join(dir, place), ran)
		for _, against := range []string{"git:main", "main"} {
			if files, err := Against(t.Context(), dir, against); err == nil {
				t.Errorf("%s, %s: %d files and no error", where, against, len(files))
			}
		}
		if _, err := os.Lstat(ran); err == nil {
			t.Errorf("%s: a command that it names was run", where)
		}
	}
}

// hostile makes a repository that is a clone without objects, and whose configuration
// creates the file when git runs any command that it names.
func hostile(t *testing.T, dir, ran string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "init", "-q", "--bare", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	command := "touch " + ran + " #"
	write(t, filepath.Join(dir, "config"), fmt.Appendf(nil, `[core]
	repositoryformatversion = 1
	sshCommand = %[1]q
	fsmonitor = %[1]q
	pager = %[1]q
	gitProxy = %[1]q
	hooksPath = %[2]q
[extensions]
	partialClone = origin
[remote "origin"]
	url = ssh://attacker.example/tree
	promisor = true
[diff]
	external = %[1]q
[pager]
	rev-parse = %[1]q
	ls-tree = %[1]q
	cat-file = %[1]q
[protocol]
	allow = always
[credential]
	helper = %[3]q
`, command, filepath.Join(dir, "hooks"), "!"+command))
	write(t, filepath.Join(dir, "refs", "heads", "main"), []byte("0123456789abcdef0123456789abcdef01234567\n"))
}
