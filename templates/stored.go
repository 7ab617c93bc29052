package templates

import (
	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/storedform"
)

// storedForm is the comment above the model that says what is stored.
func (s *session) storedForm(g *jen.Group) {
	var d doc
	d.say("Stored form of %s: each key with its type and what else gives stored data its meaning."+
		" A line that changes here changes what stored sessions mean.", s.Struct)
	d.quote(indented(storedform.Of(s.Session).Lines()))
	d.write(g)
}

func indented(lines []string) []string {
	for i, line := range lines {
		lines[i] = "\t" + line
	}
	return lines
}
