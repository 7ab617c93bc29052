package gen

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A Change is what writing a result does to one file.
type Change struct {
	Path string // absolute
	Old  []byte // nil: there is no such file yet
	New  []byte // nil: the file is removed
}

// Removes reports whether the file is removed.
func (c Change) Removes() bool { return c.New == nil }

// Changes compares the result with the tree and returns what differs: files
// whose bytes change, then orphans.
func (r *Result) Changes() ([]Change, error) {
	var changes []Change
	for _, f := range r.Files {
		if holds(f.Path, f.Content) {
			continue
		}
		old, err := os.ReadFile(f.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			old = nil
		case err != nil:
			return nil, err
		}
		changes = append(changes, Change{Path: f.Path, Old: old, New: f.Content})
	}
	for _, path := range r.Orphans {
		old, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		changes = append(changes, Change{Path: path, Old: old})
	}
	return changes, nil
}

// holds reports whether a file has just this content. It never has a large file
// in memory.
func holds(path string, content []byte) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // it was only read
	var buffer [32 << 10]byte
	for {
		n, err := f.Read(buffer[:])
		if !bytes.HasPrefix(content, buffer[:n]) {
			return false
		}
		content = content[n:]
		if err != nil {
			return err == io.EOF && len(content) == 0
		}
	}
}

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
		} else if err = os.Rename(staged[i], real(c.Path)); err == nil {
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
	f, err := os.CreateTemp(filepath.Dir(real(c.Path)), ".duckgen-*")
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
