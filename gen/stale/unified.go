package stale

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/duckgen/duckgen/gen"
)

// contextLines is how many equal lines stand around a difference.
const contextLines = 3

// A Style says how the parts of a unified diff are shown.
type Style struct{ Header, Hunk, Removed, Added, End string }

// Plain adds nothing to a diff.
var Plain Style

// Coloured has the colours that git gives to a diff (ECMA-48, SGR).
var Coloured = Style{Header: "\x1b[1m", Hunk: "\x1b[36m", Removed: "\x1b[31m", Added: "\x1b[32m", End: "\x1b[m"}

// Unified returns the change as a unified diff, which patch -p0 takes. The name
// is the file's as it is to be shown.
func Unified(name string, c gen.Change, style Style) string {
	var b strings.Builder
	from, to := name, name
	switch Of(c) {
	case Missing:
		from = "/dev/null"
	case Orphaned:
		to = "/dev/null"
	}
	style.write(&b, style.Header, "--- "+from+"\n")
	style.write(&b, style.Header, "+++ "+to+"\n")
	edits := edits(lines(c.Old), lines(c.New))
	for _, h := range hunks(edits) {
		style.writeHunk(&b, h, edits)
	}
	return b.String()
}

func (s Style) write(b *strings.Builder, colour, line string) {
	text, end, _ := strings.Cut(line, "\n")
	if colour != "" {
		text = colour + text + s.End
	}
	b.WriteString(text)
	b.WriteByte('\n')
	if end != "" { // the remark on a last line without a break
		b.WriteString(end)
	}
}

func (s Style) writeHunk(b *strings.Builder, h hunk, edits []edit) {
	s.write(b, s.Hunk, fmt.Sprintf("@@ -%s +%s @@\n", h.before, h.after))
	for _, e := range edits[h.start:h.end] {
		colour := ""
		switch e.op {
		case removed:
			colour = s.Removed
		case added:
			colour = s.Added
		}
		s.write(b, colour, string(e.op)+e.line)
	}
}

// lines splits a text behind each line break. A last line without one says so,
// as in other diffs.
func lines(text []byte) []string {
	var list []string
	for line := range bytes.Lines(text) {
		list = append(list, string(line))
	}
	if n := len(list); n > 0 && !strings.HasSuffix(list[n-1], "\n") {
		list[n-1] += "\n\\ No newline at end of file\n"
	}
	return list
}

// A hunk is a range of edits, and the lines that it covers.
type hunk struct {
	start, end    int
	before, after span
}

// A span is a range of lines as the head of a hunk has it.
type span struct{ skipped, count int }

func (s span) String() string {
	first := s.skipped
	if s.count > 0 {
		first++
	}
	if s.count == 1 {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d,%d", first, s.count)
}

// hunks groups the edits that are no further apart than the equal lines around
// them reach.
func hunks(edits []edit) []hunk {
	var list []hunk
	for i, e := range edits {
		if e.op == equal {
			continue
		}
		start, end := max(0, i-contextLines), min(len(edits), i+1+contextLines)
		if n := len(list); n > 0 && start <= list[n-1].end {
			list[n-1].end = end
			continue
		}
		list = append(list, hunk{start: start, end: end})
	}
	done, before, after := 0, 0, 0
	count := func(end int) {
		for _, e := range edits[done:end] {
			if e.op != added {
				before++
			}
			if e.op != removed {
				after++
			}
		}
		done = end
	}
	for i := range list {
		h := &list[i]
		count(h.start)
		h.before.skipped, h.after.skipped = before, after
		count(h.end)
		h.before.count, h.after.count = before-h.before.skipped, after-h.after.skipped
	}
	return list
}
