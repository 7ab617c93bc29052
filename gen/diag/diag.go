// Package diag holds findings: what is wrong in a user's source, where, and
// what to do about it. A run collects all of them and reports them together.
package diag

import (
	"cmp"
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
)

// A Finding is one thing that is wrong.
type Finding struct {
	Pos     token.Position // Filename as [Collector] shortens it; Line 0: the package as a whole
	Code    Code
	Message string
	Hint    string // what to do; empty: the message says it
	Package string // import path
}

// String returns the finding as one line, "file:line:col: message [DG012]".
func (f Finding) String() string {
	if f.Pos.Filename == "" {
		return fmt.Sprintf("%s: %s [%s]", f.Package, f.Message, f.Code)
	}
	return fmt.Sprintf("%s: %s [%s]", f.Pos, f.Message, f.Code)
}

// A Collector gathers findings. It is not safe for concurrent use.
type Collector struct {
	dir      string
	findings []Finding
}

// NewCollector returns a collector that shows paths relative to the directory,
// which is absolute.
func NewCollector(dir string) *Collector { return &Collector{dir: dir} }

// Add notes a finding. Its file name is made relative.
func (c *Collector) Add(f Finding) {
	f.Pos = c.relative(f.Pos)
	c.findings = append(c.findings, f)
}

// Place returns a position as a message mentions it, "file:line:col".
func (c *Collector) Place(pos token.Position) string { return c.relative(pos).String() }

// Len returns the number of findings so far, duplicates included.
func (c *Collector) Len() int { return len(c.findings) }

// Findings returns what was noted, each once, in the order of files, lines and
// columns.
func (c *Collector) Findings() []Finding {
	sorted := slices.Clone(c.findings)
	slices.SortFunc(sorted, compare)
	return slices.Compact(sorted)
}

func (c *Collector) relative(pos token.Position) token.Position {
	pos.Offset = 0
	if rel, err := filepath.Rel(c.dir, pos.Filename); err == nil && pos.Filename != "" {
		pos.Filename = rel
	}
	return pos
}

func compare(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(a.Pos.Filename, b.Pos.Filename),
		cmp.Compare(a.Pos.Line, b.Pos.Line),
		cmp.Compare(a.Pos.Column, b.Pos.Column),
		cmp.Compare(a.Code, b.Code),
		cmp.Compare(a.Message, b.Message),
		cmp.Compare(a.Hint, b.Hint),
		cmp.Compare(a.Package, b.Package),
	)
}
