package verify

import (
	"bytes"
	"cmp"
	"fmt"
	"go/token"
)

// An Error is one thing that does not compile in a generated file.
type Error struct {
	Pos     token.Position
	Message string
	Source  string // the line at Pos
}

// Error returns "file:line:col: message" and the source line below it.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s\n\t%s", e.Pos, e.Message, e.Source)
}

func compareErrors(a, b *Error) int {
	return cmp.Or(
		cmp.Compare(a.Pos.Filename, b.Pos.Filename),
		cmp.Compare(a.Pos.Line, b.Pos.Line),
		cmp.Compare(a.Pos.Column, b.Pos.Column),
	)
}

// lineOf returns a line of the source without the space around it, counted from
// 1, or "" where there is none.
func lineOf(source []byte, line int) string {
	for ; line > 1; line-- {
		_, rest, found := bytes.Cut(source, []byte("\n"))
		if !found {
			return ""
		}
		source = rest
	}
	text, _, _ := bytes.Cut(source, []byte("\n"))
	return string(bytes.TrimSpace(text))
}
