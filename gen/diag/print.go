package diag

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Print writes the findings for people: a line each, its hint below it, and a
// closing count.
func Print(w io.Writer, findings []Finding) error {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintln(&b, f)
		if f.Hint != "" {
			fmt.Fprintf(&b, "\thint: %s\n", f.Hint)
		}
	}
	if len(findings) > 0 {
		fmt.Fprintf(&b, "duckgen: %s\n", Summary(findings))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Summary returns the count of findings, "3 errors in 2 packages".
func Summary(findings []Finding) string {
	packages := map[string]bool{}
	for _, f := range findings {
		packages[f.Package] = true
	}
	return count(len(findings), "error") + " in " + count(len(packages), "package")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// jsonFinding is the form of a finding that programs read.
type jsonFinding struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Package string `json:"package"`
}

// MarshalJSON writes file, line, column, code, message, hint and package.
func (f Finding) MarshalJSON() ([]byte, error) {
	return json.Marshal(jsonFinding{
		File:    f.Pos.Filename,
		Line:    f.Pos.Line,
		Column:  f.Pos.Column,
		Code:    f.Code,
		Message: f.Message,
		Hint:    f.Hint,
		Package: f.Package,
	})
}
