package sessiontest

import (
	"testing"
)

// setAll sets every field to what v has.
func setAll(s *VisitorSession, v Visitor) {
	s.SetName(v.Name)
	s.SetTheme(v.Theme)
	s.SetCart(v.Cart)
	s.SetViews(v.Views)
	s.SetLevel(v.Level)
	s.SetRecent(v.Recent)
	s.SetTags(v.Tags)
	s.SetNotice(v.Notice)
	s.SetNotices(v.Notices)
	s.SetAPIKey(v.APIKey)
	s.SetAddress(v.Address)
	s.SetSeenAt(v.SeenAt)
	s.SetBest(v.Best)
	s.SetNick(v.Nick)
	s.SetAvatar(v.Avatar)
	s.SetPrefs(v.Prefs)
	s.SetRatio(v.Ratio)
	for k, n := range v.Cart {
		s.SetCartItem(k, n)
	}
	for k, p := range v.Prefs {
		s.SetPrefsItem(k, p)
	}
}

func TestV3SettingWhatIsLoadedIsNoChange(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { fill(s) })
		s.store.took()
		b.visit(func(s *VisitorSession) {
			setAll(s, s.Snapshot())
			if s.Dirty() || s.NameDirty() || s.CartDirty() || s.PrefsDirty() {
				t.Errorf("dirty: %q, want nothing", s.DirtyFields())
			}
		})
		if got := s.store.took(); got != "load" {
			t.Errorf("calls %q, want the load alone", got)
		}
	})
}

func TestV3ABlindWriteIsJudgedWhenALoadFollows(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		var v Visitor
		b.visit(func(s *VisitorSession) { v = fill(s) })
		s.store.took()
		b.visit(func(s *VisitorSession) {
			setAll(s, v)
			if got := len(s.DirtyFields()); got != 17 {
				t.Errorf("%d fields dirty before the load, want 17", got)
			}
			s.UserID()
			if s.Dirty() {
				t.Errorf("dirty after the load: %q, want nothing", s.DirtyFields())
			}
		})
		if got := s.store.took(); got != "load" {
			t.Errorf("calls %q, want the load alone", got)
		}
	})
}

func TestV3ClearingWhatIsAbsentIsNoChange(t *testing.T) {
	clear := func(s *VisitorSession) {
		s.ClearName()
		s.ClearCart()
		s.ClearViews()
		s.ClearRecent()
		s.ClearAPIKey()
		s.ClearSeenAt()
		s.ClearNick()
		s.ClearPrefs()
		s.DeleteCartItem("tea")
		s.DeletePrefsItem(4)
	}
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetTheme("dark") })
		s.store.took()
		b.visit(func(s *VisitorSession) {
			clear(s)
			if !s.NameDirty() || !s.CartDirty() {
				t.Error("not dirty before it is known that nothing is stored")
			}
			s.Theme()
			if s.Dirty() {
				t.Errorf("dirty after the load: %q", s.DirtyFields())
			}
			clear(s)
			if s.Dirty() {
				t.Errorf("dirty after clearing again: %q", s.DirtyFields())
			}
		})
		if got := s.store.took(); got != "load" {
			t.Errorf("calls %q, want the load alone", got)
		}
	})
}

func TestV3ANetZeroIsNoChange(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetTheme("dark") })
		s.store.took()
		b.visit(func(s *VisitorSession) {
			s.AddViews(3)
			s.AddCartItem("tea", 1)
			s.AddViews(-3)
			s.AddCartItem("tea", -1)
			s.AddLevel(0)
			if s.Dirty() {
				t.Errorf("dirty: %q, want nothing", s.DirtyFields())
			}
		})
		if got := s.store.took(); got != "" {
			t.Errorf("calls %q, want none", got)
		}
	})
}

func TestV3ThereAndBackIsNoChange(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) {
			s.SetName("Ada")
			s.SetPrefs(map[int]Setting{1: {On: true}, 2: {}})
			s.SetCart(map[string]int{"tea": 2})
			s.AddViews(5)
		})
		s.store.took()
		b.visit(func(s *VisitorSession) {
			if s.Theme() != "light" {
				t.Errorf("theme %q", s.Theme())
			}
			s.SetTheme("dark")
			s.SetTheme("light")
			s.ClearName()
			s.SetName("Ada")
			s.ClearPrefs()
			s.SetPrefsItem(2, Setting{})
			s.SetPrefsItem(1, Setting{On: true})
			s.SetViews(7)
			s.AddViews(-2)
			s.DeleteCartItem("tea")
			s.AddCartItem("tea", 2)
		})
		if got := s.store.took(); got != "load" {
			t.Errorf("calls %q, want the load alone", got)
		}
	})
}

func TestV3ASessionWithoutACookieCountsAsLoadedAndEmpty(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) {
			s.SetName("Ada")
			s.SetName("")
			s.SetCartItem("tea", 1)
			s.DeleteCartItem("tea")
			s.SetPrefs(map[int]Setting{1: {}})
			s.ClearPrefs()
			s.AppendRecent("a")
			s.ClearRecent()
			if s.Dirty() {
				t.Errorf("dirty: %q, want nothing", s.DirtyFields())
			}
		})
		if got := s.store.took(); got != "" {
			t.Errorf("calls %q, want none", got)
		}
	})
}
