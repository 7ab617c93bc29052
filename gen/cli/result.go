package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/duckgen/duckgen/gen"
	"github.com/duckgen/duckgen/gen/diag"
)

// read generates in memory.
func read(ctx context.Context, i Invocation) (*gen.Result, error) {
	if err := directory(i.Config.Dir); err != nil {
		return nil, err
	}
	return gen.Generate(ctx, i.Config)
}

// directory checks that a directory exists before it is worked in.
func directory(path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is no directory", path)
	}
	return nil
}

func exitFor(found []diag.Finding) int {
	if len(found) > 0 {
		return findings
	}
	return success
}

// printJSON writes one indented value.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "\t")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// list is never null in JSON.
func list[T any](items []T) []T { return append([]T{}, items...) }

func relative(dir, path string) string {
	if rel, err := filepath.Rel(dir, path); err == nil {
		return rel
	}
	return path
}
