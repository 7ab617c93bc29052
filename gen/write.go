package gen

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/duckgen/duckgen/gen/load"
)

// Write makes the tree what the result says and returns what it changed. Every
// file is replaced as a whole, and none before all are on the disk. A symbolic
// link stays one: the file that it leads to is replaced. A result with findings
// changes nothing.
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
			err = os.Remove(c.Path)
		} else if err = os.Rename(staged[i], load.Real(c.Path)); err == nil {
			staged[i] = ""
		}
		if err != nil {
			return changes[:i], fmt.Errorf("%w; %d of %d files have been changed", err, i, len(changes))
		}
	}
	return changes, nil
}

// stage writes the new content to a file beside the one that it will replace,
// under a name that the go command ignores.
func stage(c Change) (path string, err error) {
	f, err := os.CreateTemp(filepath.Dir(load.Real(c.Path)), ".duckgen-*")
	if err != nil {
		return "", fmt.Errorf("cannot write %s: %w; no file was changed", c.Path, reason(err))
	}
	_, err = f.Write(c.New)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	return f.Name(), err
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
