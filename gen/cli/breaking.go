package cli

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/duckgen/duckgen/gen"
	"github.com/duckgen/duckgen/gen/breaking"
	"github.com/duckgen/duckgen/gen/diag"
)

// runBreaking compares the stored form of the sessions with an earlier state.
func runBreaking(ctx context.Context, i Invocation, c console) (int, error) {
	if i.Against == "" {
		return trouble, errors.New("breaking compares with an earlier state: name it, as in -against main")
	}
	result, err := read(ctx, i)
	if err != nil {
		return trouble, err
	}
	found := result.Findings
	if len(found) == 0 {
		if found, err = breaks(ctx, result, i.Against); err != nil {
			return trouble, err
		}
	}
	if i.JSON {
		return exitFor(found), printJSON(c.out, struct {
			Findings []diag.Finding `json:"findings"`
		}{list(found)})
	}
	return exitFor(found), diag.Print(c.err, found)
}

func breaks(ctx context.Context, result *gen.Result, against string) ([]diag.Finding, error) {
	earlier, err := breaking.Against(ctx, result.Dir, against)
	if err != nil {
		return nil, err
	}
	var later []breaking.Later
	for _, f := range result.Files {
		if !f.Test {
			later = append(later, breaking.Later{Dir: filepath.Dir(f.Path), Schema: f.Schema})
		}
	}
	collector := diag.NewCollector(result.Dir)
	if err := breaking.Report(earlier, later, result.Gone, collector); err != nil {
		return nil, err
	}
	return collector.Findings(), nil
}
