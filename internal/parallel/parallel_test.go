package parallel

import (
	"strings"
	"sync/atomic"
	"testing"
)

func TestEachIsDoneOnce(t *testing.T) {
	var sum atomic.Int64
	Do(100, func(i int) { sum.Add(int64(i)) })
	if sum.Load() != 4950 {
		t.Errorf("the sum is %d", sum.Load())
	}
}

func TestAPanicReachesWhoCalls(t *testing.T) {
	defer func() {
		p, ok := recover().(*Panic)
		if !ok || p.Value != "no" || !strings.Contains(p.String(), "parallel_test.go") {
			t.Errorf("Do panics with %v", p)
		}
	}()
	Do(10, func(i int) {
		if i == 3 {
			panic("no")
		}
	})
}
