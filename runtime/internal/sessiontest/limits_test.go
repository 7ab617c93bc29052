package sessiontest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

// refusedFor checks that the last commit failed for the size of the field, or of
// the whole record where that is "".
func (s *site) refusedFor(t *testing.T, what, field string) {
	t.Helper()
	err := s.lastErr()
	var limit *runtime.LimitError
	if !errors.Is(err, runtime.ErrTooLarge) || !errors.As(err, &limit) || limit.Field != field {
		t.Errorf("%s: error %v, want ErrTooLarge that names %q", what, err, field)
	}
}

func TestV7MaxLimitsTheBytesOfStringsAndByteSlices(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		longest := strings.Repeat("é", 20)
		b.visit(func(s *VisitorSession) { s.SetName(longest); s.SetAvatar(make([]byte, 8)) })
		if err := s.lastErr(); err != nil {
			t.Fatalf("40 and 8 bytes: %v", err)
		}
		res := b.visit(func(s *VisitorSession) { s.SetName(longest + "."); s.SetTheme("dark") })
		s.refusedFor(t, "41 bytes in 21 characters", "name")
		if res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d, want 503", res.StatusCode)
		}
		b.visit(func(s *VisitorSession) { s.SetAvatar(make([]byte, 9)) })
		s.refusedFor(t, "9 bytes", "avatar")
		b.visit(func(s *VisitorSession) {
			if s.Name() != longest || len(s.Avatar()) != 8 || s.Theme() != "light" {
				t.Errorf("name %q, avatar %v, theme %q: something has changed", s.Name(), s.Avatar(), s.Theme())
			}
		})
	})
}

func TestV7MaxLimitsTheElementsOfCollections(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		many := map[string]int{}
		for i := range 51 {
			many[fmt.Sprint(i)] = i
		}
		b.visit(func(s *VisitorSession) { s.SetTags([]string{"a", "b", "c", "d", "e"}) })
		s.refusedFor(t, "5 tags in a new session", "tags")
		b.visit(func(s *VisitorSession) { s.SetCart(many) })
		s.refusedFor(t, "51 elements in a new session", "cart")
		if b.cookie != "" {
			t.Error("a refused commit sent a cookie")
		}
		delete(many, "0")
		b.visit(func(s *VisitorSession) { s.SetTags([]string{"a", "b", "c", "d"}); s.SetCart(many) })
		if err := s.lastErr(); err != nil {
			t.Fatalf("4 tags and 50 elements: %v", err)
		}
		b.visit(func(s *VisitorSession) {
			if s.TagsLen() != 4 || s.CartLen() != 50 {
				t.Errorf("%d tags, %d in the cart", s.TagsLen(), s.CartLen())
			}
		})
	})
}

func TestV7LimitsHoldAgainstBlindWrites(t *testing.T) {
	half := map[string]int{}
	for i := range 25 {
		half[fmt.Sprint(i)] = 1
	}
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetCart(half) })
		b.visit(func(s *VisitorSession) {
			for i := range 25 {
				s.AddCartItem(fmt.Sprint(25+i), 1)
			}
		})
		if err := s.lastErr(); err != nil {
			t.Fatalf("50 elements: %v", err)
		}
		s.store.took()
		b.visit(func(s *VisitorSession) { s.AddCartItem("more", 1) })
		s.refusedFor(t, "a 51st element", "cart")
		b.visit(func(s *VisitorSession) { s.SetCartItem("more", 1); s.DeleteCartItem("1") })
		if err := s.lastErr(); err != nil {
			t.Errorf("one element in place of another: %v", err)
		}
		if got := s.store.took(); got != "update update" {
			t.Errorf("calls %q, want no load", got)
		}
	})
}

