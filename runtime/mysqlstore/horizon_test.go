package mysqlstore

import (
	"testing"
	"time"
)

func TestAHorizonKnowsWhatIsMissing(t *testing.T) {
	var h horizon
	now := time.UnixMilli(1_790_000_000_000)
	h.see(1000, now)
	if n := len(h.gaps); n != maxGap {
		t.Errorf("below the first number %d are missing, want %d", n, maxGap)
	}
	now = now.Add(gapLife + 1)
	h.see(1003, now)
	h.forgetGaps(now)
	h.see(1002, now)
	if got := h.missing(); len(got) != 2 || got[1] != int64(1001) || h.last != 1003 {
		t.Errorf("%v are missing below %d, want 1001 below 1003, and 0, which never comes", got, h.last)
	}
	h.forgetGaps(now.Add(gapLife + 1))
	if got := h.missing(); len(got) != 1 {
		t.Errorf("%v are missing after a long time, want 0 alone", got)
	}
}

func TestHeadsAreBounded(t *testing.T) {
	var h heads
	for n := range 3 * manyHeads {
		h.put([16]byte{byte(n), byte(n >> 8)}, head{version: int64(n)})
		if _, ok := h.get([16]byte{}); !ok {
			t.Fatalf("the head that is in use is forgotten after %d others", n)
		}
	}
	if n := len(h.new) + len(h.aging); n > 2*manyHeads {
		t.Errorf("%d heads are remembered, want at most %d", n, 2*manyHeads)
	}
	if _, ok := h.get([16]byte{1}); ok {
		t.Error("the oldest head is remembered")
	}
}
