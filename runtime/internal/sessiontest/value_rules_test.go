package sessiontest

import "testing"

func TestV2SettingTheDefaultIsClearing(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.visit(func(s *VisitorSession) { s.SetName("Ada"); s.SetTheme("dark") })
	s.store.took()
	b.visit(func(s *VisitorSession) { s.SetTheme("light") })
	if got := s.store.took(); got != "update" {
		t.Errorf("setting the default blindly: calls %q, want one update", got)
	}
	b.visit(func(s *VisitorSession) {
		if got := s.Theme(); got != "light" {
			t.Errorf("theme %q, want the default", got)
		}
	})
}
