package serverclock

import (
	"testing"
	"time"
)

func TestAheadChangesOnlyIfItIsWrong(t *testing.T) {
	var a Ahead
	began := time.UnixMilli(1_790_000_000_000)
	for _, step := range []struct {
		what         string
		server, took time.Duration
		want         time.Duration
	}{
		{"a clock that agrees", 400 * time.Millisecond, 0, 0},
		{"a clock that may agree: the answer was slow", 2 * time.Second, 1600 * time.Millisecond, 0},
		{"a clock that is ahead", 300 * time.Second, 0, 300 * time.Second},
		{"the same, nearly", 300*time.Second + 400*time.Millisecond, 0, 300 * time.Second},
		{"the same, after a slow statement", 303 * time.Second, 3 * time.Second, 300 * time.Second},
		{"a clock that was moved a little", 301 * time.Second, 0, 301 * time.Second},
		{"half of the way", -200*time.Second + 2*time.Millisecond, 4 * time.Millisecond, -200 * time.Second},
		{"a clock that was put right", 100 * time.Millisecond, 0, 0},
	} {
		if a.Observe(began, began.Add(step.server), step.took); a.Get() != step.want {
			t.Errorf("%s: the server is taken to be %v ahead, want %v", step.what, a.Get(), step.want)
		}
	}
}
