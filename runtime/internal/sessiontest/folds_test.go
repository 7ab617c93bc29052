package sessiontest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/runtime"
)

// interfere runs another request each time that the browser's session is about
// to be updated, n times.
func (s *site) interfere(b *browser, n int, handler func(i int, s *VisitorSession)) {
	done, busy := 0, false
	s.store.before = func(call string) {
		if call != "update" || busy || done == n {
			return
		}
		busy = true
		other := *b
		other.visit(func(s *VisitorSession) { handler(done, s) })
		busy = false
		done++
	}
}

func TestV6MergesSurviveConcurrentOnes(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		later, latest := begin.Add(time.Hour), begin.Add(2*time.Hour)
		b.visit(func(s *VisitorSession) { s.SetRecent([]string{"a"}); s.SetSeenAt(begin); s.SetBest(9) })
		s.interfere(b, 1, func(_ int, s *VisitorSession) {
			s.AppendRecent("b")
			s.SetSeenAt(latest)
			s.SetBest(-7)
			s.SetName("Ada")
		})
		b.visit(func(s *VisitorSession) {
			s.AppendRecent("c")
			s.SetSeenAt(later)
			s.SetBest(7)
			s.AddViews(1)
		})
		b.visit(func(s *VisitorSession) {
			got := s.Snapshot()
			if !slices.Equal(got.Recent, []string{"a", "b", "c"}) || got.SeenAt != latest || got.Best != -7 {
				t.Errorf("recent %q, seen %v, best %d", got.Recent, got.SeenAt, got.Best)
			}
			if got.Name != "Ada" || got.Views != 1 {
				t.Errorf("name %q, views %d: the rest of a delta is to be applied once", got.Name, got.Views)
			}
		})
	})
}

func TestV6OnlyTheMergedEntryIsCompared(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetRecent([]string{"a"}) })
		s.interfere(b, 1, func(_ int, s *VisitorSession) { s.SetName("Ada"); s.AddViews(1) })
		s.store.took()
		b.visit(func(s *VisitorSession) { s.AppendRecent("b"); s.SetTheme("dark") })
		if got := s.store.took(); got != "load update update" {
			t.Errorf("calls %q, want a load and two updates, one of them by the other request", got)
		}
	})
}

func TestV6AMergeIsRetriedAtMost8Times(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		for _, conflicts := range []int{8, 9} {
			b := s.browser()
			b.visit(func(s *VisitorSession) { s.SetName("before") })
			s.interfere(b, conflicts, func(i int, s *VisitorSession) { s.AppendRecent(fmt.Sprint(i)) })
			b.visit(func(s *VisitorSession) { s.AppendRecent("mine"); s.SetName("after") })
			s.store.before = nil
			err, stored := s.lastErr(), conflicts == 8
			if stored && err != nil || !stored && !errors.Is(err, runtime.ErrConflict) {
				t.Errorf("%d conflicts: error %v", conflicts, err)
			}
			b.visit(func(s *VisitorSession) {
				got := slices.Contains(slices.Collect(s.Recent()), "mine")
				if got != stored || (s.Name() == "after") != stored {
					t.Errorf("%d conflicts: appended is %v, name %q", conflicts, got, s.Name())
				}
			})
		}
	})
}

func TestV6AMergeNeedsALoad(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetName("Ada") })
		for name, write := range map[string]func(*VisitorSession){
			"max":    func(s *VisitorSession) { s.SetSeenAt(begin) },
			"min":    func(s *VisitorSession) { s.SetBest(1) },
			"append": func(s *VisitorSession) { s.AppendRecent("a") },
		} {
			s.store.took()
			b.visit(write)
			if got := s.store.took(); got != "load update" {
				t.Errorf("%s: calls %q, want a load and an update", name, got)
			}
		}
	})
}

func TestV6AbsentIsTheIdentityOfMaxAndMin(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		early := time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC) // before the zero time
		b.visit(func(s *VisitorSession) { s.SetBest(7); s.SetSeenAt(early) })
		b.visit(func(s *VisitorSession) {
			if s.Best() != 7 || s.SeenAt() != early {
				t.Errorf("best %d, seen %v, want what was set: the default is no bound", s.Best(), s.SeenAt())
			}
		})
	})
}

func TestV6AppendKeepsTheNewest(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		read := func(want ...string) {
			t.Helper()
			b.visit(func(s *VisitorSession) {
				if diff := cmp.Diff(want, s.Snapshot().Recent); diff != "" {
					t.Errorf("recent (-want +got):\n%s", diff)
				}
			})
		}
		b.visit(func(s *VisitorSession) { s.AppendRecent("1", "2", "3", "4") })
		read("2", "3", "4")
		b.visit(func(s *VisitorSession) { s.AppendRecent("5"); s.AppendRecent("6") })
		read("4", "5", "6")
		b.visit(func(s *VisitorSession) { s.SetRecent([]string{"a", "b", "c"}); s.AppendRecent("d") })
		read("b", "c", "d")
		b.visit(func(s *VisitorSession) { s.ClearRecent(); s.AppendRecent("e") })
		read("e")
	})
}

func TestV6OnlySettingBeyondTheLimitFails(t *testing.T) {
	four := []string{"a", "b", "c", "d"}
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.AppendRecent("1") })
		for name, write := range map[string]func(*VisitorSession){
			"set":                      func(s *VisitorSession) { s.SetRecent(four) },
			"set, then append":         func(s *VisitorSession) { s.SetRecent(four); s.AppendRecent("e") },
			"append, set, then append": func(s *VisitorSession) { s.AppendRecent("e"); s.SetRecent(four); s.AppendRecent("f") },
			"clear, then set":          func(s *VisitorSession) { s.ClearRecent(); s.SetRecent(four) },
		} {
			b.visit(write)
			if err := s.lastErr(); !errors.Is(err, runtime.ErrTooLarge) {
				t.Errorf("%s: error %v, want ErrTooLarge", name, err)
			}
		}
		b.visit(func(s *VisitorSession) {
			if got := s.Snapshot().Recent; !slices.Equal(got, []string{"1"}) {
				t.Errorf("recent %q, want it unchanged", got)
			}
			s.SetRecent(four)
			s.SetRecent([]string{"a"})
		})
		if err := s.lastErr(); err != nil {
			t.Errorf("a set in place of one that was too large: %v", err)
		}
	})
}
