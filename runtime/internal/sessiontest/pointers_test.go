package sessiontest

import (
	"slices"
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

func TestV12APointerIsReadAsACopyAndSetToNilCleared(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		nick := "ada"
		b.visit(func(s *VisitorSession) { s.SetTheme("dark"); s.SetNick(&nick) })
		b.visit(func(s *VisitorSession) {
			first, second := s.Nick(), s.Nick()
			if first == second || *first != "ada" {
				t.Error("the same pointer twice, want copies")
			}
			s.SetNick(nil)
			if !s.NickDirty() || s.Nick() != nil {
				t.Errorf("dirty %v, nick %v", s.NickDirty(), s.Nick())
			}
		})
		if e, stored := b.entries()["nick"]; stored {
			t.Errorf("stored is %v after SetNick(nil)", e)
		}
	})
}

func TestV12AnEmptySliceOrMapIsAClearedOne(t *testing.T) {
	collections := []string{"tags", "recent", "avatar", "cart", "prefs"}
	inEveryFormat(t, func(t *testing.T, s *site) {
		for _, loaded := range []bool{false, true} {
			b := s.browser()
			b.visit(func(s *VisitorSession) { fill(s) })
			b.visit(func(s *VisitorSession) {
				if loaded {
					s.Theme()
				}
				s.SetTags([]string{})
				s.SetRecent(nil)
				s.SetAvatar([]byte{})
				s.SetCart(map[string]int{})
				s.SetPrefs(nil)
			})
			for key := range b.entries() {
				if slices.Contains(collections, runtime.FieldOf(key)) {
					t.Errorf("loaded %v: %s is still stored", loaded, key)
				}
			}
			b.visit(func(s *VisitorSession) {
				v := s.Snapshot()
				if v.Tags != nil || v.Recent != nil || v.Avatar != nil || v.Cart != nil || v.Prefs != nil {
					t.Errorf("loaded %v: read %+v, want nil", loaded, v)
				}
			})
		}
	})
}
