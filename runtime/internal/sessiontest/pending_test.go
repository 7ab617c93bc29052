package sessiontest

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/runtime"
)

func TestV4APendingSetFoldsToTheLargerOrSmaller(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		later, latest := begin.Add(time.Hour), begin.Add(2*time.Hour)
		b.visit(func(s *VisitorSession) {
			s.SetSeenAt(later)
			s.SetSeenAt(begin)
			s.SetBest(5)
			s.SetBest(7)
			if s.SeenAt() != later || s.Best() != 5 {
				t.Errorf("seen %v, best %d, want the larger and the smaller of both", s.SeenAt(), s.Best())
			}
		})
		b.visit(func(s *VisitorSession) {
			s.SetSeenAt(begin)
			s.SetBest(9)
			if s.SeenAt() != later || s.Best() != 5 {
				t.Errorf("seen %v, best %d, want what is stored", s.SeenAt(), s.Best())
			}
			if s.Dirty() {
				t.Errorf("dirty: %q, want nothing", s.DirtyFields())
			}
			s.SetSeenAt(latest)
			s.SetBest(-1)
		})
		b.visit(func(s *VisitorSession) {
			if s.SeenAt() != latest || s.Best() != -1 {
				t.Errorf("seen %v, best %d, want the new ones", s.SeenAt(), s.Best())
			}
		})
	})
}

func TestV4AfterAClearASetOfMaxAndMinIsAbsolute(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		later := begin.Add(time.Hour)
		b.visit(func(s *VisitorSession) { s.SetSeenAt(later.Add(time.Hour)); s.SetBest(-5) })
		s.store.took()
		b.visit(func(s *VisitorSession) {
			s.SetSeenAt(later)
			s.ClearSeenAt()
			s.SetSeenAt(begin)
			s.ClearBest()
			s.SetBest(3)
			s.SetBest(4)
		})
		if got := s.store.took(); got != "update" {
			t.Errorf("calls %q, want one update without a load", got)
		}
		b.visit(func(s *VisitorSession) {
			if s.SeenAt() != begin || s.Best() != 3 {
				t.Errorf("seen %v, best %d, want what was set after the clear", s.SeenAt(), s.Best())
			}
		})
	})
}

func TestV4ALaterSetOrDeleteReplacesWhatWasPending(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetTheme("dark") })
		b.visit(func(s *VisitorSession) {
			s.SetName("a")
			s.SetName("b")
			s.AddViews(9)
			s.SetViews(1)
			s.SetCartItem("a", 1)
			s.DeleteCartItem("a")
			s.DeleteCartItem("b")
			s.SetCartItem("b", 2)
			s.AddCartItem("c", 5)
			s.DeleteCartItem("c")
			s.AppendRecent("x")
			s.SetRecent([]string{"y"})
		})
		want := []string{"set name", "set views 1", "remove cart:a", "set cart:b 2", "remove cart:c", "set recent"}
		if diff := cmp.Diff(want, describe(s.store.lastOps())); diff != "" {
			t.Errorf("operations (-want +got):\n%s", diff)
		}
	})
}

func TestV4AnAdditionFoldsIntoASetAndIsASetAfterADelete(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) {
			s.AddViews(100)
			s.AddLevel(100)
			s.SetCart(map[string]int{"set": 100, "deleted": 100, "added": 100, "left": 100})
		})
		b.visit(func(s *VisitorSession) {
			s.SetViews(5)
			s.AddViews(2)
			s.ClearLevel()
			s.AddLevel(3)
			s.SetCartItem("set", 1)
			s.AddCartItem("set", 1)
			s.DeleteCartItem("deleted")
			s.AddCartItem("deleted", 1)
			s.AddCartItem("added", 1)
			s.AddCartItem("added", 1)
		})
		want := []string{"set views 7", "set level 3", "add cart:added 2", "set cart:deleted 1", "set cart:set 2"}
		if diff := cmp.Diff(want, describe(s.store.lastOps())); diff != "" {
			t.Errorf("operations (-want +got):\n%s", diff)
		}
		b.visit(func(s *VisitorSession) { s.ClearCart(); s.AddCartItem("left", 7) })
		if diff := cmp.Diff([]string{"clear cart", "set cart:left 7"}, describe(s.store.lastOps())); diff != "" {
			t.Errorf("operations after a clear (-want +got):\n%s", diff)
		}
		b.visit(func(s *VisitorSession) {
			if got := s.Snapshot().Cart; !cmp.Equal(got, map[string]int{"left": 7}) {
				t.Errorf("cart %v, want only what was added after the clear", got)
			}
		})
	})
}

func TestV4WholeFieldClearsComeFirstAndEachEntryOnce(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetTheme("dark") })
		b.visit(func(s *VisitorSession) {
			s.SetName("a")
			s.SetPrefsItem(1, Setting{On: true})
			s.SetCartItem("lost", 1)
			s.SetCart(map[string]int{"b": 1, "a": 2})
			s.AddCartItem("a", 1)
			s.DeleteCartItem("b")
			s.SetPrefs(map[int]Setting{2: {}})
			s.SetPrefsItem(2, Setting{Value: "x"})
		})
		want := []string{"clear prefs", "clear cart", "set name", "set prefs:2", "set cart:a 3"}
		if diff := cmp.Diff(want, describe(s.store.lastOps())); diff != "" {
			t.Errorf("operations (-want +got):\n%s", diff)
		}
	})
}

func TestV4SettingASumFieldIsAbsolute(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.AddViews(10); s.SetCart(map[string]int{"tea": 10, "milk": 1}) })
		other := *b
		b.visit(func(s *VisitorSession) {
			s.SetViews(5)
			s.SetCart(map[string]int{"tea": 5})
			other.visit(func(s *VisitorSession) { s.AddViews(1); s.AddCartItem("tea", 1) })
		})
		b.visit(func(s *VisitorSession) {
			if got := s.Snapshot(); got.Views != 5 || !cmp.Equal(got.Cart, map[string]int{"tea": 5}) {
				t.Errorf("views %d, cart %v, want what was set", got.Views, got.Cart)
			}
		})
	})
}

// describe names operations, and the amounts of those on counters.
func describe(ops []runtime.Op) (texts []string) {
	verbs := map[runtime.OpKind]string{
		runtime.OpClear: "clear ", runtime.OpSet: "set ", runtime.OpRemove: "remove ", runtime.OpAdd: "add ",
	}
	for _, op := range ops {
		text := verbs[op.Kind] + op.Entry.Key
		if op.Entry.Kind == runtime.CounterEntry {
			text += " " + strconv.FormatInt(op.Entry.Count, 10)
		}
		texts = append(texts, text)
	}
	return texts
}
