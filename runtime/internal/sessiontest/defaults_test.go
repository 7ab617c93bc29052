package sessiontest

import (
	"context"
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

func TestV2AScalarIsStoredExactlyWhereItDiffersFromItsDefault(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) {
			fill(s)
			s.SetTheme("")
		})
		if e, stored := b.entries()["theme"]; !stored {
			t.Error("the zero value of a field with a default is not stored")
		} else if e.Kind != runtime.PlainEntry {
			t.Errorf("the theme is stored as %v", e)
		}
		b.visit(func(s *VisitorSession) {
			if got := s.Theme(); got != "" {
				t.Errorf("theme %q, want the stored zero value", got)
			}
			setDefaults(s)
		})
		if left := b.entries(); len(left) > 0 {
			t.Errorf("every field was set to its default, but stored are %v", left)
		}
	})
}

// setDefaults sets every field to its default.
func setDefaults(s *VisitorSession) {
	s.SetUserID(0)
	s.SetName("")
	s.SetTheme("light")
	s.SetCart(nil)
	s.SetViews(0)
	s.SetLevel(0)
	s.SetRecent([]string{})
	s.SetTags(nil)
	s.SetNotice("")
	s.SetNotices(nil)
	s.SetAPIKey("")
	s.SetAddress(Address{Lines: []string{}})
	s.ClearSeenAt()
	s.SetBest(0) // smaller ones stay
	s.ClearBest()
	s.SetNick(nil)
	s.SetAvatar([]byte{})
	s.SetPrefs(map[int]Setting{})
	s.SetRatio(0)
}

func TestV2DefaultsAloneStartNoSession(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) {
			setDefaults(s)
			if s.Dirty() {
				t.Errorf("dirty: %q, want nothing", s.DirtyFields())
			}
		})
		if got := s.store.took(); got != "" || b.cookie != "" {
			t.Errorf("calls %q, cookie %q, want none of both", got, b.cookie)
		}
	})
}

func TestV2APointerTellsAbsentFromZero(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		empty := ""
		b.visit(func(s *VisitorSession) { s.SetNick(&empty) })
		b.visit(func(s *VisitorSession) {
			if nick := s.Nick(); nick == nil || *nick != "" {
				t.Errorf("nick %v, want a pointer to the empty string", nick)
			}
			s.SetNick(nil)
			if nick := s.Nick(); nick != nil {
				t.Errorf("nick %q after it was set to nil", *nick)
			}
		})
		if left := b.entries(); len(left) > 0 {
			t.Errorf("stored after SetNick(nil): %v", left)
		}
	})
}

func TestV2ElementsOfMapsMayBeZero(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) {
			s.SetCartItem("tea", 0)
			s.SetCartItem("", 1)
			s.SetPrefsItem(0, Setting{})
		})
		b.visit(func(s *VisitorSession) {
			if n, ok := s.CartItem("tea"); n != 0 || !ok {
				t.Errorf("tea: %d, %v, want 0, true", n, ok)
			}
			if v, ok := s.PrefsItem(0); v != (Setting{}) || !ok {
				t.Errorf("prefs of 0: %v, %v, want the zero value, true", v, ok)
			}
			s.AddCartItem("", -1)
		})
		if e, ok := b.entries()["cart:"]; !ok || e.Count != 0 {
			t.Errorf("an element that was brought to 0 is %v, %v, want it to stay", e, ok)
		}
	})
}

func TestV2TheDefaultIsNeverIndexed(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		visitors := []*browser{s.browser(), s.browser(), s.browser()}
		for _, b := range visitors {
			b.visit(func(s *VisitorSession) { s.SetName("Ada"); s.SetUserID(0) })
		}
		visitors[2].visit(func(s *VisitorSession) { s.SetUserID(5) })
		visitors[2].visit(func(s *VisitorSession) { s.SetUserID(0) })
		ctx := context.Background()
		for found, err := range s.FindByUserID(ctx, 0) {
			t.Errorf("found %v, %v by the default", found, err)
		}
		if n, err := s.RevokeByUserID(ctx, 0); n != 0 || err != nil {
			t.Errorf("revoking by the default ended %d sessions, %v", n, err)
		}
		if n, err := s.RevokeByUserID(ctx, 5); n != 0 || err != nil {
			t.Errorf("revoking by a value that was set back to the default ended %d sessions, %v", n, err)
		}
		for _, b := range visitors {
			b.visit(func(s *VisitorSession) {
				if s.Name() != "Ada" {
					t.Error("a session has ended")
				}
			})
		}
	})
}
