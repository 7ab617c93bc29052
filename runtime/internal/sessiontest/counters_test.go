package sessiontest

import (
	"errors"
	"math"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

func TestV5ReadingASumGivesLoadedPlusPendingWithOneLoad(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.AddViews(5); s.AddCartItem("tea", 5) })
		s.store.took()
		b.visit(func(s *VisitorSession) {
			s.AddViews(2)
			s.AddCartItem("tea", 2)
			n, _ := s.CartItem("tea")
			if s.Views() != 7 || n != 7 || s.CartLen() != 1 {
				t.Errorf("views %d, tea %d, want 7 and 7", s.Views(), n)
			}
		})
		if got := s.store.took(); got != "load update" {
			t.Errorf("calls %q, want one load and one update", got)
		}
	})
}

func TestV5AddingNeedsNoLoad(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.AddViews(1) })
		s.store.took()
		b.visit(func(s *VisitorSession) { s.AddViews(1); s.AddCartItem("tea", -1) })
		if got := s.store.took(); got != "update" {
			t.Errorf("calls %q, want one update", got)
		}
	})
}

func TestV5SumsAreExactUnder64Goroutines(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.AddViews(1) })
		const requests, adds = 64, 5
		var running sync.WaitGroup
		for range requests {
			running.Go(func() {
				mine := *b
				mine.visit(func(s *VisitorSession) {
					var adding sync.WaitGroup
					for range adds {
						adding.Go(func() { s.AddViews(1); s.AddCartItem("tea", 2) })
					}
					adding.Wait()
				})
			})
		}
		running.Wait()
		b.visit(func(s *VisitorSession) {
			tea, _ := s.CartItem("tea")
			if s.Views() != 1+requests*adds || tea != 2*requests*adds {
				t.Errorf("views %d, tea %d, want %d and %d", s.Views(), tea, 1+requests*adds, 2*requests*adds)
			}
		})
	})
}

func TestV5AnOverflowChangesNothing(t *testing.T) {
	add := map[string]func(s *VisitorSession){
		"in the store":         func(s *VisitorSession) { s.AddViews(1) },
		"below the least":      func(s *VisitorSession) { s.SetViews(math.MinInt64); s.AddViews(-1) },
		"while it is pending":  func(s *VisitorSession) { s.AddViews(math.MaxInt64); s.AddViews(1); s.AddViews(-5) },
		"of an element":        func(s *VisitorSession) { s.AddCartItem("tea", 1) },
		"of an element it set": func(s *VisitorSession) { s.SetCartItem("new", math.MaxInt64); s.AddCartItem("new", 1) },
	}
	inEveryFormat(t, func(t *testing.T, s *site) {
		for name, add := range add {
			b := s.browser()
			b.visit(func(s *VisitorSession) {
				s.SetViews(math.MaxInt64)
				s.SetCartItem("tea", math.MaxInt64)
				s.SetName("before")
			})
			res := b.visit(func(s *VisitorSession) { s.SetName("after"); add(s) })
			var limit *runtime.LimitError
			if err := s.lastErr(); !errors.Is(err, runtime.ErrOverflow) || !errors.As(err, &limit) {
				t.Errorf("%s: error %v, want a LimitError with ErrOverflow", name, err)
			} else if limit.Field != "views" && limit.Field != "cart" {
				t.Errorf("%s: the error names field %q", name, limit.Field)
			}
			if res.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("%s: status %d, want 503", name, res.StatusCode)
			}
			b.visit(func(s *VisitorSession) {
				tea, _ := s.CartItem("tea")
				if s.Views() != math.MaxInt64 || tea != math.MaxInt64 || s.Name() != "before" || s.CartLen() != 1 {
					t.Errorf("%s: views %d, tea %d, name %q: something has changed", name, s.Views(), tea, s.Name())
				}
			})
		}
	})
}

func TestV5AScalarCounterThatReaches0IsRemoved(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.AddViews(5); s.SetName("Ada") })
		b.visit(func(s *VisitorSession) { s.AddViews(-5) })
		if e, stored := b.entries()["views"]; stored {
			t.Errorf("stored is %v, want nothing", e)
		}
		b.visit(func(s *VisitorSession) { s.AddViews(1) })
		b.visit(func(s *VisitorSession) {
			if s.Views() != 1 {
				t.Errorf("views %d, want 1", s.Views())
			}
		})
	})
}

func TestV5AddingToWhatIsNoCounterReplacesItWithAnEvent(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetTheme("dark") })
		text := b.entries()["theme"].Value
		b.corrupt(runtime.Entry{Key: "views", Value: text}, runtime.Entry{Key: "cart:tea", Value: text})
		b.visit(func(s *VisitorSession) { s.AddViews(3); s.AddCartItem("tea", 4) })
		if got := s.kinds(); len(got) != 2 || got[0] != runtime.EventCounterReplaced || got[1] != got[0] {
			t.Errorf("events %q, want two of %q", got, runtime.EventCounterReplaced)
		}
		b.visit(func(s *VisitorSession) {
			tea, _ := s.CartItem("tea")
			if s.Views() != 3 || tea != 4 {
				t.Errorf("views %d, tea %d, want what was added", s.Views(), tea)
			}
		})
	})
}

func TestV5AValueThatTheFieldCannotHoldSaturatesOnRead(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetLevel(127) })
		for range 3 {
			b.visit(func(s *VisitorSession) { s.AddLevel(100) })
		}
		b.visit(func(s *VisitorSession) {
			if s.Level() != math.MaxInt8 {
				t.Errorf("level %d, want the largest int8", s.Level())
			}
			s.AddLevel(-128)
			s.AddLevel(-128)
			if s.Level() != math.MaxInt8 {
				t.Errorf("level %d where it is 171, want the largest int8", s.Level())
			}
			s.AddLevel(-128)
			if s.Level() != 43 {
				t.Errorf("level %d, want 43: the counter itself is exact", s.Level())
			}
			s.AddLevel(-128)
			s.AddLevel(-128)
		})
		b.visit(func(s *VisitorSession) {
			if s.Level() != math.MinInt8 {
				t.Errorf("level %d, want the smallest int8", s.Level())
			}
		})
		if got := s.misfits(); got != nil {
			t.Errorf("misfits %q: a counter that saturates is none", got)
		}
	})
}

func TestV5ACounterBeyondItsTypeIsAnEvent(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetLevel(127) })
		b.visit(func(s *VisitorSession) {
			if s.Level() != 127 {
				t.Errorf("level %d", s.Level())
			}
			s.AddLevel(100)
		})
		if got := s.kinds(); got != nil {
			t.Errorf("events %q of what fits", got)
		}
		b.visit(func(s *VisitorSession) {
			for range 2 { // read twice, reported once
				if s.Level() != 127 {
					t.Errorf("level %d where it is 227", s.Level())
				}
			}
		})
		if got := s.kinds(); !slices.Equal(got, []runtime.EventKind{runtime.EventSaturated}) {
			t.Errorf("events %q, want one of %q", got, runtime.EventSaturated)
		}
	})
}
