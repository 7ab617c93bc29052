package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/duckgen/duckgen/gen"
	"github.com/duckgen/duckgen/gen/diag"
)

// runGenerate generates and writes. It says nothing where all is well.
func runGenerate(ctx context.Context, i Invocation, c console) (int, error) {
	result, err := read(ctx, i)
	if err != nil {
		return trouble, err
	}
	changes, err := result.Write()
	if err != nil {
		return trouble, err
	}
	exit := exitFor(result.Findings)
	if i.JSON {
		return exit, printJSON(c.out, newWritten(result, changes))
	}
	if i.Verbose {
		printChanges(c.err, result.Dir, changes)
	}
	return exit, diag.Print(c.err, result.Findings)
}

func printChanges(w io.Writer, dir string, changes []gen.Change) {
	for _, change := range changes {
		verb := "wrote"
		if change.Removes() {
			verb = "removed"
		}
		fmt.Fprintf(w, "%s %s\n", verb, relative(dir, change.Path))
	}
}

// written is what generate -json prints.
type written struct {
	Findings []diag.Finding `json:"findings"`
	Written  []string       `json:"written"`
	Removed  []string       `json:"removed"`
}

func newWritten(result *gen.Result, changes []gen.Change) written {
	w := written{Findings: list(result.Findings), Written: []string{}, Removed: []string{}}
	for _, change := range changes {
		target := &w.Written
		if change.Removes() {
			target = &w.Removed
		}
		*target = append(*target, relative(result.Dir, change.Path))
	}
	return w
}