func TestV7MaxBytesLimitsTheRecord(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetAddress(Address{Street: strings.Repeat("a", 400)}) })
		s.refusedFor(t, "more than 300 bytes in a new session", "")
		b.visit(func(s *VisitorSession) { s.SetAddress(Address{Street: strings.Repeat("a", 100)}) })
		b.visit(func(s *VisitorSession) { s.SetNotice(strings.Repeat("b", 100)) })
		if err := s.lastErr(); err != nil {
			t.Fatalf("less than 300 bytes: %v", err)
		}
		s.store.took()
		b.visit(func(s *VisitorSession) { s.SetTheme(strings.Repeat("c", 100)) })
		s.refusedFor(t, "a blind write to more than 300 bytes", "")
		if got := s.store.took(); got != "update" {
			t.Errorf("calls %q, want no load", got)
		}
	}, func(c *runtime.Config) { c.MaxBytes = 300 })
}

func TestV7MaxBytesIsAMebibyteByDefault(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetNotice(strings.Repeat("a", 1<<20-100)) })
		if err := s.lastErr(); err != nil {
			t.Errorf("just below 1 MiB: %v", err)
		}
		b.visit(func(s *VisitorSession) { s.SetTheme(strings.Repeat("b", 100)) })
		s.refusedFor(t, "above 1 MiB", "")
	})
}

func TestV7LimitsBindOnlyWhatGrows(t *testing.T) {
	for _, format := range storeFormats {
		t.Run(format.name, func(t *testing.T) {
			generous := newSiteOn(t, format.newStore(t))
			strict := newSiteOn(t, generous.store, func(c *runtime.Config) { c.MaxBytes = 200 })
			before, after := generous.browser(), strict.browser()
			before.visit(func(s *VisitorSession) {
				s.SetNotice(strings.Repeat("a", 150))
				s.SetAddress(Address{Street: strings.Repeat("b", 150)})
			})
			for i := range 60 {
				before.corrupt(runtime.Entry{Key: fmt.Sprintf("cart:%d", i), Kind: runtime.CounterEntry, Count: 1})
			}
			after.cookie = before.cookie
			for _, write := range []func(*VisitorSession){
				func(s *VisitorSession) { s.SetNotice(strings.Repeat("a", 140)) },
				func(s *VisitorSession) { s.AddCartItem("1", 1); s.DeleteCartItem("2") },
				func(s *VisitorSession) { s.SetCartItem("3", 9) },
			} {
				after.visit(write)
				if err := strict.lastErr(); err != nil {
					t.Errorf("a write that does not grow the record: %v", err)
				}
			}
			after.visit(func(s *VisitorSession) { s.SetTheme("dark") })
			strict.refusedFor(t, "growing a record that is too large", "")
			before.visit(func(s *VisitorSession) { s.SetCartItem("new", 1) })
			generous.refusedFor(t, "growing a map that has too many elements", "cart")
		})
	}
}

func TestV7KeepingWhatIsTooLargeIsNoChange(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetNotice(strings.Repeat("a", 41)) })
		b.corrupt(runtime.Entry{Key: "name", Value: b.entries()["notice"].Value})
		b.visit(func(s *VisitorSession) {
			s.SetName(s.Name())
			if s.Dirty() {
				t.Errorf("dirty: %q", s.DirtyFields())
			}
			s.SetName(s.Name() + "a")
			if len(s.Name()) != 41 {
				t.Errorf("%d bytes are read, want what stays stored", len(s.Name()))
			}
		})
		s.refusedFor(t, "another value", "name")
	})
}

func TestV7ACommitThatWasTooLargeCanBeMended(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		res := b.do(func(_ http.ResponseWriter, r *http.Request, s *VisitorSession) {
			s.SetTheme("dark")
			s.SetName(strings.Repeat("a", 41))
			if err := s.Save(r.Context()); !errors.Is(err, runtime.ErrTooLarge) {
				t.Errorf("saving: %v, want ErrTooLarge", err)
			}
			s.SetName("Ada")
		})
		if res.StatusCode != http.StatusOK {
			t.Errorf("status %d, want 200", res.StatusCode)
		}
		b.visit(func(s *VisitorSession) {
			if s.Name() != "Ada" || s.Theme() != "dark" {
				t.Errorf("name %q, theme %q", s.Name(), s.Theme())
			}
		})
	})
}
