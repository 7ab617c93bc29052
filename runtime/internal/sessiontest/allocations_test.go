//go:build !race

package sessiontest

import "testing"

// With the race detector pools lose what they hold, so it has no place here.
func TestARequestAllocatesLittle(t *testing.T) {
	for _, c := range requestCases() {
		if n := testing.AllocsPerRun(1000, requests(t, c.known, c.handler)); n > c.allocs {
			t.Errorf("%s: %v allocations, want at most %v", c.name, n, c.allocs)
		}
	}
}
