package cli

import (
	"encoding/json"
	"io"
	"path/filepath"

	"github.com/duckgen/duckgen/gen/diag"
)

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
