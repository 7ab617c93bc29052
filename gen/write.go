package gen

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Write makes the tree what the result says and returns what it changed. Every
// file is replaced as a whole, and none before all are on the disk. A file keeps
// its mode, and a new one has what the umask leaves of 0644. Symbolic links are
// replaced, never followed. A result with findings changes nothing.
func (r *Result) Write() ([]Change, error) {
	if len(r.Findings) > 0 {
		return nil, nil
	}
	changes, err := r.Changes()
	if err != nil {
		return nil, err
	}
	staged := make([]string, len(changes))
	defer func() { discard(staged) }()
	for i, c := range changes {
		if c.Removes() {
			continue
		}
		if staged[i], err = stage(c); err != nil {
			return nil, err
		}
	}
	for i, c := range changes {
		if c.Removes() {
			err = remove(c.Path)
		} else if err = os.Rename(staged[i], c.Path); err == nil {
			staged[i] = ""
		}
		if err != nil {
			return changes[:i], fmt.Errorf("%w; %d of %d files have been changed", err, i, len(changes))
		}
	}
	return changes, nil
}

// remove removes a file, unless another run has done so meanwhile.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// stage writes the new content to a file beside the one that it will replace,
// under a name that the go command ignores.
func stage(c Change) (path string, err error) {
	path = filepath.Join(filepath.Dir(c.Path), fmt.Sprintf(".duckgen-%016x", rand.Uint64()))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", fmt.Errorf("cannot write %s: %w; no file was changed", c.Path, reason(err))
	}
	_, err = f.Write(c.New)
	if there, missing := os.Lstat(c.Path); missing == nil && there.Mode().IsRegular() {
		err = errors.Join(err, f.Chmod(there.Mode().Perm()))
	}
	return path, errors.Join(err, f.Close())
}

// reason is what went wrong without the name of a file that nobody has asked
// for.
func reason(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// discard removes staged files that were not put into place.
func discard(staged []string) {
	for _, path := range staged {
		if path != "" {
			_ = os.Remove(path) // nothing better can be done about it
		}
	}
}
