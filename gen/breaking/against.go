package breaking

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
