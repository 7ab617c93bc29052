package breaking

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/duckgen/duckgen/gen/load"
)

// An Earlier is one generated file of the state that is compared with.
type Earlier struct {
	Dir     string // the directory of this tree that it belongs to, absolute; empty: any
	Name    string // for messages
	Content []byte
}

// Against reads the generated files of an earlier state: of a commit of the
// repository that dir is in, of one file, or of a directory that stands for
// dir in another checkout. What exists as a path, relative to dir, is a path;
// git:main is the commit even then.
func Against(ctx context.Context, dir, what string) ([]Earlier, error) {
	if ref, ok := strings.CutPrefix(what, "git:"); ok {
		return fromGit(ctx, dir, ref)
	}
	path := what
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, err
	case err != nil: // there is no such file, or what names a commit cannot be the name of one
		return fromGit(ctx, dir, what)
	case info.IsDir():
		return fromCheckout(path, dir)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if !load.IsOwn(path, content) {
		return nil, fmt.Errorf("%s is not a file that duckgen has generated", what)
	}
	return []Earlier{{Name: what, Content: content}}, nil
}

// isOutput reports whether a file has the name of generated sessions that a
// program can store. Those of tests are none.
func isOutput(name string) bool { return strings.HasSuffix(name, "_duckgen.go") }

// fromCheckout reads a directory as dir is there.
func fromCheckout(root, dir string) ([]Earlier, error) {
	var files []Earlier
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !isOutput(path) {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil && load.IsOwn(path, content) {
			files = append(files, Earlier{filepath.Join(dir, rel), path, content})
		}
		return err
	})
	return files, err
}

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

// git runs a command that only reads, and returns what it prints.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "git", args...)
	command.Dir = dir
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
