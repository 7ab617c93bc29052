package diag

import (
	"fmt"
	"strings"
)

// Nearest returns the candidate whose spelling is closest to the word, or ""
// where none is close enough to be what was meant. Of equally close ones the
// first counts.
func Nearest(word string, candidates []string) string {
	best, limit := "", max(1, (len(word)+1)/3)+1
	for _, candidate := range candidates {
		if d := distance(strings.ToLower(word), candidate); d < limit {
			best, limit = candidate, d
		}
	}
	return best
}

// DidYouMean returns a hint with the nearest candidate, or with all of them
// where none is near.
func DidYouMean(word string, candidates []string) string {
	if best := Nearest(word, candidates); best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	return "known are " + strings.Join(candidates, ", ")
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b (optimal string alignment).
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
