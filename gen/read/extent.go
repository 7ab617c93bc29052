package read

import (
	"go/types"
	"slices"

	"github.com/duckgen/duckgen/gen/diag"
)

// What a field may lead to. The compiler gives up on what is generated for types
// that are nested about 50 deep.
const (
	maxDepth = 32
	maxParts = 10_000
)

// An extent is how deep a type is nested, and how many parts it has, with those
// of its members.
type extent struct{ depth, parts int }

// beyond is the extent of all that is too large to be measured.
var beyond = extent{maxDepth + 1, maxParts + 1}

func (e *extent) add(part extent) {
	e.depth = max(e.depth, part.depth+1)
	e.parts = min(e.parts+part.parts, maxParts+1)
}

// checkExtent reports a field whose type is too deep, or has too many parts.
func (r *reader) checkExtent(src source) bool {
	m := measuring{resolver: r.types, left: maxParts}
	e := m.extent(src.name.Type(), 1)
	if e.depth <= maxDepth && e.parts <= maxParts {
		return true
	}
	r.report(src.syntax.Type.Pos(), diag.TypeTooLarge, "store less, or give a type in it methods MarshalBinary and UnmarshalBinary",
		"%s: the type is nested more than %d deep, or has more than %d parts", src.name.Name(), maxDepth, maxParts)
	return false
}

// A measuring is the measuring of one field. What has been measured is known to
// all of the package.
type measuring struct {
	*resolver
	left int // types to be looked at: those of generic types may be without end
}

func (m *measuring) extent(t types.Type, depth int) extent {
	t = types.Unalias(t)
	if e, ok := m.extents[t]; ok {
		return e
	}
	if m.left--; m.left < 0 || depth > maxDepth {
		return beyond
	}
	m.extents[t] = extent{parts: 1} // for one that contains itself, which is refused elsewhere
	e := extent{parts: 1}
	for _, part := range m.parts(t) {
		e.add(m.extent(part, depth+1))
	}
	m.extents[t] = e
	return e
}

// parts are the types that a type is made of, as far as they are stored.
func (m *measuring) parts(t types.Type) []types.Type {
	if named, ok := t.(*types.Named); ok {
		parts := slices.Collect(named.TypeArgs().Types())
		if isTime(named) || marshalsItself(named, "Binary") || marshalsItself(named, "Text") {
			return parts
		}
		return append(parts, m.parts(named.Underlying())...)
	}
	switch t := t.(type) {
	case *types.Pointer:
		return []types.Type{t.Elem()}
	case *types.Slice:
		return []types.Type{t.Elem()}
	case *types.Array:
		return []types.Type{t.Elem()}
	case *types.Map:
		return []types.Type{t.Key(), t.Elem()}
	case *types.Struct:
		var parts []types.Type
		for i := range t.NumFields() {
			if t.Field(i).Exported() && !leftOut(t.Tag(i)) {
				parts = append(parts, t.Field(i).Type())
			}
		}
		return parts
	default:
		return nil
	}
}
