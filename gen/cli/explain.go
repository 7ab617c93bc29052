package cli

import (
	"context"
	"fmt"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/explain"
)

// runExplain shows what the sessions of the packages are.
func runExplain(ctx context.Context, i Invocation, c console) (int, error) {
	result, err := read(ctx, i)
	if err != nil {
		return trouble, err
	}
	sessions := explain.Sessions(result)
	exit := exitFor(result.Findings)
	if i.JSON {
		return exit, printJSON(c.out, struct {
			Findings []diag.Finding    `json:"findings"`
			Sessions []explain.Session `json:"sessions"`
		}{list(result.Findings), list(sessions)})
	}
	if exit == success && len(sessions) == 0 {
		fmt.Fprintln(c.err, "duckgen: these packages declare no sessions: duckgen init writes a first one")
	}
	if err := explain.Print(c.out, sessions); err != nil {
		return trouble, err
	}
	return exit, diag.Print(c.err, result.Findings)
}
