package cli

import (
	"context"
	"io"
	"path/filepath"
	"strings"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/stale"
)

// runDiff shows what generating would change, as diff does: exit code 0 for
// nothing, 1 for differences, 2 for trouble, which findings are here.
func runDiff(ctx context.Context, i Invocation, c console) (int, error) {
	result, err := read(ctx, i)
	if err != nil {
		return trouble, err
	}
	changes, err := result.Changes()
	if err != nil {
		return trouble, err
	}
	exit := success
	switch {
	case len(result.Findings) > 0:
		exit = trouble
	case len(changes) > 0:
		exit = findings
	}
	style := stale.Plain
	if c.coloured && !i.JSON {
		style = stale.Coloured
	}
	report := differences{Findings: list(result.Findings), Files: []difference{}}
	for _, change := range changes {
		name := relative(result.Dir, change.Path)
		diff := stale.Unified(filepath.ToSlash(name), change, style)
		report.Files = append(report.Files, difference{checkedFile{name, stale.Of(change)}, diff})
	}
	if i.JSON {
		return exit, printJSON(c.out, report)
	}
	var text strings.Builder
	for _, f := range report.Files {
		text.WriteString(f.Diff)
	}
	if _, err := io.WriteString(c.out, text.String()); err != nil {
		return trouble, err
	}
	return exit, diag.Print(c.err, result.Findings)
}

// differences is what diff -json prints.
type differences struct {
	Findings []diag.Finding `json:"findings"`
	Files    []difference   `json:"files"`
}

type difference struct {
	checkedFile
	Diff string `json:"diff"`
}
