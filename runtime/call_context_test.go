package runtime

import (
	"context"
	"testing"
	"time"
)

// A call of the store ends with what waits for it, or when it has taken too long.
func TestACallHasTheEarlierOfTwoDeadlines(t *testing.T) {
	parent, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	theirs, _ := parent.Deadline()
	for name, c := range map[string]struct {
		limit   time.Duration
		lasting bool
		theirs  bool
	}{
		"a shorter limit": {time.Minute, false, false},
		"a longer one":    {2 * time.Hour, false, true},
		"which outlives":  {2 * time.Hour, true, false},
	} {
		before := time.Now()
		call := &callContext{lasting: c.lasting}
		call.begin(parent, c.limit)
		end, ok := call.Deadline()
		call.stop()
		own := end.Sub(before) >= c.limit-time.Second && end.Sub(before) <= c.limit+time.Second
		if !ok || end.Equal(theirs) != c.theirs || own == c.theirs {
			t.Errorf("%s: it ends in %v", name, end.Sub(before))
		}
	}
}
