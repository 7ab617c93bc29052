package stale

import "slices"

// An edit is one line of a diff.
type edit struct {
	op   op
	line string
}

// An op says what becomes of a line, by the sign that it has in a diff.
type op byte

const (
	equal   op = ' '
	removed op = '-'
	added   op = '+'
)

// edits returns what turns the lines before into those after. It keeps the
// lines that are unique on both sides and in order (patience diff), and the
// equal lines around them; the rest is replaced. The cost is n log n for n
// lines, however different they are.
func edits(before, after []string) []edit {
	var list []edit
	emit := func(o op, lines []string) {
		for _, line := range lines {
			list = append(list, edit{o, line})
		}
	}
	i, j := 0, 0 // what is done
	for _, a := range append(anchors(before, after), pair{len(before), len(after)}) {
		if a.before < i {
			continue // inside the equal lines around an earlier anchor
		}
		start, end := a, a
		for start.before > i && start.after > j && before[start.before-1] == after[start.after-1] {
			start.before, start.after = start.before-1, start.after-1
		}
		for end.before < len(before) && end.after < len(after) && before[end.before] == after[end.after] {
			end.before, end.after = end.before+1, end.after+1
		}
		for i < start.before && j < start.after && before[i] == after[j] {
			emit(equal, before[i:i+1])
			i, j = i+1, j+1
		}
		emit(removed, before[i:start.before])
		emit(added, after[j:start.after])
		emit(equal, before[start.before:end.before])
		i, j = end.before, end.after
	}
	return list
}

// A pair is the place of one line on both sides.
type pair struct{ before, after int }

// anchors returns the longest ascending list of lines that are unique on both
// sides.
func anchors(before, after []string) []pair {
	places := uniqueLines(after)
	unique := uniqueLines(before)
	var common []pair
	for i, line := range before {
		if j, ok := places[line]; ok && j >= 0 && unique[line] >= 0 {
			common = append(common, pair{i, j})
		}
	}
	return ascending(common)
}

// uniqueLines returns the place of each line, -1 for those that are there
// several times.
func uniqueLines(lines []string) map[string]int {
	places := make(map[string]int, len(lines))
	for i, line := range lines {
		if _, seen := places[line]; seen {
			i = -1
		}
		places[line] = i
	}
	return places
}

// ascending returns the longest sublist in which the second places ascend, as
// the first ones do in the whole list.
func ascending(pairs []pair) []pair {
	var ends []int // ends[n]: the pair with the smallest place that a sublist of length n+1 ends with
	previous := make([]int, len(pairs))
	for i, p := range pairs {
		n, _ := slices.BinarySearchFunc(ends, p.after, func(end, after int) int { return pairs[end].after - after })
		previous[i] = -1
		if n > 0 {
			previous[i] = ends[n-1]
		}
		if n == len(ends) {
			ends = append(ends, 0)
		}
		ends[n] = i
	}
	result := make([]pair, len(ends))
	if len(ends) == 0 {
		return result
	}
	for n, i := len(ends)-1, ends[len(ends)-1]; n >= 0; n, i = n-1, previous[i] {
		result[n] = pairs[i]
	}
	return result
}
