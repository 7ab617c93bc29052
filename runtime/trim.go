package runtime

import (
	"cmp"
	"slices"
)

// Surplus returns the sessions that [Limiter.Trim] ends: all of those found but for
// the given number of them, the one to keep and those used last. It sorts the list.
func Surplus(found []Found, most int, keep ID) []Found {
	slices.SortFunc(found, func(a, b Found) int {
		switch keep {
		case a.ID:
			return -1
		case b.ID:
			return 1
		}
		return cmp.Or(b.Record.LastUsed().Compare(a.Record.LastUsed()), slices.Compare(a.ID[:], b.ID[:]))
	})
	return found[min(max(most, 1), len(found)):]
}
