package gen

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
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
		old, err := os.ReadFile(f.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			old = nil
		case err != nil:
			return nil, err
		case bytes.Equal(old, f.Content):
			continue
		}
		changes = append(changes, Change{Path: f.Path, Old: old, New: f.Content})
	}
	for _, path := range r.Orphans {
		old, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // another run has removed it meanwhile
		case err != nil:
			return nil, err
		}
		changes = append(changes, Change{Path: path, Old: old})
	}
	return changes, nil
}
