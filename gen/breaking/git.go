package breaking

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/duckgen/duckgen/gen/load"
)

// fromGit reads a commit.
func fromGit(ctx context.Context, dir, ref string) ([]Earlier, error) {
	commit, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	if err != nil {
		return nil, fmt.Errorf("%s is neither a file nor a directory, nor a commit that git knows in %s: %w", ref, dir, err)
	}
	root, err := git(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	hash, top := strings.TrimSpace(string(commit)), strings.TrimRight(string(root), "\r\n")
	list, err := git(ctx, dir, "ls-tree", "-r", "-z", "--full-tree", "--name-only", hash)
	if err != nil {
		return nil, err
	}
	var files []Earlier
	for name := range strings.SplitSeq(string(list), "\x00") {
		if !isOutput(name) {
			continue
		}
		content, err := git(ctx, dir, "cat-file", "blob", hash+":"+name)
		if err != nil {
			return nil, err
		}
		if load.IsOwn(name, content) {
			place := filepath.Join(top, filepath.FromSlash(name))
			files = append(files, Earlier{filepath.Dir(place), ref + ":" + name, content})
		}
	}
	return files, nil
}

// harmless keeps git from running what the configuration of a tree names, which may be
// anybody's: it looks at no repository that lies in a tree as plain files, fetches
// nothing that is missing, and calls no hook, monitor, pager or program that compares.
var harmless = []string{
	"--no-pager",
	"--no-optional-locks",
	"-c", "safe.bareRepository=explicit",
	"-c", "protocol.allow=never",
	"-c", "core.hooksPath=" + os.DevNull,
	"-c", "core.fsmonitor=false",
	"-c", "core.sshCommand=false",
	"-c", "core.gitProxy=",
	"-c", "credential.helper=",
	"-c", "diff.external=",
}

// alone says the same to a git that starts another one, or that was told otherwise by
// the environment.
var alone = []string{
	"GIT_NO_LAZY_FETCH=1",
	"GIT_ALLOW_PROTOCOL=", // none
	"GIT_TERMINAL_PROMPT=0",
	"GIT_ASKPASS=",
	"GIT_EXTERNAL_DIFF=",
	"GIT_PAGER=",
}

// git runs a command that only reads, and returns what it prints.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "git", slices.Concat(harmless, args)...)
	command.Dir = dir
	command.Env = append(os.Environ(), alone...)
	var failure bytes.Buffer
	command.Stderr = &failure
	out, err := command.Output()
	if err != nil {
		if said := strings.TrimSpace(failure.String()); said != "" {
			err = errors.New(said)
		}
		return nil, fmt.Errorf("git %s: %w", args[0], err)
	}
	return out, nil
}
