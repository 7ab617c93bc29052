package explain

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Print writes two tables for each session: its fields, and its policy.
func Print(w io.Writer, sessions []Session) error {
	for i, s := range sessions {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := s.print(w); err != nil {
			return err
		}
	}
	return nil
}

func (s Session) print(w io.Writer) error {
	fmt.Fprintf(w, "%s in %s, kind %s\n\n", s.Name, s.File, s.Kind)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row(table, "FIELD", "KEY", "STORED AS", "OPTIONS", "EMPTY", "TYPICAL")
	for _, f := range s.Fields {
		row(table, f.Name, f.Key, f.Stored, strings.Join(f.Options, " "), bytesText(f.Empty), bytesText(f.Typical))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	row(table, "POLICY", "ASVS 5.0", "", "")
	for _, r := range s.Policy {
		standing, value := "met", r.Value
		if !r.Met {
			standing, value = "open", r.Value+": "+r.Note
		}
		row(table, r.Subject, r.ASVS, standing, value)
	}
	return table.Flush()
}

// row writes the cells of one line. The last one is not padded.
func row(w io.Writer, cells ...string) {
	fmt.Fprintln(w, "  "+strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

func bytesText(n *int) string {
	if n == nil {
		return "?"
	}
	return strconv.Itoa(*n) + " B"
}
