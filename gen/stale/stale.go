// Package stale says how generated files in the tree differ from what they
// should be: by state, for check, and line by line, for diff.
package stale

import "github.com/duckgen/duckgen/gen"

// A State says what is wrong with a generated file.
type State string

const (
	Missing  State = "missing"  // there is no such file
	Outdated State = "stale"    // its content is another one
	Orphaned State = "orphaned" // no session stands behind it any more
)

// Of returns the state of a file that writing would change so.
func Of(c gen.Change) State {
	switch {
	case c.Removes():
		return Orphaned
	case c.Old == nil:
		return Missing
	default:
		return Outdated
	}
}
