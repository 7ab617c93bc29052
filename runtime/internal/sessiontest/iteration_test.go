package sessiontest

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestV10MapsAreReadInTheOrderOfTheirKeys(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) {
			for _, k := range []int{10, 9, -2, 100, 1, -10} {
				s.SetPrefsItem(k, Setting{})
			}
			for _, k := range []string{"b", "", "\x7f", "a", "é", "A"} {
				s.SetCartItem(k, 1)
			}
		})
		b.visit(func(s *VisitorSession) {
			s.SetPrefsItem(5, Setting{})
			var numbers []int
			for k := range s.Prefs() {
				numbers = append(numbers, k)
			}
			if want := []int{-10, -2, 1, 5, 9, 10, 100}; !slices.Equal(numbers, want) {
				t.Errorf("keys %v, want %v", numbers, want)
			}
			var texts []string
			for k := range s.Cart() {
				texts = append(texts, k)
			}
			if want := []string{"", "A", "a", "b", "\x7f", "é"}; !slices.Equal(texts, want) {
				t.Errorf("keys %q, want %q", texts, want)
			}
		})
	})
}

func TestV10TheLoopsBodyMayUseTheSession(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) {
			s.SetTags([]string{"a", "b", "c"})
			s.SetCart(map[string]int{"a": 1, "b": 2, "c": 3})
		})
		b.visit(func(s *VisitorSession) {
			var tags []string
			for tag := range s.Tags() {
				s.SetTags([]string{tag})
				tags = append(tags, tag)
			}
			if want := []string{"a", "b", "c"}; !slices.Equal(tags, want) {
				t.Errorf("tags %q, want the copy that the loop began with", tags)
			}
			sum := 0
			for k, n := range s.Cart() {
				s.ClearCart()
				s.SetCartItem("new", 9)
				sum += n
				if k == "b" {
					break
				}
			}
			if sum != 3 || s.CartLen() != 1 {
				t.Errorf("sum %d, length %d, want 3 of the copy and 1 in the session", sum, s.CartLen())
			}
		})
	})
}

func TestV10ASliceIsACopyReadyForJSON(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetTags([]string{"a", "b"}) })
		b.visit(func(s *VisitorSession) {
			tags := s.TagsSlice()
			if want := []string{"a", "b"}; !slices.Equal(tags, want) {
				t.Errorf("tags %q, want %q", tags, want)
			}
			tags[0] = "?"
			if got := s.TagsAt(0); got != "a" {
				t.Errorf("a change of the copy is read as %q", got)
			}
			s.ClearTags()
			if empty, err := json.Marshal(s.TagsSlice()); err != nil || string(empty) != "[]" {
				t.Errorf("an empty slice in JSON: %s (%v)", empty, err)
			}
		})
	})
}
