package cli

import (
	"context"
	"fmt"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/stale"
)

// runCheck says which files generating would change, and changes none.
func runCheck(ctx context.Context, i Invocation, c console) (int, error) {
	result, err := read(ctx, i)
	if err != nil {
		return trouble, err
	}
	changes, err := result.Changes()
	if err != nil {
		return trouble, err
	}
	exit := exitFor(result.Findings)
	if len(changes) > 0 {
		exit = findings
	}
	checked := checked{Findings: list(result.Findings), Files: []checkedFile{}}
	for _, change := range changes {
		checked.Files = append(checked.Files, checkedFile{relative(result.Dir, change.Path), stale.Of(change)})
	}
	if i.JSON {
		return exit, printJSON(c.out, checked)
	}
	for _, f := range checked.Files {
		fmt.Fprintf(c.err, "%s: %s\n", f.File, f.State)
	}
	if len(changes) > 0 {
		fmt.Fprintln(c.err, "duckgen: generated files are not up to date: run go generate, and commit what it changes")
	}
	return exit, diag.Print(c.err, result.Findings)
}

// checked is what check -json prints.
type checked struct {
	Findings []diag.Finding `json:"findings"`
	Files    []checkedFile  `json:"files"`
}

type checkedFile struct {
	File  string      `json:"file"`
	State stale.State `json:"state"`
}
